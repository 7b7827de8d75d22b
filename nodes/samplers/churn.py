"""Churn: noise that is added before a step, for the step to take away again. Karras et al. 2022, algorithm 2."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float64
from torch import Tensor

from ..schedules.noise import NoiseSchedule
from ..types import NoiseSource, Sampler, State
from ..types.models import column

MOST = math.sqrt(2.0) - 1.0
"""The largest part by which a level is raised."""


@dataclass(frozen=True, kw_only=True)
class Churning(Sampler):
    """A sampler that may raise the level before each step.

    s_churn: the sum of all raises, as parts of the level; 0 raises none. s_tmin, s_tmax: only levels between them are
        raised; no s_tmax is no limit. s_noise: standard deviation of the noise.
    """

    s_churn: float = 0.0
    s_tmin: float = 0.0
    s_tmax: float | None = None
    s_noise: float = 1.0

    def churned(
        self, state: State, i: int, schedule: NoiseSchedule, noise: NoiseSource
    ) -> tuple[Tensor, Float64[Tensor, ""]]:
        """x and sigma to step from.

        The ratio of noise to signal is raised from r to (1 + g) r, g = min(s_churn / N, sqrt(2) - 1): lines 4 to 6 of
        the algorithm where there is no signal factor. In general x_up = (a_up / a) x + sqrt(s_up^2 - (a_up s / a)^2) z.
        Pure noise stays what it is.
        """
        sigma = state.sigmas[i]
        part = min(self.s_churn / (len(state.sigmas) - 1), MOST)
        highest = math.inf if self.s_tmax is None else self.s_tmax
        a, s = schedule.signal(sigma), schedule.noise(sigma)
        if part == 0.0 or not self.s_tmin <= float(sigma) <= highest or float(a) == 0.0:
            return state.x, sigma
        raised = schedule.at_ratio((1.0 + part) * s / a)
        kept = schedule.signal(raised) / a
        added = (schedule.noise(raised).square() - (kept * s).square()).clamp(min=0.0).sqrt()
        x = column(kept, state.x) * state.x + column(self.s_noise * added, state.x) * noise(i, 0)
        return x, raised
