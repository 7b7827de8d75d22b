"""LoRA files of every layout give the deltas that they hold, and what diffusers and PEFT compute with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nodes.adapters.apply_lora import apply_lora, apply_lora_text, load_lora
from nodes.adapters.lora import Mode
from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint
from nodes.checkpoints.unet_names import renamed, unet_modules
from nodes.models.clip_text import ClipText
from nodes.models.unet import UNet
from nodes.types import Denoiser

from .. import tiny_lora as tiny
from ..models.test_unet import theirs
from ..tiny_sd import VERSIONS, write_sd

VERSION_NAMES = ["1", "2", "XL"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedCheckpoint]:
    folder = tmp_path_factory.mktemp("sd")
    return {name: load_checkpoint(write_sd(folder / f"{name}.safetensors", name)) for name in VERSION_NAMES}


def unet_of(denoiser: Denoiser) -> UNet:
    assert isinstance(denoiser.network, UNet)
    return denoiser.network


def reference(network: UNet) -> nn.Module:
    """diffusers' UNet with the same weights."""
    found = theirs(network.config)
    table = unet_modules(network.config)
    shapes = found.state_dict()
    state = {str(renamed(table, name)): value for name, value in network.state_dict().items()}
    found.load_state_dict({name: value.reshape(shapes[name].shape) for name, value in state.items()})
    return found.requires_grad_(False)


def inputs(network: UNet) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    made = torch.Generator().manual_seed(5)
    config = network.config
    vector = torch.randn(2, config.vector_width, generator=made) if config.vector_width else None
    x = torch.randn(2, config.in_channels, 8, 8, generator=made)
    return x, torch.tensor([7.0, 800.0]), torch.randn(2, 5, config.context_width, generator=made), vector


def output(network: nn.Module, like: UNet) -> Tensor:
    x, time, context, vector = inputs(like)
    with torch.no_grad():
        out: Tensor = network(x, time, context, vector=vector)
    return out


LAYOUTS: dict[str, tuple[Callable[[str], bool], Callable[[UNet, tiny.Layers], dict[str, Tensor]]]] = {
    "kohya, names of the original": (tiny.everything, lambda _, made: tiny.kohya("lora_unet_", made)),
    "kohya, names of diffusers": (
        tiny.everything,
        lambda unet, made: tiny.kohya("lora_unet_", tiny.diffusers_names(unet.config, made)),
    ),
    "diffusers": (
        tiny.transformer,
        lambda unet, made: tiny.dotted(
            tiny.diffusers_names(unet.config, made), "unet.", ".lora.down.weight", ".lora.up.weight"
        ),
    ),
    "diffusers, attention processors": (
        tiny.attention,
        lambda unet, made: tiny.processors(tiny.diffusers_names(unet.config, made)),
    ),
    "diffusers with PEFT": (
        tiny.everything,
        lambda unet, made: tiny.dotted(
            tiny.diffusers_names(unet.config, made), "unet.", ".lora_A.weight", ".lora_B.weight"
        ),
    ),
    "PEFT": (
        tiny.everything,
        lambda unet, made: tiny.dotted(
            tiny.diffusers_names(unet.config, made), "base_model.model.", ".lora_A.weight", ".lora_B.weight"
        ),
    ),
    "cloneofsimo": (
        lambda name: tiny.attention(name) or name.endswith(".ff.net.0.proj"),
        lambda unet, made: tiny.cloneofsimo(
            reference(unet), tiny.diffusers_names(unet.config, made), "unet", ("Attention", "GEGLU")
        ),
    ),
}


