"""Ancestral sampling. Ho, Jain & Abbeel 2020."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from jaxtyping import Float64
from torch import Tensor

from nodegraph import node

from ..schedules.noise import NoiseSchedule
from ..types import NoiseSource, Sampler, State
from ..types.models import column
from ..types.sampling import Denoise
from . import specs

Variance = Literal["small", "large"]


@dataclass(frozen=True, kw_only=True)
class DDPM(Sampler):
    """Draws from q(x' | x, x0 = D) with one of two variances; any levels may be left out of the grid."""

    variance: Variance = "small"

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """Eq. 6 and 7 for x = a x0 + s eps: mean a s'^2 / (a' s^2) x + a' (1 - (a s' / (a' s))^2) D; no noise last."""
        sigma, after = state.sigmas[i], state.sigmas[i + 1]
        schedule = denoise.schedule
        denoised = denoise(state.x, sigma)
        a, s = schedule.signal(sigma), schedule.noise(sigma)
        a_after, s_after = schedule.signal(after), schedule.noise(after)
        ratio = (a * s_after / (a_after * s)).square()
        of_x = a * s_after.square() / (a_after * s.square())
        x = column(of_x, denoised) * state.x + column(a_after * (1.0 - ratio), denoised) * denoised
        if float(after) > 0.0:
            x = x + column(posterior_deviation(schedule, sigma, after, self.variance), x) * noise(i, 0)
        return replace(state, x=x)


def posterior_deviation(
    schedule: NoiseSchedule, sigma: Float64[Tensor, ""], after: Float64[Tensor, ""], variance: Variance
) -> Float64[Tensor, ""]:
    """Of the noise that a step adds.

    small: beta~ = s'^2 (1 - (a s' / (a' s))^2), right for data that is one point. large: beta = s^2 - (a / a')^2 s'^2
    of the variance-preserving x / sqrt(a^2 + s^2), right for data of unit variance: it keeps that of x at a^2 + s^2.
    """
    a, s = schedule.signal(sigma), schedule.noise(sigma)
    a_after, s_after = schedule.signal(after), schedule.noise(after)
    if variance == "small":
        return s_after * (1.0 - (a * s_after / (a_after * s)).square()).clamp(min=0.0).sqrt()
    forward = (s.square() - (a / a_after * s_after).square()).clamp(min=0.0)
    return (forward * (a_after.square() + s_after.square()) / (a.square() + s.square())).sqrt()


@node(category="samplers", spec=specs.ddpm)
def ddpm(variance: Variance = "small") -> Sampler:
    """DDPM: the chain that the model was trained to undo, backwards

    Wants many steps. Ho et al. 2020, algorithm 2; with fewer steps than in training, the levels that are left out are
    bridged exactly (Nichol & Dhariwal 2021, section 4).

    variance: of the noise in each step; small suits few steps, large keeps the spread of data of unit variance.
    """
    return DDPM(variance=variance)
