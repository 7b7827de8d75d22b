"""Euler's method with a fresh part of the noise in each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..schedules.noise import NoiseSchedule, RectifiedFlow
from ..types import NoiseSource, Sampler, State
from ..types.models import column
from ..types.sampling import Denoise
from . import specs
from .ddim import added_noise


@dataclass(frozen=True, kw_only=True)
class EulerAncestral(Sampler):
    """Down to a lower level than wanted, then up again with new noise.

    eta: 0 is Euler, 1 replaces as much as the chain of the model's training did. s_noise: standard deviation of the
        noise.
    """

    eta: float = 1.0
    s_noise: float = 1.0

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """x' = k (r x + (1 - r) D) + s_noise u z with r = down / sigma; see `ancestral_levels`."""
        sigma, after = state.sigmas[i], state.sigmas[i + 1]
        denoised = denoise(state.x, sigma)
        down, kept, up = ancestral_levels(denoise.schedule, sigma, after, self.eta)
        r = down / sigma
        x = column(kept * r, denoised) * state.x + column(kept * (1.0 - r), denoised) * denoised
        if float(up) > 0.0:
            x = x + column(self.s_noise * up, x) * noise(i, 0)
        return replace(state, x=x)


def ancestral_levels(
    schedule: NoiseSchedule, sigma: Float64[Tensor, ""], after: Float64[Tensor, ""], eta: float
) -> tuple[Float64[Tensor, ""], Float64[Tensor, ""], Float64[Tensor, ""]]:
    """The level to go down to, the factor k that takes its signal back to the wanted level, and the noise u to add.

    (k down)^2 + u^2 = sigma'^2 and k a(down) = a(sigma'). With a = 1, u = eta sigma' sqrt(1 - (sigma' / sigma)^2) and k
    = 1. For a rectified flow, down = sigma' (1 + eta (sigma' / sigma - 1)).
    """
    if isinstance(schedule, RectifiedFlow):
        down = after * (1.0 + eta * (after / sigma - 1.0))
        kept = schedule.signal(after) / schedule.signal(down)
        return down, kept, (after.square() - (kept * down).square()).clamp(min=0.0).sqrt()
    up = added_noise(schedule, sigma, after, eta)
    return (after.square() - up.square()).clamp(min=0.0).sqrt(), schedule.signal(after), up


@node(category="samplers", spec=specs.euler_ancestral)
def euler_ancestral(
    eta: Annotated[float, Field(ge=0, le=1), Slider(step=0.05)] = 1.0,
    s_noise: Annotated[float, Field(ge=0, le=2), Slider(step=0.001)] = 1.0,
) -> Sampler:
    """Euler ancestral: Euler with fresh noise in each step

    Pictures do not settle with more steps, but change. Flow models get the form that keeps signal and noise adding up
    to 1.

    eta: 0 adds no noise and is Euler, 1 adds as much as ancestral sampling.
    s_noise: standard deviation of that noise; 1 is the theory.
    """
    return EulerAncestral(eta=eta, s_noise=s_noise)
