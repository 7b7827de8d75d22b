"""Sampling a part of a picture: what a mask keeps is put back at every evaluation, whatever the sampler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..schedules.noise import NoiseSchedule
from ..types import Mask
from ..types.models import column
from .specs import check_mask

Masking = Literal["soft", "differential"]
"""See `Masked`."""


class Masked:
    """A denoise function for the part of a picture that is made anew; a `Denoise` itself.

    At each evaluation x is m x + (1 - m) (a x0 + s eps), and what is given m D + (1 - m) x0: x0 is the original, eps
    the noise of the start. soft: m is the mask. differential: m is 1 from the moment on when the part of the grid that
    is left is no more than the mask, and 0 before; Levin & Fried 2023, section 3.

    mask: 1 is made anew, 0 stays. sigmas: the whole grid.
    """

    def __init__(
        self,
        inner: Callable[[Tensor, Tensor], Tensor],
        schedule: NoiseSchedule,
        original: Float[Tensor, "batch c h w"],
        noise: Float[Tensor, "batch c h w"],
        mask: Float[Tensor, "masks 1 h w"],
        masking: Masking,
        sigmas: Float64[Tensor, " levels"],
    ) -> None:
        self._inner, self._schedule, self._original, self._noise = inner, schedule, original, noise
        self._mask, self._masking, self._sigmas = mask, masking, sigmas

    @property
    def schedule(self) -> NoiseSchedule:
        """Of the model."""
        return self._schedule

    def __call__(self, x: Tensor, sigma: Float64[Tensor, ""]) -> Tensor:
        """One evaluation."""
        mask = self._mask if self._masking == "soft" else released(self._mask, self._sigmas, sigma)
        known = noised(self._original, self._noise, sigma, self._schedule)
        return mixed(mask, self._inner(mixed(mask, x, known), sigma), self._original)

    def restored(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        """The end of a sampling, exact to the bit where the mask is 0."""
        return torch.where(self._mask == 0.0, self._original, x)


def noised(latent: Tensor, noise: Tensor, sigma: Float64[Tensor, ""], schedule: NoiseSchedule) -> Tensor:
    """Signal and noise mixed as at level sigma: a x0 + s eps."""
    return column(schedule.signal(sigma), latent) * latent + column(schedule.noise(sigma), latent) * noise


def mixed(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """m new + (1 - m) old, exact to the bit where m is 0 or 1."""
    blend = mask * new + (1.0 - mask) * old
    return torch.where(mask == 1.0, new, torch.where(mask == 0.0, old, blend))


def released(
    mask: Float[Tensor, "masks 1 h w"], sigmas: Float64[Tensor, " levels"], sigma: Float64[Tensor, ""]
) -> Float[Tensor, "masks 1 h w"]:
    """1 where the mask is above 0 and at least the part of the grid's steps that is left at `sigma`, else 0.

    What is 1 at one level is 1 at all lower ones. Between two levels of the grid steps count linearly in sigma.
    """
    steps = len(sigmas) - 1
    i = int((sigmas[1:-1] >= sigma).sum())
    within = float(((sigmas[i] - sigma) / (sigmas[i] - sigmas[i + 1])).clamp(0.0, 1.0))
    left = (steps - i - within) / steps
    return ((mask > 0.0) & (mask >= left)).to(mask.dtype)


def latent_mask(mask: Mask, batch: int, height: int, width: int, downscale: int) -> Float[Tensor, "masks 1 h w"]:
    """A mask of the size of the latent or of its picture, at the size of the latent: means over its pixels.

    batch, height, width: of the latents. InvalidInput where size or number do not fit.
    """
    count, _, rows, columns = mask.values.shape
    check_mask((count, rows, columns), (batch, height, width), downscale)
    return mask.values if (rows, columns) == (height, width) else avg_pool2d(mask.values, downscale)
