"""Rectangles that the network is shown as pictures of their own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from nodes.conditioning.composing import combine_conditionings
from nodes.conditioning.encodings import repeated
from nodes.conditioning.limits import limit_to_rectangle
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.guidance.entries import bounds
from nodes.types import Conditioning, Patch
from nodes.types.models import Call, Window

from .oracles import Affine, affine_denoiser, conditioning

SIGMA = torch.tensor(0.6, dtype=torch.float64)
X = torch.randn(2, 1, 4, 8, generator=torch.Generator().manual_seed(2))
A, B = conditioning(3), conditioning(5, seed=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Looking(Patch):
    """Keeps which parts of the picture the network was shown, and how large they were."""

    seen: list[tuple[Window, tuple[int, ...]]] = field(default_factory=list)

    def channels(self, call: Call) -> None:
        self.seen.append((call.window, tuple(call.x.shape)))


def halves(left: Conditioning, right: Conditioning) -> Conditioning:
    return combine_conditionings(
        [limit_to_rectangle(left, right=0.5, alone=True), limit_to_rectangle(right, left=0.5, alone=True)]
    )


def test_each_half_is_its_own_picture_and_is_told_its_place() -> None:
    looking = Looking()
    denoiser = affine_denoiser().patch(looking)
    found = classifier_free_guidance(denoiser, halves(A, B), None, 1.0).denoise(X, SIGMA)
    plain = affine_denoiser()
    for said, columns in ((A, slice(0, 4)), (B, slice(4, 8))):
        wanted = plain.denoise(X[..., columns].contiguous(), SIGMA, repeated(said.entries[0].encoding, 2))
        assert torch.equal(found[..., columns], wanted)
    assert [shape for _, shape in looking.seen] == [(2, 1, 4, 4)] * 2
    assert [(each.left, each.width, each.whole_width) for each, _ in looking.seen] == [(0, 4, 8), (4, 4, 8)]


def test_positive_and_negative_of_a_rectangle_go_through_the_network_together() -> None:
    denoiser = affine_denoiser()
    found = classifier_free_guidance(denoiser, halves(A, B), halves(B, A), 3.0).denoise(X, SIGMA)
    assert isinstance(denoiser.network, Affine)
    assert denoiser.network.batches == [4, 4]
    p, n = (
        classifier_free_guidance(denoiser, each, None, 1.0).denoise(X, SIGMA) for each in (halves(A, B), halves(B, A))
    )
    torch.testing.assert_close(found, n + 3.0 * (p - n), rtol=0, atol=1e-6)


def test_the_other_half_has_no_say() -> None:
    """Neither the text nor the latent of the right half reaches the left one."""
    found = classifier_free_guidance(affine_denoiser(), halves(A, B), None, 1.0).denoise(X, SIGMA)
    changed = torch.cat([X[..., :4], torch.full_like(X[..., 4:], 9.0)], dim=3)
    other = classifier_free_guidance(affine_denoiser(), halves(A, conditioning(2, seed=9)), None, 1.0)
    assert torch.equal(other.denoise(changed, SIGMA)[..., :4], found[..., :4])


def test_the_whole_alone_is_the_whole() -> None:
    said = limit_to_rectangle(A, alone=True)
    assert said.entries[0].whole
    assert not said.entries[0].alone
    wanted: Tensor = classifier_free_guidance(affine_denoiser(), A, None, 1.0).denoise(X, SIGMA)
    assert torch.equal(classifier_free_guidance(affine_denoiser(), said, None, 1.0).denoise(X, SIGMA), wanted)


def test_what_the_network_is_shown_has_sides_that_it_takes() -> None:
    looking = Looking()
    denoiser = replace(affine_denoiser(), multiple=2).patch(looking)
    said = limit_to_rectangle(A, left=0.3, right=0.45, top=0.1, bottom=0.6, alone=True)
    assert limit_to_rectangle(said, left=0.3).entries[0].alone
    classifier_free_guidance(denoiser, said, None, 1.0).denoise(X, SIGMA)
    window = looking.seen[0][0]
    assert (window.top, window.left, window.height, window.width) == (0, 2, 2, 2)
    assert bounds((0.0, 0.99, 1.0, 1.0), 4, 8, 4) == Window(
        top=0, left=4, height=4, width=4, whole_height=4, whole_width=8
    )
