"""Heun's method on the probability-flow ODE."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from nodegraph import Slider, node

from ..types import NoiseSource, Sampler, State
from ..types.models import column
from ..types.sampling import Denoise
from . import specs
from .churn import Churning


@dataclass(frozen=True, kw_only=True)
class Heun(Churning):
    """The mean of the slopes at both ends of the step. Karras et al. 2022, algorithm 2."""

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """Two evaluations; one in the step to 0, which is Euler's."""
        x, sigma = self.churned(state, i, denoise.schedule, noise)
        after = state.sigmas[i + 1]
        denoised = denoise(x, sigma)
        r = after / sigma
        guess = column(r, x) * x + column(1.0 - r, x) * denoised
        if float(after) == 0.0:
            return replace(state, x=guess)
        here = (x - denoised) / column(sigma, x)
        there = (guess - denoise(guess, after)) / column(after, x)
        return replace(state, x=x + column(after - sigma, x) * (here + there) / 2.0)


@node(category="samplers", spec=specs.heun)
def heun(
    s_churn: Annotated[float, Field(ge=0, le=1000), Slider(step=1)] = 0.0,
    s_tmin: Annotated[float, Field(ge=0)] = 0.0,
    s_tmax: Annotated[float, Field(ge=0)] | None = None,
    s_noise: Annotated[float, Field(ge=0, le=2), Slider(step=0.001)] = 1.0,
) -> Sampler:
    """Heun: two evaluations per step, of second order

    Each step is tried, then taken with the mean of the slopes at both ends; the last is Euler's. Karras et al. 2022,
    algorithm 2.

    s_churn: how much noise is added on the way and taken away again, over all steps; 0 adds none.
    s_tmin: the lowest level at which noise is added.
    s_tmax: the highest level at which noise is added; by default there is no limit.
    s_noise: standard deviation of that noise; 1 is the theory, slightly more makes up for lost detail.
    """
    return Heun(s_churn=s_churn, s_tmin=s_tmin, s_tmax=s_tmax, s_noise=s_noise)
