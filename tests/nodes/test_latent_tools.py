"""Latents made larger, repeated, cut and put together."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodegraph import InvalidInput
from nodes.latent_tools import composite_latents, crop_latent, repeat_latent, scale_latent, slerp
from nodes.types import Latent, LatentSpace, Mask

SPACE = LatentSpace(name="test", channels=4, downscale=8, scale=(1.0,) * 4, shift=(0.0,) * 4)


def latent(height: int = 6, width: int = 8, batch: int = 2, seed: int = 0) -> Latent:
    samples = torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(seed))
    return Latent(samples=samples, space=SPACE)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "bislerp"])
def test_sides_grow_by_the_factor_and_factor_1_changes_nothing(method: str) -> None:
    assert scale_latent(latent(), 1.5, method).samples.shape == (2, 4, 9, 12)  # type: ignore[arg-type]
    assert scale_latent(latent(), 0.5, method).samples.shape == (2, 4, 3, 4)  # type: ignore[arg-type]
    assert torch.equal(scale_latent(latent(), 1.0, method).samples, latent().samples)  # type: ignore[arg-type]


def test_bislerp_keeps_the_norm_where_bilinear_loses_it() -> None:
    samples = latent(16, 16).samples
    unit = Latent(samples=samples / samples.norm(dim=1, keepdim=True), space=SPACE)
    found = scale_latent(unit, 2.0, "bislerp").samples.norm(dim=1)
    torch.testing.assert_close(found, torch.ones_like(found), rtol=0, atol=1e-4)
    assert scale_latent(unit, 2.0, "bilinear").samples.norm(dim=1).mean() < 0.85


def test_bislerp_of_vectors_that_point_one_way_is_bilinear() -> None:
    lengths = torch.rand(1, 1, 5, 7, generator=torch.Generator().manual_seed(1)) + 0.5
    samples = lengths * torch.tensor([1.0, -2.0, 0.5, 3.0]).reshape(1, 4, 1, 1)
    found = scale_latent(Latent(samples=samples, space=SPACE), 2.0, "bislerp").samples
    torch.testing.assert_close(found, interpolate(samples, (10, 14), mode="bilinear"), rtol=1e-5, atol=1e-5)


def test_slerp_turns_evenly() -> None:
    def vector(degrees: float, length: float) -> Tensor:
        angle = torch.deg2rad(torch.tensor(degrees))
        return length * torch.stack([angle.cos(), angle.sin()]).reshape(1, 2, 1, 1)

    for part in (0.0, 0.25, 0.5, 1.0):
        found = slerp(vector(10.0, 1.0), vector(130.0, 3.0), torch.tensor([part]))
        torch.testing.assert_close(found, vector(10.0 + 120.0 * part, 1.0 + 2.0 * part))
    for other in (vector(190.0, 1.0), torch.zeros(1, 2, 1, 1), vector(10.0, 1.0)):
        found = slerp(vector(10.0, 1.0), other, torch.tensor([0.25]))
        torch.testing.assert_close(found, 0.75 * vector(10.0, 1.0) + 0.25 * other)


def test_latents_are_repeated_in_order() -> None:
    assert torch.equal(repeat_latent(latent(), 3).samples, torch.cat([latent().samples] * 3))


def test_a_part_is_cut_and_laid_back() -> None:
    part = crop_latent(latent(), 16, 8, 24, 40)
    assert torch.equal(part.samples, latent().samples[:, :, 1:6, 2:5])
    assert torch.equal(composite_latents(latent(), part, 16, 8).samples, latent().samples)
    found = composite_latents(latent(seed=1), part, 16, 8).samples
    assert torch.equal(found[:, :, 1:6, 2:5], part.samples)
    assert torch.equal(found[:, :, :1], latent(seed=1).samples[:, :, :1])
    for pixels, message in (((4, 0, 8, 8), "use 0 or 8"), ((0, 0, 72, 8), "72 pixels, the picture has 64")):
        with pytest.raises(InvalidInput, match=message):
            crop_latent(latent(), *pixels)


def test_what_reaches_beyond_the_edge_is_cut_off() -> None:
    found = composite_latents(latent(), latent(seed=1), 40, 32).samples
    assert torch.equal(found[:, :, 4:, 5:], latent(seed=1).samples[:, :, :2, :3])
    assert torch.equal(found[:, :, :4], latent().samples[:, :, :4])


def test_a_mask_says_what_shows() -> None:
    values = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(0))
    values[..., :2], values[..., 6:] = 0.0, 1.0
    below, above = latent(batch=1), latent(batch=3, seed=1)
    for mask in (values, values.repeat_interleave(8, 2).repeat_interleave(8, 3)):
        found = composite_latents(below, above, mask=Mask(values=mask)).samples
        assert torch.equal(found[..., :2], below.samples.expand(3, -1, -1, -1)[..., :2])
        assert torch.equal(found[..., 6:], above.samples[..., 6:])
        torch.testing.assert_close(found, values * above.samples + (1 - values) * below.samples)
