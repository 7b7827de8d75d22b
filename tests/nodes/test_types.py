from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from nodegraph.ports.codec.decoding import decode
from nodegraph.ports.codec.encoding import encode
from nodegraph.ports.codec.hashing import content_hash
from nodes.schedules.flow import flow_sigmas
from nodes.types import BrokenContract, Conditioning, Encoding, Image, Latent, LatentSpace, Mask, Sigmas

from .oracles import SPACE, affine_denoiser, conditioning

NAN = float("nan")
SOUND = torch.full((2, 3, 5, 7), 0.5)
F64 = torch.float64

BROKEN: dict[str, tuple[Callable[[], object], str]] = {
    "bytes": (lambda: Image(pixels=SOUND.to(torch.uint8)), "its dtype is torch.uint8, not float32"),
    "no tensor": (lambda: Image(pixels=[1.0]), "it is list, no tensor"),  # type: ignore[arg-type]
    "rank": (lambda: Image(pixels=SOUND[0]), "has 3 axes"),
    "empty": (lambda: Image(pixels=SOUND[:0]), "empty axis"),
    "last axis": (lambda: Image(pixels=SOUND.permute(0, 2, 3, 1)), "5 is none of .* on axis 1"),
    "two channels": (lambda: Image(pixels=SOUND[:, :2]), "2 is none of 1, 3, 4"),
    "range": (lambda: Image(pixels=SOUND * 2 + 1e-3), r"span \[1.001, 1.001\]"),
    "negative": (lambda: Image(pixels=SOUND - 1), "clamp them"),
    "nan": (lambda: Image(pixels=SOUND.clone().index_fill_(0, torch.tensor([1]), NAN)), "105 of 210 elements are NaN"),
    "infinite": (lambda: Latent(samples=torch.full((1, 1, 2, 2), torch.inf), space=SPACE), "4 of 4 elements"),
    "gradient": (lambda: Image(pixels=SOUND.clone().requires_grad_()), "detach"),
    "device": (lambda: Image(pixels=SOUND.to("meta")), "lies on meta"),
    "mask channels": (lambda: Mask(values=SOUND), "a mask has exactly one"),
    "latent channels": (lambda: Latent(samples=SOUND, space=SPACE), "its space 'test' has 1"),
    "scale zero": (lambda: replace(SPACE, scale=(0.0,)), "holds a zero"),
    "scale length": (lambda: replace(SPACE, scale=(1.0, 1.0)), "does not fit 1 channels"),
    "preview": (lambda: replace(SPACE, preview=((1.0, 1.0, 1.0),)), "it needs 2"),
    "no zero": (lambda: Sigmas.of([3, 2, 1]), "append an explicit 0"),
    "rising": (lambda: Sigmas.of([3, 1, 2, 0]), r"levels 1 and 2 \(1.0, 2.0\) do not descend"),
    "repeat": (lambda: Sigmas.of([3, 3, 0]), "levels 0 and 1"),
    "no step": (lambda: Sigmas.of([0]), "no step"),
    "float32": (lambda: Sigmas(values=torch.tensor([1.0, 0.0])), "not float64"),
    "nan level": (lambda: Sigmas.of([3, NAN, 0]), "NaN"),
    "no entry": (lambda: Conditioning(entries=()), "there is none"),
    "no token": (
        lambda: Encoding(tokens=torch.zeros(1, 2, 3), mask=torch.zeros(1, 2, dtype=torch.bool)),
        "no token at all",
    ),
    "mask shape": (
        lambda: Encoding(tokens=torch.zeros(1, 2, 3), mask=torch.ones(1, 3, dtype=torch.bool)),
        "disagree",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_contract_is_named(name: str) -> None:
    make, message = BROKEN[name]
    with pytest.raises(BrokenContract, match=message):
        make()


def test_portable_values_go_through_bytes() -> None:
    draw = torch.Generator().manual_seed(0)
    values = [
        Image(pixels=torch.rand(1, 4, 2, 3, generator=draw)),
        Latent(samples=torch.randn(1, 1, 2, 2, generator=draw), space=SPACE),
        conditioning(2, 3),
        flow_sigmas(7, 3.0),
        Mask(values=torch.rand(1, 1, 2, 2, generator=draw)),
        SPACE,
    ]
    for value in values:
        assert content_hash(decode(encode(value))) == content_hash(value)
    assert len({content_hash(value) for value in values}) == len(values)


def test_handles_are_frozen_and_share_weights() -> None:
    denoiser = affine_denoiser()
    with pytest.raises(FrozenInstanceError):
        denoiser.space = SPACE  # type: ignore[misc]
    assert replace(denoiser, multiple=2).network is denoiser.network
    assert content_hash(denoiser) == content_hash(affine_denoiser())
    assert content_hash(denoiser) != content_hash(affine_denoiser("x0"))


def test_a_space_normalises_per_channel_and_back() -> None:
    space = LatentSpace(name="s", channels=2, downscale=8, scale=(2.0, 0.5), shift=(1.0, -1.0))
    raw = torch.tensor([3.0, 5.0]).reshape(1, 2, 1, 1)
    assert space.normalise(raw).flatten().tolist() == [4.0, 3.0]
    assert torch.equal(space.denormalise(space.normalise(raw)), raw)
    assert space == replace(space, preview=((0.0,) * 3,) * 3)
    assert space != replace(space, scale=(2.0, 0.6))