@pytest.mark.parametrize("mode", ["merge", "runtime"])
@pytest.mark.parametrize("version", VERSION_NAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_unet_is_larger_by_what_the_file_holds(
    models: dict[str, LoadedCheckpoint], tmp_path: Path, layout: str, version: str, mode: Mode
) -> None:
    denoiser = models[version].denoiser
    unet = unet_of(denoiser)
    wanted, written = LAYOUTS[layout]
    made = tiny.factors(unet, wanted)
    lora = load_lora(tiny.write(tmp_path / "a.safetensors", written(unet, made)))
    assert sum(map(len, lora.file.parts.values())) == len(made)
    changed = apply_lora(denoiser, lora, 0.7, mode)
    expected = UNet(unet.config).eval()
    scaled = {name: replace(each, alpha=0.7 * each.alpha) for name, each in made.items()}
    expected.load_state_dict(tiny.merged(unet, scaled))
    found, exact, before = output(changed.patched, unet), output(expected, unet), output(unet, unet)
    assert (exact - before).abs().max() > 0.1
    assert (found - exact).abs().max() <= 1e-5 * max(1.0, float(exact.abs().max()))


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "cloneofsimo"])
def test_the_unet_is_diffusers(models: dict[str, LoadedCheckpoint], tmp_path: Path, layout: str) -> None:
    from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin as Loader

    unet = unet_of(models["1"].denoiser)
    wanted, written = LAYOUTS[layout]
    if layout == "kohya, names of the original":
        wanted = tiny.transformer  # of the other layers diffusers knows those of full-size models only
    made = one_alpha(tiny.factors(unet, wanted))
    tensors = written(unet, made)
    path = tiny.write(tmp_path / "a.safetensors", tensors)
    other = reference(unet)
    if layout == "PEFT":
        tensors = {name.replace("base_model.model.", "unet."): each for name, each in tensors.items()}
    state, alphas = Loader.lora_state_dict(tensors, unet_config=other.config)
    Loader.load_lora_into_unet(state, network_alphas=alphas, unet=other)
    x, time, context, _ = inputs(unet)
    with torch.no_grad():
        reference_output = other(x, time, context).sample
    found = output(apply_lora(models["1"].denoiser, load_lora(path)).patched, unet)
    assert (found - reference_output).abs().max() <= 1e-5 * max(1.0, float(reference_output.abs().max()))


def one_alpha(layers: tiny.Layers) -> dict[str, tiny.Factors]:
    """diffusers 0.42 with PEFT 0.21 leaves out alphas that are not those of most layers."""
    return {name: replace(each, alpha=2.0) for name, each in layers.items()}


TEXT_LAYOUTS: dict[str, Callable[[int, tiny.Layers], dict[str, Tensor]]] = {
    "kohya": lambda part, made: tiny.kohya(("lora_te1_", "lora_te2_")[part], made),
    "diffusers": lambda part, made: tiny.dotted(
        made,
        ("text_encoder.", "text_encoder_2.")[part],
        ".lora_linear_layer.down.weight",
        ".lora_linear_layer.up.weight",
    ),
    "diffusers with PEFT": lambda part, made: tiny.dotted(
        made, ("text_encoder.", "text_encoder_2.")[part], ".lora_A.weight", ".lora_B.weight"
    ),
}


@pytest.mark.parametrize("mode", ["merge", "runtime"])
@pytest.mark.parametrize("version", VERSION_NAMES)
@pytest.mark.parametrize("layout", TEXT_LAYOUTS)
def test_text_encoders_are_larger_by_what_the_file_holds(
    models: dict[str, LoadedCheckpoint], tmp_path: Path, layout: str, version: str, mode: Mode
) -> None:
    encoder: Any = models[version].text_encoder
    tensors: dict[str, Tensor] = {}
    exact = []
    for part, tower in enumerate(encoder.towers):
        made = tiny.factors(tower.network, lambda name: ".self_attn." in name or ".mlp." in name, seed=part)
        tensors |= TEXT_LAYOUTS[layout](part, made)
        network = ClipText(tower.network.config).eval()
        network.load_state_dict(tiny.merged(tower.network, made))
        exact.append(replace(tower, network=network))
    lora = load_lora(tiny.write(tmp_path / "a.safetensors", tensors))
    found = apply_lora_text(encoder, lora, 1.0, mode).encode(["a (red:1.2) apple", ""])
    wanted = replace(encoder, towers=tuple(exact)).encode(["a (red:1.2) apple", ""])
    assert (wanted.tokens - encoder.encode(["a (red:1.2) apple", ""]).tokens).abs().max() > 0.1
    assert (found.tokens - wanted.tokens).abs().max() <= 1e-4
    if wanted.pooled is not None:
        assert found.pooled is not None
        assert (found.pooled - wanted.pooled).abs().max() <= 1e-4


