"""Half precision gives nearly the picture of float32, and values on wires stay float32."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodegraph.testing import local_context
from nodes.checkpoints.errors import DamagedWeights
from nodes.checkpoints.load import load_checkpoint
from nodes.conditioning.text import encode_text
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.latents import decode_latent, empty_latent, encode_image
from nodes.samplers.euler import euler
from nodes.samplers.sample import sample
from nodes.schedules.flow import flow_sigmas

from .tiny import tiny_weights, write_checkpoint

LIMITS = {"bfloat16": 0.06, "float16": 0.01}
"""Root mean square of the difference by the standard deviation. With four random models it was at most 0.03 and 0.005; a
number has 8 and 11 bits."""


def drawn(path: Path, precision: str) -> dict[str, Tensor]:
    """What is made on the way from a prompt to a picture and back to a latent."""
    model = load_checkpoint(path, local_context(path.parent, precision=precision))
    for network in (model.denoiser.network, model.text_encoder.network, model.autoencoder.network):  # type: ignore[attr-defined]
        assert {each.dtype for each in network.parameters()} == {getattr(torch, precision)}
    said = encode_text(model.text_encoder, ["a red apple", "cat"])
    guider = classifier_free_guidance(model.denoiser, said, scale=3.0)
    latent = sample(guider, euler(), flow_sigmas(6), empty_latent(model.denoiser, 16, 16), seed=3)
    picture = decode_latent(model.autoencoder, latent)
    return {
        "encoding": said.entries[0].encoding.tokens,
        "latent": latent.samples,
        "picture": picture.pixels,
        "again": encode_image(model.autoencoder, picture).samples,
    }


@pytest.fixture(scope="module")
def exact(tiny_checkpoint: Path) -> dict[str, Tensor]:
    with torch.no_grad():
        return drawn(tiny_checkpoint, "float32")


@pytest.mark.parametrize("precision", LIMITS)
@torch.no_grad()
def test_half_precision_is_close(tiny_checkpoint: Path, exact: dict[str, Tensor], precision: str) -> None:
    found = drawn(tiny_checkpoint, precision)
    for name, value in exact.items():
        assert found[name].dtype is torch.float32
        error = float((found[name] - value).square().mean().sqrt() / value.std())
        assert 1e-5 < error < LIMITS[precision], name


def test_weights_beyond_half_precision_are_refused(tmp_path: Path) -> None:
    tensors, metadata = tiny_weights()
    bias = "denoiser.patch_in.bias"
    path = write_checkpoint(tmp_path / "a.safetensors", tensors | {bias: tensors[bias].float() + 1e5}, metadata)
    for precision in ("float32", "bfloat16"):
        load_checkpoint(path, local_context(tmp_path, precision=precision))
    with pytest.raises(DamagedWeights, match=rf"{bias} hold NaN or infinite weights \(as float16\)"):
        load_checkpoint(path, local_context(tmp_path, precision="float16"))
