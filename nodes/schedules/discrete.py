"""The grid of models that were trained on a table of steps: some of the table's own levels."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Int64
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Denoiser, Sigmas
from . import specs
from .noise import DiscreteVP
from .specs import check_offset, check_table, steps_in_table

Spacing = Literal["trailing", "leading", "linspace"]


def spaced_steps(spacing: Spacing, table: int, steps: int, offset: int = 0) -> Int64[Tensor, " steps"]:
    """`steps` training steps of 0 .. table - 1, descending; leading ones raised by `offset`. Lin et al. 2023, table
    2."""
    if spacing == "leading":
        return torch.arange(steps).flip(0) * (table // steps) + offset
    if spacing == "trailing":
        return (table - torch.arange(steps, dtype=torch.float64) * (table / steps)).round().long() - 1
    return torch.linspace(table - 1, 0, steps, dtype=torch.float64).round().long()


@node(category="schedules", spec=specs.discrete_sigmas)
def discrete_sigmas(
    denoiser: Denoiser,
    steps: Annotated[int, Field(ge=1, le=10_000)] = 20,
    spacing: Spacing = "trailing",
    denoise: Annotated[float, Field(gt=0, le=1), Slider(step=0.01)] = 1.0,
    offset: Annotated[int, Field(ge=0, le=10_000)] = 0,
) -> Sigmas:
    """Noise levels that a model saw in training, for models with a table of steps

    Ho et al. 2020; the spacings are those of Lin et al. 2023, table 2.

    denoiser: a model with a discrete noise schedule, such as Stable Diffusion 1.5.
    steps: how many levels above 0; at most as many as the table has (times `denoise`).
    spacing: trailing starts at the last training step, leading ends at the first, linspace does both.
    denoise: how much of the table is walked; 1 starts from pure noise.
    offset: training steps by which all steps of leading spacing are raised; Stable Diffusion's DDIM and PNDM use 1.
    """
    schedule = denoiser.schedule
    check_table(isinstance(schedule, DiscreteVP), type(schedule).__name__)
    assert isinstance(schedule, DiscreteVP)
    table = steps_in_table(len(schedule.alpha_bar), denoise, steps)
    check_offset(offset, spacing, len(schedule.alpha_bar), table, steps)
    chosen = schedule.levels[spaced_steps(spacing, table, steps, offset)]
    return Sigmas(values=torch.cat([chosen, torch.zeros(1, dtype=torch.float64)]))
