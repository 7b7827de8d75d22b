"""LoRA files of every layout give the deltas that they hold, and what diffusers and PEFT compute with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodes.adapters.apply_lora import apply_lora, apply_lora_text, load_lora
from nodes.adapters.lora import Mode
from nodes.checkpoints.load import LoadedCheckpoint
from nodes.models.clip_text import ClipText
from nodes.models.unet import UNet

from .. import tiny_lora as tiny
from ..models.test_unet import theirs
from ..tiny_sd import VERSIONS
from .references import VERSION_NAMES, clip_reference, inputs, output, reference, unet_of

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
    "kohya, one encoder": lambda part, made: tiny.kohya(("lora_te_", "lora_te2_")[part], made),
    "diffusers": lambda part, made: tiny.dotted(
        made,
        ("text_encoder.", "text_encoder_2.")[part],
        ".lora_linear_layer.down.weight",
        ".lora_linear_layer.up.weight",
    ),
    "diffusers with PEFT": lambda part, made: tiny.dotted(
        made, ("text_encoder.", "text_encoder_2.")[part], ".lora_A.weight", ".lora_B.weight"
    ),
    "transformers 5": lambda part, made: tiny.dotted(
        {name.removeprefix("text_model."): each for name, each in made.items()},
        ("text_encoder.", "text_encoder_2.")[part],
        ".lora_A.weight",
        ".lora_B.weight",
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

    encoder: Any = models["1"].text_encoder
    network = encoder.towers[0].network
    other = clip_reference(network)
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


def test_the_versions_differ() -> None:
    assert len({VERSIONS[name].unet for name in VERSION_NAMES}) == 3
