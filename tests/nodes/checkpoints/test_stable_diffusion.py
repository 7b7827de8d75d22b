"""Single files of Stable Diffusion: what they are, their weights against diffusers, and what can be wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from nodegraph.spec import SpecContext
from nodes.checkpoints import errors, specs, weights
from nodes.checkpoints.header import read_header
from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint
from nodes.conditioning.clip import ClipTextEncoder
from nodes.conditioning.text import encode_text
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.latents import decode_latent, empty_latent
from nodes.parameterisations import Epsilon, Velocity
from nodes.samplers.euler import euler
from nodes.samplers.sample import sample
from nodes.schedules.scheduler import scheduler_sigmas

from ..tiny_sd import AUTOENCODER, OPENCLIP, VERSIONS, networks, original_tensors, write_sd


def loaded(tmp_path: Path, version: str) -> LoadedCheckpoint:
    return load_checkpoint(write_sd(tmp_path / "model.safetensors", version))


@pytest.mark.parametrize("version", VERSIONS)
def test_loaded_weights_are_those_of_the_file(tmp_path: Path, version: str) -> None:
    model = loaded(tmp_path, version)
    unet, vae, towers = networks(version)
    encoder = model.text_encoder
    assert isinstance(encoder, ClipTextEncoder)
    found = [model.denoiser.network, model.autoencoder.network, *(tower.network for tower in encoder.towers)]  # type: ignore[attr-defined]
    for network, wanted in zip(found, [unet, vae, *towers], strict=True):
        assert network.config == wanted.config
        state = network.state_dict()
        assert state.keys() == wanted.state_dict().keys()
        assert all(torch.equal(state[name], value) for name, value in wanted.state_dict().items())


@pytest.mark.parametrize("version", ["1", "2", "XL", "XL refiner"])
def test_it_samples_end_to_end(tmp_path: Path, version: str) -> None:
    model = loaded(tmp_path, version)
    positive = encode_text(model.text_encoder, "a (red:1.3) fox")
    guider = classifier_free_guidance(model.denoiser, positive, None, 5.0)
    sigmas = scheduler_sigmas(model.denoiser, "karras", 3)
    latent = sample(guider, euler(), sigmas, empty_latent(model.denoiser, 72, 64), 3)
    image = decode_latent(model.autoencoder, latent)
    assert image.pixels.shape == (1, 3, 64, 72)
    assert image.pixels.std() > 0.01


@pytest.mark.parametrize("version", VERSIONS)
def test_the_header_alone_tells_what_loading_gives(tmp_path: Path, version: str) -> None:
    path = write_sd(tmp_path / "model.safetensors", version)
    found = specs.load_checkpoint(path, SpecContext(precision="bfloat16"))
    model = load_checkpoint(path)
    assert found.outputs["denoiser"].config == VERSIONS[version].unet
    assert found.outputs["denoiser"].space.scale == model.denoiser.space.scale
    assert found.outputs["denoiser"].parameters == sum(each.numel() for each in model.denoiser.network.parameters())
    [facts] = found.models
    assert facts.precision == "float32"


def test_the_unet_is_renamed_as_diffusers_does_it(tmp_path: Path) -> None:
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    from nodes.checkpoints.unet_names import renamed, unet_modules

    for version in ("1", "2", "XL"):
        config = VERSIONS[version].unet
        names = unet_modules(config)
        tensors = original_tensors(version)
        levels = len(config.multipliers)
        options: dict[str, Any] = {
            "layers_per_block": config.res_blocks,
            "down_block_types": ["x"] * levels,
            "up_block_types": ["x"] * levels,
            "class_embed_type": None,
            "addition_embed_type": "text_time" if config.vector_width else None,
        }
        theirs = convert_ldm_unet_checkpoint(dict(tensors), options)
        prefix = "model.diffusion_model."
        ours = {
            renamed(names, name.removeprefix(prefix)): value
            for name, value in tensors.items()
            if name.startswith(prefix)
        }
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(theirs[name], value) for name, value in ours.items() if name is not None)


def test_remains_of_training_are_passed_over(tmp_path: Path) -> None:
    path = write_sd(
        tmp_path / "a.safetensors",
        model_ema__decay=torch.zeros(()),
        betas=torch.zeros(10),
        alphas_cumprod=torch.zeros(10),
        cond_stage_model__transformer__text_model__embeddings__position_ids=torch.arange(77)[None],
        first_stage_model__loss__logvar=torch.zeros(()),
    )
    assert load_checkpoint(path).denoiser.parameterisation == Epsilon()


def test_text_encoders_of_early_tools_lack_a_part_of_the_name(tmp_path: Path) -> None:
    tensors = {
        name.replace("transformer.text_model.", "transformer."): value for name, value in original_tensors("1").items()
    }
    save_file(tensors, tmp_path / "a.safetensors")
    a = load_checkpoint(tmp_path / "a.safetensors").text_encoder.encode(["a fox"])
    b = loaded(tmp_path, "1").text_encoder.encode(["a fox"])
    assert torch.equal(a.tokens, b.tokens)


def test_xl_says_that_it_predicts_velocities(tmp_path: Path) -> None:
    path = write_sd(tmp_path / "a.safetensors", "XL", v_pred=torch.zeros(0))
    assert load_checkpoint(path).denoiser.parameterisation == Velocity()
    assert specs.load_checkpoint(path, SpecContext()).outputs["denoiser"].prediction == "v"


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_halves_are_converted_once(tmp_path: Path, precision: str) -> None:
    dtype = getattr(torch, precision)
    save_file({name: value.to(dtype) for name, value in original_tensors("1").items()}, tmp_path / "half.safetensors")
    whole, half = loaded(tmp_path, "1"), load_checkpoint(tmp_path / "half.safetensors")
    for name, value in whole.denoiser.network.state_dict().items():
        assert torch.equal(half.denoiser.network.state_dict()[name], value.to(dtype).float())


# what can be wrong

Changes = dict[str, Tensor | None]

WRONG: dict[str, tuple[Changes, type[Exception], str]] = {
    "a tensor more": (
        {"model.diffusion_model.more.weight": torch.zeros(1)},
        errors.UnknownTensors,
        r"more\.weight, which Stable Diffusion .* does not have",
    ),
    "a tensor less": (
        {"model.diffusion_model.out.2.bias": None},
        errors.MissingTensors,
        r"lacks model\.diffusion_model\.out\.2\.bias",
    ),
    "not a number": (
        {"model.diffusion_model.out.2.bias": torch.full((4,), float("nan"))},
        errors.DamagedWeights,
        r"out\.2\.bias hold NaN",
    ),
    "another shape": (
        {"model.diffusion_model.out.2.bias": torch.zeros(5)},
        errors.WrongShapes,
        r"out\.2\.bias \[5\] \(not \[4\]\)",
    ),
    "no level": (
        {"model.diffusion_model.input_blocks.1.0.out_layers.3.weight": None},
        errors.InvalidMatch,
        "residual blocks",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_broken_file_says_what_is_broken(tmp_path: Path, name: str) -> None:
    changes, kind, message = WRONG[name]
    tensors = {**original_tensors("1"), **changes}
    save_file({each: value for each, value in tensors.items() if value is not None}, tmp_path / "a.safetensors")
    with pytest.raises(kind, match=message):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize(("part", "word"), [("first_stage_model.", "no autoencoder"), ("cond_stage", "no text enc")])
def test_a_file_without_all_models_says_so(tmp_path: Path, part: str, word: str) -> None:
    save_file({n: v for n, v in original_tensors("1").items() if not n.startswith(part)}, tmp_path / "a.safetensors")
    with pytest.raises(errors.MissingTensors, match=f"{word}.*load_denoiser"):
        load_checkpoint(tmp_path / "a.safetensors")


OTHERS = {
    "a LoRA": {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": torch.zeros(4, 8)},
    "an autoencoder": {name.removeprefix("first_stage_model."): value for name, value in original_tensors("1").items() if name.startswith("first_stage_model.")},
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_another_kind_of_file_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    save_file(OTHERS[kind], tmp_path / "a.safetensors")
    with pytest.raises(errors.UnknownFamily, match=f"it is {kind}"):
        load_checkpoint(tmp_path / "a.safetensors")


# mapped files


def test_equal_weights_stay_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAPPED_FROM", 0)
    path = write_sd(tmp_path / "a.safetensors")
    mapped, copied = load_checkpoint(path).denoiser.network, networks("1")[0]
    assert all(torch.equal(value, copied.state_dict()[name]) for name, value in mapped.state_dict().items())
    lines = Path("/proc/self/smaps").read_text()
    assert str(path) in lines


@pytest.mark.parametrize("how", ["overwritten", "cut off"])
def test_a_mapped_file_that_changes_is_noticed_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(weights, "MAPPED_FROM", 0)
    path = write_sd(tmp_path / "a.safetensors")
    model = load_checkpoint(path)
    conditioning = encode_text(model.text_encoder, "a fox")
    guider = classifier_free_guidance(model.denoiser, conditioning, None, 2.0)
    x, sigma = torch.zeros(1, 4, 8, 8), torch.tensor(1.0, dtype=torch.float64)
    guider.denoise(x, sigma)
    content = path.read_bytes()
    with path.open("r+b") as file:
        if how == "overwritten":
            file.write(bytes(len(content)))
        else:
            file.truncate(1000)
    with pytest.raises(errors.CheckpointChanged, match="written to while its model was in use; run again"):
        guider.denoise(x, sigma)
    with pytest.raises(errors.CheckpointChanged):
        decode_latent(model.autoencoder, empty_latent(model.autoencoder, 32, 32))
    with pytest.raises(errors.CheckpointChanged):
        encode_text(model.text_encoder, "a dog")


def test_a_mapped_file_may_be_replaced_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAPPED_FROM", 0)
    path = write_sd(tmp_path / "a.safetensors")
    model = load_checkpoint(path)
    before = {name: value.clone() for name, value in model.denoiser.network.state_dict().items()}
    write_sd(tmp_path / "b.safetensors", model_ema__decay=torch.zeros(())).replace(path)
    encode_text(model.text_encoder, "a fox")
    assert all(torch.equal(value, before[name]) for name, value in model.denoiser.network.state_dict().items())


def test_shapes_of_the_tiny_files(tmp_path: Path) -> None:
    header = read_header(write_sd(tmp_path / "a.safetensors", "XL"))
    assert header.tensors["conditioner.embedders.1.model.text_projection"].shape == (OPENCLIP.width, 64)
    assert AUTOENCODER.downscale == 8
