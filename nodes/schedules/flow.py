"""The grid of rectified flows: uniform in time, with a shift towards noise."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Sigmas
from . import specs


def shifted(time: Float64[Tensor, "*n"], shift: float) -> Float64[Tensor, "*n"]:
    """t' = shift t / (1 + (shift - 1) t). Esser et al. 2024, eq. 23."""
    return shift * time / (1.0 + (shift - 1.0) * time)


@node(category="schedules", spec=specs.flow_sigmas)
def flow_sigmas(
    steps: Annotated[int, Field(ge=1, le=10_000)] = 20,
    shift: Annotated[float, Field(gt=0, le=100), Slider(step=0.1)] = 1.0,
    denoise: Annotated[float, Field(gt=0, le=1), Slider(step=0.01)] = 1.0,
) -> Sigmas:
    """Noise levels for flow models, evenly spaced in time

    steps: how many times the model is asked, 1 to 10,000; 20 is plenty for most flow models.
    shift: s in t' = s t / (1 + (s - 1) t); 1 spaces evenly, 3 is usual at 1024 pixels. Esser et al. 2024, eq. 23.
    denoise: how much of the way is walked; 1 starts from pure noise, 0.3 keeps most of the picture that is given.
        0 would be that picture itself and is not taken.
    """
    time = torch.linspace(denoise, 0.0, steps + 1, dtype=torch.float64)
    return Sigmas(values=shifted(time, shift))
