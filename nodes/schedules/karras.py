"""The grid of Karras et al. 2022: evenly spaced in sigma^(1 / rho)."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Denoiser, Sigmas
from . import specs
from .specs import check_levels


def karras_levels(
    steps: int, sigma_min: float, sigma_max: float, rho: float, denoise: float = 1.0
) -> Float64[Tensor, " levels"]:
    """Eq. 5: (max^(1/rho) + u (min^(1/rho) - max^(1/rho)))^rho with u from 1 - denoise to 1, then 0."""
    u = torch.linspace(1.0 - denoise, 1.0, steps, dtype=torch.float64)
    low, high = sigma_min ** (1.0 / rho), sigma_max ** (1.0 / rho)
    return torch.cat([(high + u * (low - high)) ** rho, torch.zeros(1, dtype=torch.float64)])


@node(category="schedules", spec=specs.karras_sigmas)
def karras_sigmas(
    denoiser: Denoiser,
    steps: Annotated[int, Field(ge=1, le=10_000)] = 20,
    rho: Annotated[float, Field(ge=1, le=100), Slider(step=0.5)] = 7.0,
    sigma_min: Annotated[float, Field(gt=0)] | None = None,
    sigma_max: Annotated[float, Field(gt=0)] | None = None,
    denoise: Annotated[float, Field(gt=0, le=1), Slider(step=0.01)] = 1.0,
) -> Sigmas:
    """Noise levels that take shorter steps where there is little noise

    Evenly spaced in sigma^(1 / rho). Karras et al. 2022, eq. 5.

    denoiser: gives the range of levels.
    steps: how many levels above 0, 1 to 10,000.
    rho: 1 spaces evenly, 7 is the paper's; larger values take shorter steps at low noise.
    sigma_min: the lowest level above 0; by default the lowest that the denoiser knows.
    sigma_max: the level to start from; by default the highest that the denoiser knows.
    denoise: how much of the way is walked; 1 starts from pure noise.
    """
    low = denoiser.schedule.sigma_min if sigma_min is None else sigma_min
    high = denoiser.schedule.sigma_max if sigma_max is None else sigma_max
    check_levels(low, high)
    return Sigmas(values=karras_levels(steps, low, high, rho, denoise))
