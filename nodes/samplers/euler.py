"""Euler's method on the probability-flow ODE."""

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
class Euler(Churning):
    """x' = x + (sigma' - sigma) (x - D) / sigma. Karras et al. 2022, algorithm 2 without its correction."""

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """Written as x' = r x + (1 - r) D with r = sigma' / sigma, so that the last step returns D itself."""
        x, sigma = self.churned(state, i, denoise.schedule, noise)
        denoised = denoise(x, sigma)
        r = state.sigmas[i + 1] / sigma
        return replace(state, x=column(r, denoised) * x + column(1.0 - r, denoised) * denoised)


@node(category="samplers", spec=specs.euler)
def euler(
    s_churn: Annotated[float, Field(ge=0, le=1000), Slider(step=1)] = 0.0,
    s_tmin: Annotated[float, Field(ge=0)] = 0.0,
    s_tmax: Annotated[float, Field(ge=0)] | None = None,
    s_noise: Annotated[float, Field(ge=0, le=2), Slider(step=0.001)] = 1.0,
) -> Sampler:
    """Euler: one evaluation per step

    The simplest way down, of first order; for flow models it is also the usual one. Karras et al. 2022, algorithm 1;
    with churn algorithm 2 without its correction.

    s_churn: how much noise is added on the way and taken away again, over all steps; 0 adds none.
    s_tmin: the lowest level at which noise is added.
    s_tmax: the highest level at which noise is added; by default there is no limit.
    s_noise: standard deviation of that noise; 1 is the theory, slightly more makes up for lost detail.
    """
    return Euler(s_churn=s_churn, s_tmin=s_tmin, s_tmax=s_tmax, s_noise=s_noise)
