"""Tables of training steps as plain numbers, also those that end in pure noise. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import mul

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


def alpha_bars(kind: str, steps: int, start: float, end: float) -> list[float]:
    """As `noise.alpha_bar_table`, up to rounding."""
    if kind == "cosine":
        f = [math.cos((step / steps + 0.008) / 1.008 * math.pi / 2) ** 2 for step in range(steps + 1)]
        kept = [max(after / before, 0.001) for before, after in pairwise(f)]
    else:
        power = 1 if kind == "linear" else 2
        first, last = start ** (1 / power), end ** (1 / power)
        kept = [1.0 - (first + (last - first) * step / (steps - 1)) ** power for step in range(steps)]
    return list(accumulate(kept, mul))
