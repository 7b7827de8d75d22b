"""Grids by the names of another program."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodegraph import Slider, node

from ..types import Denoiser, Sigmas
from . import specs
from .named import Scheduler, named_levels
from .noise import DiscreteVP, NoiseSchedule


@node(category="schedules", spec=specs.scheduler_sigmas)
def scheduler_sigmas(
    denoiser: Denoiser,
    scheduler: Scheduler = "normal",
    steps: Annotated[int, Field(ge=1, le=10_000)] = 20,
    denoise: Annotated[float, Field(gt=0, le=1), Slider(step=0.01)] = 1.0,
) -> Sigmas:
    """The noise levels that ComfyUI means by a scheduler's name

    For models with a table of steps, such as Stable Diffusion. simple and ddim_uniform take levels of the table, and
    ddim_uniform may take one step more than asked for where `steps` does not divide its length.

    denoiser: gives the table.
    scheduler: normal and sgm_uniform are even in training time, with and without the first step of the table; karras
        and exponential take shorter steps at low noise.
    steps: how many levels above 0, 1 to 10,000; simple and ddim_uniform at most as many as the table has.
    denoise: below 1, the last `steps` of a grid for int(steps / denoise) steps are walked, so that there are always
        `steps`. 0 would be the picture itself and is not taken. diffusers' strength walks fewer steps of the same grid:
        leave this at 1 for it and set `start` of `sample` to steps - int(steps * strength).
    """
    table = table_of(denoiser.schedule)
    specs.check_scheduler(scheduler, len(table), steps, denoise, type(denoiser.schedule).__name__)
    return Sigmas.of(named_levels(scheduler, table, steps, denoise))


def table_of(schedule: NoiseSchedule) -> list[float]:
    """The levels of all training steps, ascending; none where the schedule has no table."""
    return [float(each) for each in schedule.levels] if isinstance(schedule, DiscreteVP) else []
