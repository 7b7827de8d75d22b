"""Work into time: coarse, for telling seconds from hours."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..spec import Cost, SpecContext

TimeClass: TypeAlias = Literal["instant", "seconds", "minutes", "hours", "days"]

START_SECONDS = 1.5
"""Importing torch and the packs, before the first node runs."""

FLOPS_PER_THREAD = 60e9
"""Floating-point operations per second of one CPU thread in float32: about two thirds of what a core with two 256-bit
units does at best, for what lies between the matrix products takes its time too."""

SLOW_HALF = 0.5
"""Half precision on a CPU against float32, where the processor has no matrix units for it."""

FLOPS_OF_DEVICE = {"cuda": 20e12, "mps": 2e12}
"""The same for accelerators: a few years old, in everyday use rather than at their peak."""


def seconds_of(cost: Cost, context: SpecContext) -> float:
    """How long work takes where it will run."""
    rate = FLOPS_OF_DEVICE.get(context.device, FLOPS_PER_THREAD * context.threads)
    if context.device == "cpu" and context.precision != "float32":
        rate *= SLOW_HALF
    return cost.seconds + cost.work / rate


def time_class(seconds: float) -> TimeClass:
    """The largest unit that a time fills; below a second it is instant."""
    for name, limit in (("instant", 1.0), ("seconds", 60.0), ("minutes", 3600.0), ("hours", 86_400.0)):
        if seconds < limit:
            return name  # type: ignore[return-value]
    return "days"
