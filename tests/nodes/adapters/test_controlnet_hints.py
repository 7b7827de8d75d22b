"""Hints: how they reach a ControlNet, of whichever size, number and kind, and for a part of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodes.adapters.apply_controlnet import apply_controlnet
from nodes.adapters.controlnet import ControlNet, ControlPatch, fitted
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.types import Conditioning, Denoiser, Entry, Image
from nodes.types.models import Window

from ..tiny_controlnet import (
    Counted,
    counted,
    denoised,
    encoding,
    hint,
    latent,
    sigma_at,
    tiny_controlnet,
    tiny_denoiser,
)


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def test_hints_reach_the_network_as_they_are() -> None:
    base = tiny_denoiser()
    control, network = counted()
    picture = hint()
    before = picture.pixels.clone()
    denoiser = apply_controlnet(base, control, picture)
    denoised(denoiser)
    denoised(denoiser)
    [seen] = network.hints  # read once
    assert torch.equal(seen, before)
    assert torch.equal(picture.pixels, before)
    denoised(apply_controlnet(base, replace(control, bgr=True), picture))
    assert torch.equal(network.hints[-1], before.flip(1))


def test_grey_and_transparent_hints_become_rgb() -> None:
    base = tiny_denoiser()
    control, network = counted()
    grey = torch.rand(1, 1, 64, 96)
    denoised(apply_controlnet(base, control, Image(pixels=grey)))
    assert torch.equal(network.hints[-1], grey.expand(-1, 3, -1, -1))
    denoised(apply_controlnet(base, control, Image(pixels=torch.cat([grey] * 3 + [torch.zeros_like(grey)], dim=1))))
    assert bool((network.hints[-1] == 1.0).all())


def test_a_hint_for_each_picture_goes_to_both_branches() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    several = hint(2)
    said, other = encoding(batch=2), encoding(batch=2, seed=5)
    x, sigma = latent(2) * 3.0, sigma_at(base, 400.0)[0]

    def guided(denoiser: Denoiser, items: slice) -> Tensor:
        positive, negative = (Conditioning(entries=(Entry(encoding=each[items]),)) for each in (said, other))
        return classifier_free_guidance(denoiser, positive, negative, 3.0).denoise(x[items], sigma)

    found = guided(apply_controlnet(base, control, several), slice(0, 2))
    for index in (0, 1):
        one = Image(pixels=several.pixels[index : index + 1])
        alone = guided(apply_controlnet(base, control, one), slice(index, index + 1))
        assert (found[index] - alone[0]).abs().max() <= 1e-4
    with pytest.raises(InvalidInput, match="a batch of 2"):
        denoised(apply_controlnet(base, control, hint(3)))


def test_hints_of_another_size() -> None:
    base = tiny_denoiser()
    control, network = counted()
    wide = hint(1, 32, 96)
    with pytest.raises(InvalidInput, match=r"96 x 32.*96 x 64 pixels"):
        denoised(apply_controlnet(base, control, wide, fit="exact"))
    assert network.hints == []
    for fit in ("crop", "stretch"):
        denoised(apply_controlnet(base, control, wide, fit=fit))  # type: ignore[arg-type]
        assert network.hints[-1].shape == (1, 3, 64, 96)
    ramp = torch.linspace(0, 1, 60).expand(1, 3, 20, 60)
    cut = fitted(ramp, 20, 20, "crop")
    assert torch.allclose(cut, ramp[:, :, :, 20:40], atol=1e-6)
    squeezed = fitted(ramp, 20, 20, "stretch")
    assert squeezed[..., 0].max() < 0.05 and squeezed[..., -1].min() > 0.95
    assert fitted(ramp, 60, 20, "exact") is ramp


def test_another_size_of_the_picture_reads_the_hint_anew() -> None:
    base = tiny_denoiser()
    control, network = counted()
    denoiser = apply_controlnet(base, control, hint())
    denoised(denoiser)
    denoised(denoiser, height=4, width=4)
    assert [tuple(each.shape[2:]) for each in network.hints] == [(64, 96), (32, 32)]


def test_a_window_gets_its_part_of_the_hint() -> None:
    base, (control, network) = tiny_denoiser(), counted()
    denoiser = apply_controlnet(base, control, hint())
    window = Window(top=2, left=4, height=4, width=8, whole_height=8, whole_width=12)
    x, sigma, said = latent() * 3.0, sigma_at(base, 400.0)[0], encoding()
    found = denoiser.denoise(window.cut(x), sigma, said, window)
    assert [tuple(each.shape[2:]) for each in network.hints] == [(64, 96)]
    [patch] = denoiser.patches
    assert isinstance(patch, ControlPatch)
    part = patch.guided[64, 96][:, :, 2:6, 4:12].expand(2, -1, -1, -1)

    class Elsewhere(Counted):
        def read(self, given: Tensor) -> Tensor:
            return part[:1]

    other: Any = Elsewhere(network.network)
    alone = apply_controlnet(base, ControlNet(network=other), hint(1, 32, 64))
    assert torch.equal(found, alone.denoise(window.cut(x), sigma, said))
