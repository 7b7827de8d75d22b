"""DPM-Solver++ (2M): a second-order multistep method. Lu et al. 2022 (DPM-Solver++)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from nodegraph import node

from ..schedules.noise import NoiseSchedule
from ..types import NoiseSource, Sampler, State
from ..types.models import column
from ..types.sampling import Denoise
from . import specs


@dataclass(frozen=True, kw_only=True, eq=False)
class Multistep(State):
    """A state with a memory. previous: the denoised latent of the step before; none before the first."""

    previous: Float[Tensor, "batch c h w"] | None = None


@dataclass(frozen=True, kw_only=True)
class DPMpp2M(Sampler):
    """Algorithm 2, on lambda = ln(a / s)."""

    def init(self, x: Float[Tensor, "batch c h w"], sigmas: Float64[Tensor, " levels"]) -> Multistep:
        """Nothing remembered."""
        return Multistep(x=x, sigmas=sigmas)

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """x' = s' / s x - a' (e^-h - 1) D* with h = lambda' - lambda; D* extrapolates D to the middle of the step.

        Of first order where nothing is remembered, and in the step to 0.
        """
        assert isinstance(state, Multistep)
        sigma, after = state.sigmas[i], state.sigmas[i + 1]
        schedule = denoise.schedule
        denoised = denoise(state.x, sigma)
        ahead = denoised
        h = log_ratio(schedule, after) - log_ratio(schedule, sigma)
        if state.previous is not None and float(after) > 0.0:
            behind = log_ratio(schedule, sigma) - log_ratio(schedule, state.sigmas[i - 1])
            part = column(h / (2.0 * behind), denoised)
            ahead = (1.0 + part) * denoised - part * state.previous
        kept = schedule.noise(after) / schedule.noise(sigma)
        gained = -schedule.signal(after) * torch.expm1(-h)
        x = column(kept, denoised) * state.x + column(gained, denoised) * ahead
        return Multistep(x=x, sigmas=state.sigmas, previous=denoised)


def log_ratio(schedule: NoiseSchedule, sigma: Float64[Tensor, ""]) -> Float64[Tensor, ""]:
    """lambda = ln(a / s), half the logarithm of the signal-to-noise ratio; infinite where there is no signal or no
    noise."""
    return schedule.signal(sigma).log() - schedule.noise(sigma).log()


@node(category="samplers", spec=specs.dpmpp_2m)
def dpmpp_2m() -> Sampler:
    """DPM++ 2M: one evaluation per step, of second order

    Remembers the step before. A good choice at 15 to 30 steps, on karras_sigmas for Stable Diffusion. Lu et al. 2022,
    DPM-Solver++, algorithm 2.
    """
    return DPMpp2M()
