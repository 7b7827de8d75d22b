"""DDIM, for variance-preserving, variance-exploding and flow models alike. Song, Meng & Ermon 2020."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..schedules.noise import NoiseSchedule
from ..types import NoiseSource, Sampler, State
from ..types.models import column
from ..types.sampling import Denoise
from . import specs


@dataclass(frozen=True, kw_only=True)
class DDIM(Sampler):
    """Eq. 12, written for x = a x0 + s eps: x' = a' D + sqrt(s'^2 - d^2) eps + d z.

    eta: 0 is deterministic, 1 is ancestral sampling (DDPM with its smaller variance).
    """

    eta: float = 0.0

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """d as in `added_noise`; in the last step it is 0."""
        sigma, after = state.sigmas[i], state.sigmas[i + 1]
        schedule = denoise.schedule
        denoised = denoise(state.x, sigma)
        a, s, a_after, s_after = (
            schedule.signal(sigma),
            schedule.noise(sigma),
            schedule.signal(after),
            schedule.noise(after),
        )
        d = added_noise(schedule, sigma, after, self.eta)
        kept = (s_after.square() - d.square()).clamp(min=0.0).sqrt()
        x = state.x * column(kept / s, denoised) + denoised * column(a_after - a * kept / s, denoised)
        if float(d) > 0.0:
            x = x + column(d, x) * noise(i, 0)
        return replace(state, x=x)


def added_noise(
    schedule: NoiseSchedule, sigma: Float64[Tensor, ""], after: Float64[Tensor, ""], eta: float
) -> Float64[Tensor, ""]:
    """d = eta s' sqrt(1 - (a s')^2 / (a' s)^2).

    Eq. 16 for the variance-preserving x, eta sqrt((1 - A') / (1 - A)) sqrt(1 - A / A') with A = alpha-bar, in terms of
    any a and s: it depends on the ratio of the two signal-to-noise ratios only.
    """
    ratio = (schedule.signal(sigma) * schedule.noise(after)) / (schedule.signal(after) * schedule.noise(sigma))
    return eta * schedule.noise(after) * (1.0 - ratio.square()).clamp(min=0.0).sqrt()


@node(category="samplers", spec=specs.ddim)
def ddim(eta: Annotated[float, Field(ge=0, le=1), Slider(step=0.05)] = 0.0) -> Sampler:
    """DDIM: one evaluation per step, with as much fresh noise as you like

    Song, Meng & Ermon 2020, eq. 12 and 16. Without noise it equals Euler on the same levels.

    eta: 0 adds no noise, 1 adds as much as ancestral sampling (DDPM).
    """
    return DDIM(eta=eta)
