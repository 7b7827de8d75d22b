"""Grids by the names that ComfyUI's users know them by. Plain numbers; imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Scheduler = Literal["normal", "karras", "exponential", "simple", "sgm_uniform", "ddim_uniform"]

RHO = 7.0
"""Of the karras grid."""


def named_levels(scheduler: str, table: Sequence[float], steps: int, denoise: float = 1.0) -> list[float]:
    """A grid on a table of levels, ascending, by the rule of that name; descending, with 0 at its end.

    denoise: below 1, the grid is made for int(steps / denoise) steps and its last `steps` are taken.
    """
    if denoise >= 1.0:
        return _grid(scheduler, table, steps)
    return _grid(scheduler, table, int(steps / denoise))[-(steps + 1) :]


def _grid(scheduler: str, table: Sequence[float], steps: int) -> list[float]:
    """normal and sgm_uniform are even in training time, karras in sigma^(1/7), exponential in ln(sigma); simple and
    ddim_uniform take levels of the table."""
    low, high, last = table[0], table[-1], len(table) - 1
    if scheduler == "karras":
        a, b = high ** (1.0 / RHO), low ** (1.0 / RHO)
        levels = [(a + u * (b - a)) ** RHO for u in _even(0.0, 1.0, steps)]
    elif scheduler == "exponential":
        levels = [math.exp(u) for u in _even(math.log(high), math.log(low), steps)]
    elif scheduler == "normal":
        levels = [_level(table, t) for t in _even(float(last), 0.0, steps)]
    elif scheduler == "sgm_uniform":
        levels = [_level(table, t) for t in _even(float(last), 0.0, steps + 1)[:-1]]
    elif scheduler == "simple":
        stride = len(table) / steps
        levels = [table[-1 - int(i * stride)] for i in range(steps)]
    else:
        levels = [table[i] for i in range(1, len(table), max(len(table) // steps, 1))][::-1]
    return [*levels, 0.0]


def _even(first: float, last: float, count: int) -> list[float]:
    """Evenly spaced numbers; of one, the first."""
    return [first + (last - first) * i / max(count - 1, 1) for i in range(count)]


def _level(table: Sequence[float], time: float) -> float:
    """The level at a training time; between two of the table linear in ln(sigma)."""
    index = min(int(time), len(table) - 2)
    part = time - index
    if part in (0.0, 1.0):
        return table[index + int(part)]
    return math.exp((1.0 - part) * math.log(table[index]) + part * math.log(table[index + 1]))
