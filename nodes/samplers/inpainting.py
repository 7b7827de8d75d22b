"""Sampling that keeps part of a latent: a wrapper around what samplers ask, so that every sampler can do it.

Before each evaluation the kept part is set to the given latent with as much noise as the level has; after it, the
denoised latent has the given one there. Lugmayr et al. 2022 (RePaint), eq. 8, without its jumps; differential: Levin &
Fried 2023, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ..schedules.noise import NoiseSchedule
from ..types.models import column
from ..types.sampling import Denoise

MaskMode = Literal["soft", "hard", "differential"]
"""See `Inpainting`."""


def noised(clean: Tensor, noise: Tensor, sigma: Float64[Tensor, ""], schedule: NoiseSchedule) -> Tensor:
    """Signal and noise mixed as at level sigma: a x0 + s eps."""
    return column(schedule.signal(sigma), clean) * clean + column(schedule.noise(sigma), clean) * noise


def latent_mask(values: Float[Tensor, "m 1 height width"], height: int, width: int) -> Float[Tensor, "m 1 h w"]:
    """A mask of the picture's size as one of the latent's: the mean of each latent pixel's square; one of the latent's
    size as it is."""
    if values.shape[2:] == (height, width):
        return values
    return torch.nn.functional.avg_pool2d(values, (values.shape[2] // height, values.shape[3] // width))


def passed(schedule: NoiseSchedule, highest: float, sigma: float) -> float:
    """The fraction of the network's time between level `highest` and the lowest it knows that has passed at `sigma`."""
    levels = torch.tensor([highest, max(sigma, schedule.sigma_min), schedule.sigma_min], dtype=torch.float64)
    first, now, last = schedule.time(levels).tolist()
    return min(max((first - now) / (first - last), 0.0), 1.0) if first > last else 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Inpainting:
    """A `Denoise` that keeps the given latent where the mask is 0, whatever the inner one says.

    denoise: the inner one. clean: the given latent. noise: of the start. mask: of the latent's size, 1 where
    everything is made anew. highest: the first level. mode: soft mixes by the mask's values in each step; hard takes
    values above 0.5 as 1 and others as 0; differential makes a position anew once 1 - mask of the time from the first
    level has passed, so that higher values change more.
    """

    denoise: Denoise
    clean: Float[Tensor, "batch c h w"]
    noise: Float[Tensor, "batch c h w"]
    mask: Float[Tensor, "m 1 h w"]
    highest: float
    mode: MaskMode = "soft"

    @property
    def schedule(self) -> NoiseSchedule:
        """The inner one's."""
        return self.denoise.schedule

    def anew(self, sigma: Float64[Tensor, ""]) -> Float[Tensor, "m 1 h w"]:
        """How much is made anew at a level; nothing where the mask is 0."""
        if self.mode == "soft":
            return self.mask
        if self.mode == "hard":
            return (self.mask > 0.5).to(self.mask)
        waits = 1.0 - passed(self.schedule, self.highest, float(sigma))
        return ((self.mask >= waits) & (self.mask > 0.0)).to(self.mask)

    def __call__(self, x: Tensor, sigma: Float64[Tensor, ""]) -> Tensor:
        """One evaluation."""
        m = self.anew(sigma).to(x)
        denoised = self.denoise(x * m + noised(self.clean, self.noise, sigma, self.schedule).to(x) * (1.0 - m), sigma)
        return denoised * m + self.clean.to(denoised) * (1.0 - m)

    def finished(self, x: Float[Tensor, "batch c h w"], sigma: Float64[Tensor, ""]) -> Float[Tensor, "batch c h w"]:
        """A sampler's result with the kept part exactly as it was given, noised to the level where it ended."""
        return torch.where(self._kept, noised(self.clean, self.noise, sigma, self.schedule).to(x), x)

    @property
    def _kept(self) -> Tensor:
        return self.mask <= (0.5 if self.mode == "hard" else 0.0)
