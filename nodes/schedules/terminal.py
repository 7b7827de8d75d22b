"""Tables that end in pure noise. Plain numbers; imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

LAST = 4.8973451890853435e-08
"""alpha-bar of the last step. The paper's is 0, whose level s / a is infinite; this is the value that other programs
put in its place, about sigma = 4518."""


def zero_terminal(levels: Sequence[float]) -> list[float]:
    """alpha-bar of a table of levels, rescaled so that the last step has no signal left.

    Lin et al. 2023, algorithm 1: sqrt(alpha-bar) is shifted to 0 at the last step and stretched to what it was at the
    first. The last value is then raised from 0 to `LAST`, or to half the value before it where that is lower, so that
    the table still descends.

    levels: sigma of each training step, ascending, at least 2.
    """
    roots = [math.sqrt(1.0 / (1.0 + level * level)) for level in levels]
    first, last = roots[0], roots[-1]
    shifted = [(root - last) * (first / (first - last)) for root in roots[:-1]]
    table = [root * root for root in shifted]
    return [*table, min(LAST, table[-1] / 2.0)]


def levels_of(alpha_bar: Sequence[float]) -> tuple[float, ...]:
    """sigma = sqrt((1 - alpha-bar) / alpha-bar) of each step."""
    return tuple(math.sqrt((1.0 - each) / each) for each in alpha_bar)