def test_a_text_encoder_is_peft_s(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin as Loader
    from transformers import CLIPTextConfig, CLIPTextModel

    encoder: Any = models["1"].text_encoder
    network = encoder.towers[0].network
    config = network.config
    other = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.width,
            intermediate_size=config.mlp_width,
            num_hidden_layers=config.depth,
            num_attention_heads=config.heads,
            max_position_embeddings=config.length,
        )
    ).eval()
    names = other.state_dict().keys()
    state = network.state_dict()
    other.load_state_dict({name: state[name if name in state else f"text_model.{name}"] for name in names}, strict=True)
    tensors = tiny.kohya("lora_te_", one_alpha(tiny.factors(network, tiny.self_attention)))
    unet_tensors = tiny.kohya("lora_unet_", one_alpha(tiny.factors(unet_of(models["1"].denoiser), tiny.attention)))
    path = tiny.write(tmp_path / "a.safetensors", tensors | unet_tensors)
    stored, alphas = Loader.lora_state_dict(
        tensors | unet_tensors, unet_config=theirs(unet_of(models["1"].denoiser).config).config
    )
    Loader.load_lora_into_text_encoder(stored, network_alphas=alphas, text_encoder=other)
    changed = apply_lora_text(encoder, load_lora(path))
    wanted = changed.towers[0].patched  # type: ignore[attr-defined]
    ids = torch.tensor([[49406, 320, 736, 3055, 49407]])
    with torch.no_grad():
        assert (wanted(ids).hidden - other(ids).last_hidden_state).abs().max() <= 1e-4
        assert (network(ids).hidden - other(ids).last_hidden_state).abs().max() > 1e-2


