"""Euler's method on the probability-flow ODE."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nodegraph import node

from ..types import NoiseSource, Sampler, State
from ..types.models import column
from ..types.sampling import Denoise
from . import specs


@dataclass(frozen=True, kw_only=True)
class Euler(Sampler):
    """x' = x + (sigma' - sigma) (x - D) / sigma. Karras et al. 2022, algorithm 1 without its correction."""

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """Written as x' = r x + (1 - r) D with r = sigma' / sigma, so that the last step returns D itself."""
        sigma, after = state.sigmas[i], state.sigmas[i + 1]
        denoised = denoise(state.x, sigma)
        r = after / sigma
        return replace(state, x=column(r, denoised) * state.x + column(1.0 - r, denoised) * denoised)


@node(category="samplers", spec=specs.euler)
def euler() -> Sampler:
    """Euler: one evaluation per step, no noise added

    The simplest way down, of first order; for flow models it is also the usual one. Karras et al. 2022, algorithm 1.
    """
    return Euler()
