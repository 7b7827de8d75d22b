"""What grids of noise levels will be, and the checks that the nodes share with their specs. Imports no torch."""

from __future__ import annotations

from dataclasses import replace

from nodegraph import InvalidInput
from nodegraph.spec import Predicted

from ..specs.models import DenoiserSpec, ScheduleSpec
from ..specs.sampling import SigmasSpec
from .named import named_levels
from .terminal import alpha_bars, levels_of, zero_terminal


def flow_sigmas(steps: int, shift: float, denoise: float) -> Predicted:
    """The first level is the shifted first time."""
    highest = shift * denoise / (1.0 + (shift - 1.0) * denoise)
    return Predicted({"sigmas": SigmasSpec(steps=steps, highest=highest)})


def karras_sigmas(
    denoiser: DenoiserSpec,
    steps: int,
    rho: float,
    sigma_min: float | None,
    sigma_max: float | None,
    denoise: float,
) -> Predicted:
    """Eq. 5 of Karras et al. 2022 at its first level."""
    low = denoiser.schedule.sigma_min if sigma_min is None else sigma_min
    high = denoiser.schedule.sigma_max if sigma_max is None else sigma_max
    check_levels(low, high)
    first, last = high ** (1.0 / rho), low ** (1.0 / rho)
    highest = (first + (1.0 - denoise) * (last - first)) ** rho
    return Predicted({"sigmas": SigmasSpec(steps=steps, highest=highest)})


def exponential_sigmas(
    denoiser: DenoiserSpec, steps: int, sigma_min: float | None, sigma_max: float | None, denoise: float
) -> Predicted:
    """The first level is that part of the way down in ln(sigma)."""
    low = denoiser.schedule.sigma_min if sigma_min is None else sigma_min
    high = denoiser.schedule.sigma_max if sigma_max is None else sigma_max
    check_levels(low, high)
    highest = high**denoise * low ** (1.0 - denoise)
    return Predicted({"sigmas": SigmasSpec(steps=steps, highest=highest)})


def scheduler_sigmas(denoiser: DenoiserSpec, scheduler: str, steps: int, denoise: float) -> Predicted:
    """The very grid."""
    levels = denoiser.schedule.levels
    check_scheduler(scheduler, len(levels), steps, denoise, "a schedule without a table")
    grid = named_levels(scheduler, levels, steps, denoise)
    return Predicted({"sigmas": SigmasSpec(steps=len(grid) - 1, highest=grid[0])})


def check_scheduler(scheduler: str, levels: int, steps: int, denoise: float, schedule: str) -> None:
    """InvalidInput where a model has no table, or one with fewer steps than a grid of its levels needs."""
    check_table(levels > 0, schedule)
    whole = steps if denoise >= 1.0 else int(steps / denoise)
    if scheduler in ("simple", "ddim_uniform") and whole > levels:
        needed = "" if whole == steps else f", and this denoise asks for a grid of {whole}"
        raise InvalidInput("steps", steps, f"the model's table has {levels} steps{needed}", "use fewer steps")


def zero_terminal_snr(denoiser: DenoiserSpec) -> Predicted:
    """The same weights with a rescaled table."""
    levels = denoiser.schedule.levels
    check_zero_terminal(bool(levels), denoiser.prediction)
    rescaled = levels_of(zero_terminal(levels))
    schedule = ScheduleSpec(sigma_min=rescaled[0], sigma_max=rescaled[-1], levels=rescaled)
    return Predicted({"denoiser": replace(denoiser, schedule=schedule, shares=denoiser)})


def check_zero_terminal(table: bool, prediction: str) -> None:
    """InvalidInput where there is no table to rescale, or where the prediction says nothing of pure noise."""
    if not table:
        raise InvalidInput(
            "denoiser", "a schedule without a table", "it was not trained on a table of steps", "use it as it is"
        )
    if prediction not in ("v", "x0", ""):
        raise InvalidInput(
            "denoiser",
            f"a model that predicts {prediction}",
            "in pure noise only v and x0 predictions say something of the picture",
            "leave its schedule as it is, or say with set_prediction what it predicts",
        )


def set_prediction(denoiser: DenoiserSpec, prediction: str) -> Predicted:
    """The same weights."""
    return Predicted({"denoiser": replace(denoiser, prediction=prediction, shares=denoiser)})


def set_noise_schedule(denoiser: DenoiserSpec, betas: str, start: float, end: float, steps: int) -> Predicted:
    """The same weights with another table."""
    check_betas(bool(denoiser.schedule.levels), betas, start, end)
    levels = levels_of(alpha_bars(betas, steps, start, end))
    schedule = ScheduleSpec(sigma_min=levels[0], sigma_max=levels[-1], levels=levels)
    return Predicted({"denoiser": replace(denoiser, schedule=schedule, shares=denoiser)})


def check_betas(table: bool, betas: str, start: float, end: float) -> None:
    """InvalidInput where a model knows no steps, or where the noise does not grow."""
    if not table:
        raise InvalidInput(
            "denoiser", "a schedule without a table", "it was not trained on a table of steps", "use it as it is"
        )
    if betas != "cosine" and start >= end:
        raise InvalidInput("end", end, f"it is not above start = {start:g}", "raise it or lower start")


def check_levels(low: float, high: float) -> None:
    """InvalidInput where there is nothing between the lowest and the highest level."""
    if low >= high:
        raise InvalidInput("sigma_min", low, f"it is not below sigma_max = {high:g}", "lower it or raise sigma_max")


def discrete_sigmas(denoiser: DenoiserSpec, steps: int, spacing: str, denoise: float, offset: int) -> Predicted:
    """The first level is the one of the first step that the spacing chooses."""
    levels = denoiser.schedule.levels
    check_table(bool(levels), "a schedule without a table")
    table = steps_in_table(len(levels), denoise, steps)
    check_offset(offset, spacing, len(levels), table, steps)
    first = (steps - 1) * (table // steps) + offset if spacing == "leading" else table - 1
    return Predicted({"sigmas": SigmasSpec(steps=steps, highest=levels[first])})


def check_table(there: bool, schedule: str) -> None:
    """InvalidInput where a model has no table of training steps."""
    if not there:
        raise InvalidInput(
            "denoiser", schedule, "it was not trained on a table of steps", "use flow_sigmas or karras_sigmas"
        )


def steps_in_table(levels: int, denoise: float, steps: int) -> int:
    """How much of a table is walked; InvalidInput where it has not enough steps."""
    table = round(levels * denoise)
    if steps > table:
        raise InvalidInput("steps", steps, f"the model's table has {table} steps for this denoise", "use fewer steps")
    return table


def check_offset(offset: int, spacing: str, levels: int, table: int, steps: int) -> None:
    """InvalidInput where an offset has no meaning, or leads out of the table. table: of `levels`, how many are
    walked."""
    if offset and spacing != "leading":
        raise InvalidInput("offset", offset, f"{spacing} spacing has a fixed end", "use leading spacing, or offset 0")
    room = levels - 1 - (steps - 1) * (table // steps)
    if offset > room:
        raise InvalidInput("offset", offset, "the first step would lie above the table", f"use at most {room}")