def test_tucker_kernels(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    denoiser = models["1"].denoiser
    unet = unet_of(denoiser)
    name = "input_blocks.1.0.in_layers.2"
    out, inner, *_ = unet.get_submodule(name).weight.shape  # type: ignore[union-attr, misc]
    made = torch.Generator().manual_seed(0)
    down, up = torch.randn(3, inner, 1, 1, generator=made), torch.randn(out, 2, 1, 1, generator=made)  # type: ignore[call-overload]
    mid = torch.randn(2, 3, 3, 3, generator=made)
    stem = f"lora_unet_{name.replace('.', '_')}"
    tensors = {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.lora_mid.weight": mid}
    with pytest.raises(Exception, match="factors of its layer"):
        load_lora(tiny.write(tmp_path / "ranks.safetensors", tensors))
    up, mid = torch.randn(out, 3, 1, 1, generator=made), torch.randn(3, 3, 3, 3, generator=made)  # type: ignore[call-overload]
    tensors |= {f"{stem}.lora_up.weight": up, f"{stem}.lora_mid.weight": mid}
    lora = load_lora(tiny.write(tmp_path / "a.safetensors", tensors))
    state = {key: each.clone() for key, each in unet.state_dict().items()}
    state[f"{name}.weight"] += torch.einsum("or,rskl,si->oikl", up.flatten(1), mid, down.flatten(1))
    exact = UNet(unet.config).eval()
    exact.load_state_dict(state)
    for mode in ("merge", "runtime"):
        found = output(apply_lora(denoiser, lora, 1.0, mode).patched, unet)  # type: ignore[arg-type]
        assert (found - output(exact, unet)).abs().max() <= 1e-4


@pytest.mark.parametrize("rslora", [False, True])
def test_alphas_in_the_metadata_of_diffusers(models: dict[str, LoadedCheckpoint], tmp_path: Path, rslora: bool) -> None:
    """As `save_lora_adapter` writes them; PEFT itself computes the expected scales."""
    from peft import LoraConfig

    denoiser = models["1"].denoiser
    other = reference(unet_of(denoiser))
    config = LoraConfig(
        r=4,
        lora_alpha=10,
        target_modules=["to_q", "to_k"],
        alpha_pattern={"attn2.to_k": 3},
        rank_pattern={"attn1.to_q": 2},
        use_rslora=rslora,
        init_lora_weights=False,
    )
    torch.manual_seed(0)
    other.add_adapter(config)  # type: ignore[operator]
    other.save_lora_adapter(tmp_path, weight_name="unet.safetensors")  # type: ignore[operator]
    lora = load_lora(tmp_path / "unet.safetensors")
    x, time, context, _ = inputs(unet_of(denoiser))
    with torch.no_grad():
        wanted = other(x, time, context).sample
    found = output(apply_lora(denoiser, lora).patched, unet_of(denoiser))
    assert (found - output(unet_of(denoiser), unet_of(denoiser))).abs().max() > 1e-3
    assert (found - wanted).abs().max() <= 1e-5 * max(1.0, float(wanted.abs().max()))


def test_numbered_layers_of_older_versions(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    """Older versions of diffusers visited the feed-forward layer between the attentions."""
    denoiser = models["1"].denoiser
    unet = unet_of(denoiser)
    made = tiny.factors(unet, lambda name: tiny.attention(name) or name.endswith(".ff.net.0.proj"))
    younger = tiny.cloneofsimo(reference(unet), tiny.diffusers_names(unet.config, made), "unet", ("Attention", "GEGLU"))
    count = len(younger) // 2 // 9
    older: dict[str, Tensor] = {}
    for block in range(count):
        first = 9 * block
        for place, number in enumerate([0, 1, 2, 3, 8, 4, 5, 6, 7]):
            for factor in ("up", "down"):
                older[f"unet:{first + place}:{factor}"] = younger[f"unet:{first + number}:{factor}"]
    found = [
        output(apply_lora(denoiser, load_lora(tiny.write(tmp_path / f"{i}.safetensors", each))).patched, unet)
        for i, each in enumerate((younger, older))
    ]
    assert torch.equal(*found)


def test_numbered_layers_read_back_bit_for_bit(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    unet = unet_of(models["1"].denoiser)
    made = tiny.without_alpha(tiny.factors(unet, tiny.attention, rank=4))
    tensors = tiny.cloneofsimo(reference(unet), tiny.diffusers_names(unet.config, made), "unet", ("Attention",))
    halves = {name: each.half() for name, each in tensors.items()}
    metadata = {"unet": ["CrossAttention", "Attention"], "unet:0:rank": "4", "<s1>": "<embed>"}
    path = tiny.write(tmp_path / "a.safetensors", halves | {"<s1>": torch.zeros(64)}, metadata)
    lora = load_lora(path)
    changed = apply_lora(models["1"].denoiser, lora)
    [patch] = changed.patches
    layers = patch.layers  # type: ignore[attr-defined]
    assert {name.removesuffix(".weight") for name in layers} == made.keys()
    for name, each in made.items():
        found = layers[f"{name}.weight"]
        assert torch.equal(found.up.half(), each.up.half())
        assert torch.equal(found.down.half(), each.down.half())
        assert found.scale == 1.0


def test_numbered_text_layers(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    encoder: Any = models["1"].text_encoder
    network = encoder.towers[0].network
    made = tiny.without_alpha(tiny.factors(network, tiny.self_attention))
    order = [
        f"text_model.encoder.layers.{layer}.self_attn.{each}"
        for layer in range(network.config.depth)
        for each in ("k_proj", "v_proj", "q_proj", "out_proj")
    ]
    tensors = {
        f"text_encoder:{number}:{factor}": getattr(made[name], factor)
        for number, name in enumerate(order)
        for factor in ("up", "down")
    }
    changed: Any = apply_lora_text(encoder, load_lora(tiny.write(tmp_path / "a.safetensors", tensors)))
    exact = ClipText(network.config).eval()
    exact.load_state_dict(tiny.merged(network, made))
    ids = torch.tensor([[49406, 320, 736, 3055, 49407]])
    assert (changed.towers[0].patched(ids).hidden - exact(ids).hidden).abs().max() <= 1e-5


def test_the_versions_differ() -> None:
    assert len({VERSIONS[name].unet for name in VERSION_NAMES}) == 3
