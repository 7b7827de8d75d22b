"""The grid that is evenly spaced in ln(sigma)."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Denoiser, Sigmas
from . import specs
from .specs import check_levels


def exponential_levels(
    steps: int, sigma_min: float, sigma_max: float, denoise: float = 1.0
) -> Float64[Tensor, " levels"]:
    """max^(1 - u) min^u with u from 1 - denoise to 1, then 0."""
    u = torch.linspace(1.0 - denoise, 1.0, steps, dtype=torch.float64)
    levels = torch.exp((1.0 - u) * math.log(sigma_max) + u * math.log(sigma_min))
    return torch.cat([levels, torch.zeros(1, dtype=torch.float64)])


@node(category="schedules", spec=specs.exponential_sigmas)
def exponential_sigmas(
    denoiser: Denoiser,
    steps: Annotated[int, Field(ge=1, le=10_000)] = 20,
    sigma_min: Annotated[float, Field(gt=0)] | None = None,
    sigma_max: Annotated[float, Field(gt=0)] | None = None,
    denoise: Annotated[float, Field(gt=0, le=1), Slider(step=0.01)] = 1.0,
) -> Sigmas:
    """Noise levels each of which is the same part of the one before

    Evenly spaced in ln(sigma), so still shorter steps at low noise than karras_sigmas.

    denoiser: gives the range of levels.
    steps: how many levels above 0, 1 to 10,000.
    sigma_min: the lowest level above 0; by default the lowest that the denoiser knows.
    sigma_max: the level to start from; by default the highest that the denoiser knows.
    denoise: how much of the way is walked; 1 starts from pure noise.
    """
    low = denoiser.schedule.sigma_min if sigma_min is None else sigma_min
    high = denoiser.schedule.sigma_max if sigma_max is None else sigma_max
    check_levels(low, high)
    return Sigmas(values=exponential_levels(steps, low, high, denoise))
