"""What grids of noise levels will be, and the checks that the nodes share with their specs. Imports no torch."""

from __future__ import annotations

from nodegraph import InvalidInput
from nodegraph.spec import Predicted

from ..specs.models import DenoiserSpec
from ..specs.sampling import SigmasSpec


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


def check_levels(low: float, high: float) -> None:
    """InvalidInput where there is nothing between the lowest and the highest level."""
    if low >= high:
        raise InvalidInput("sigma_min", low, f"it is not below sigma_max = {high:g}", "lower it or raise sigma_max")


def discrete_sigmas(denoiser: DenoiserSpec, steps: int, spacing: str, denoise: float) -> Predicted:
    """The first level is the one of the first step that the spacing chooses."""
    levels = denoiser.schedule.levels
    check_table(bool(levels), "a schedule without a table")
    table = steps_in_table(len(levels), denoise, steps)
    first = (steps - 1) * (table // steps) if spacing == "leading" else table - 1
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
