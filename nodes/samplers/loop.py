"""The one loop that drives every sampler."""

from __future__ import annotations

from collections.abc import Callable

from ..types import NoiseSource, Sampler, State
from ..types.sampling import Denoise

OnStep = Callable[[int, int, State], None]
"""Told after each step: how many steps are done, of how many, and the state."""


def drive(
    sampler: Sampler,
    denoise: Denoise,
    noise: NoiseSource,
    state: State,
    *,
    first: int = 0,
    last: int | None = None,
    on_step: OnStep | None = None,
) -> State:
    """Take the steps first .. last - 1 of the state's grid; all that remain when `last` is None.

    Stopping after any step and going on from the returned state gives the same bits as not stopping.
    """
    total = len(state.sigmas) - 1
    for i in range(first, total if last is None else last):
        state = sampler.step(state, i, denoise, noise)
        if on_step is not None:
            on_step(i + 1, total, state)
    return state
