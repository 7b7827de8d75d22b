"""Autoencoders from files of their own: layouts, spaces, dtypes, and files that are not what they should be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodegraph.spec import SpecContext
from nodegraph.testing import local_context
from nodes.checkpoints import autoencoder_specs, errors
from nodes.checkpoints.autoencoder import load_autoencoder
from nodes.checkpoints.families.ldm_autoencoder_parts import LdmKLAutoencoder
from nodes.models.ldm_autoencoder import LdmAutoencoder

from ..ldm_autoencoders import TINY, diffusers_state, ldm_state, write_autoencoder


def as_matrices(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: each.flatten(1) if ".attn_1." in name and each.ndim == 4 else each for name, each in state.items()}


def as_convolutions(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n: t[:, :, None, None] if "attentions" in n and t.ndim == 2 else t for n, t in state.items()}


LAYOUTS = {
    "original": lambda s: s,
    "with a prefix": lambda s: {f"first_stage_model.{name}": each for name, each in s.items()},
    "with a prefix and what training left": lambda s: (
        {f"first_stage_model.{name}": each for name, each in s.items()} | {"model_ema.decay": torch.zeros(())}
    ),
    "with what training left": lambda s: (
        s | {"loss.logvar": torch.zeros(()), "loss.discriminator.main.0.weight": torch.zeros(2, 3, 4, 4)}
        | {"model_ema.decay": torch.zeros(()), "model_ema.num_updates": torch.tensor(3)}
    ),
    "attention as matrices": as_matrices,
    "diffusers": diffusers_state,
    "diffusers of old": lambda s: as_convolutions(diffusers_state(s, "query")),
    "diffusers of old, matrices": lambda s: diffusers_state(s, "query"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_layouts_give_the_same_autoencoder(tmp_path: Path, layout: str) -> None:
    state = ldm_state()
    plain = LdmAutoencoder(TINY).eval()
    plain.load_state_dict(state)
    found = load_autoencoder(write_autoencoder(tmp_path / "a.safetensors", LAYOUTS[layout](state)))
    assert isinstance(found, LdmKLAutoencoder)
    assert all(torch.equal(found.network.state_dict()[name], value) for name, value in state.items())
    assert found.network.encoder.conv_out.weight.is_contiguous(memory_format=torch.channels_last)
    pixels = torch.rand(2, 3, 16, 24)
    with torch.no_grad():
        expected = plain.encode(2 * pixels - 1)[0] * 0.18215
        latent = found.encode(pixels)
        torch.testing.assert_close(latent, expected, atol=1e-5, rtol=1e-5)
        image = (plain.decode(latent / 0.18215) / 2 + 0.5).clamp(0, 1)
        torch.testing.assert_close(found.decode(latent), image, atol=1e-5, rtol=1e-5)


def test_the_space_is_told() -> None:
    for space, scale in (("sd", 0.18215), ("sdxl", 0.13025)):
        about = autoencoder_specs.latent_space(space, TINY)  # type: ignore[arg-type]
        assert (about.name, about.scale, about.shift, about.downscale) == (space, (scale,) * 4, (0.0,) * 4, 2)


@pytest.mark.parametrize(
    ("space", "precision", "computed"),
    [("sd", "float16", "float16"), ("sdxl", "float16", "bfloat16"), ("sdxl", "float32", "float32")],
)
def test_the_autoencoder_of_xl_never_computes_in_float16(
    tmp_path: Path, space: str, precision: str, computed: str
) -> None:
    path = write_autoencoder(tmp_path / "a.safetensors")
    ctx = local_context(tmp_path, precision=precision)
    found = load_autoencoder(path, space, ctx)  # type: ignore[arg-type]
    assert isinstance(found, LdmKLAutoencoder)
    assert str(next(found.network.parameters()).dtype) == f"torch.{computed}"
    pixels = torch.rand(1, 3, 16, 24)
    full = load_autoencoder(path, space)  # type: ignore[arg-type]
    torch.testing.assert_close(found.encode(pixels), full.encode(pixels), atol=0.05, rtol=0.05)
    latent = full.encode(pixels)
    assert found.decode(latent).dtype is torch.float32
    torch.testing.assert_close(found.decode(latent), full.decode(latent), atol=0.05, rtol=0.0)
    predicted = autoencoder_specs.load_autoencoder(path, space, SpecContext(precision=precision))  # type: ignore[arg-type]
    assert computed in str(predicted.outputs["autoencoder"])


def without(state: dict[str, Tensor], *names: str) -> dict[str, Tensor]:
    return {name: each for name, each in state.items() if name not in names}


def broken(name: str, value: float) -> dict[str, Tensor]:
    state = ldm_state()
    state[name] = state[name].clone()
    state[name].view(-1)[0] = value
    return state


WRONG = {
    "missing": (lambda: without(ldm_state(), "decoder.norm_out.bias"), errors.MissingTensors, "lacks decoder.norm_out"),
    "extra": (lambda: ldm_state() | {"encoder.extra": torch.zeros(1)}, errors.UnknownTensors, "encoder.extra"),
    "half a quant convolution": (
        lambda: without(ldm_state(), "post_quant_conv.weight"), errors.MissingTensors, "post_quant_conv.weight"
    ),
    "no decoder": (
        lambda: {name: each for name, each in ldm_state().items() if name.startswith("encoder.")},
        errors.InvalidMatch, "lacks decoder.conv_in.weight",
    ),
    "shape": (
        lambda: ldm_state() | {"encoder.conv_out.weight": torch.zeros(7, 64, 3, 3)},
        errors.WrongShapes, r"encoder.conv_out.weight \[7, 64, 3, 3\] \(not \[8, 64, 3, 3\]\)",
    ),
    "integers": (
        lambda: ldm_state() | {"encoder.conv_out.bias": torch.zeros(8, dtype=torch.int32)},
        errors.WrongDtypes, "encoder.conv_out.bias as int32",
    ),
    "nan": (lambda: broken("decoder.conv_in.bias", float("nan")), errors.DamagedWeights, "decoder.conv_in.bias"),
    "infinite": (lambda: broken("decoder.conv_in.bias", float("inf")), errors.DamagedWeights, "decoder.conv_in.bias"),
    "prefixed": (
        lambda: {f"first_stage_model.{n}": t for n, t in without(ldm_state(), "quant_conv.bias").items()},
        errors.MissingTensors, "first_stage_model.quant_conv.bias",
    ),
    "diffusers, missing": (
        lambda: without(diffusers_state(ldm_state()), "encoder.mid_block.attentions.0.to_out.0.bias"),
        errors.MissingTensors, "to_out.0.bias",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_an_autoencoder_is_said(tmp_path: Path, name: str) -> None:
    state, kind, message = WRONG[name]
    path = write_autoencoder(tmp_path / "a.safetensors", state())
    with pytest.raises(kind, match=message) as caught:
        load_autoencoder(path)
    assert type(caught.value) is kind


def test_a_file_that_ends_early(tmp_path: Path) -> None:
    path = write_autoencoder(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(errors.TruncatedCheckpoint, match="100 of"):
        load_autoencoder(path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["lora_unet_mid_block.lora_up.weight"], r"it is a LoRA \(kohya layout\), no autoencoder"),
        (
            ["model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.encoder.down.0.block.0.conv1.weight"],
            "it is a whole checkpoint of .*, no autoencoder.*load_checkpoint",
        ),
        (["control_model.time_embed.0.weight"], "it is a ControlNet"),
    ],
)
def test_another_kind_of_file_is_named(tmp_path: Path, names: list[str], message: str) -> None:
    path = write_autoencoder(tmp_path / "a.safetensors", {name: torch.zeros(4, 4, 1, 1) for name in names})
    for call in (
        lambda: load_autoencoder(path),
        lambda: autoencoder_specs.load_autoencoder(path, "sd", SpecContext()),
    ):
        with pytest.raises(InvalidInput, match=message):
            call()


def test_planning_needs_no_torch(tmp_path: Path) -> None:
    path = write_autoencoder(tmp_path / "a.safetensors")
    code = (
        "import sys, pathlib; from nodegraph.spec import SpecContext;"
        "from nodes.checkpoints.autoencoder_specs import load_autoencoder;"
        "import nodes.tiled_specs, nodes.checkpoints.sources;"
        "print(load_autoencoder(pathlib.Path(sys.argv[1]), 'sd', SpecContext()).outputs['autoencoder']);"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "autoencoder of 'sd'" in done.stdout
