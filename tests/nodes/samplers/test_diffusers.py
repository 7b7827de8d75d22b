"""Whole trajectories beside those of diffusers' schedulers, with the exact noise prediction for Gaussian data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
)
from torch import Tensor

from nodes.samplers.ddim import DDIM
from nodes.samplers.ddpm import DDPM
from nodes.samplers.dpmpp_2m import DPMpp2M
from nodes.samplers.euler import Euler
from nodes.samplers.euler_ancestral import EulerAncestral
from nodes.samplers.heun import Heun
from nodes.schedules.discrete import spaced_steps
from nodes.schedules.exponential import exponential_levels
from nodes.schedules.flow import flow_sigmas
from nodes.schedules.karras import karras_levels
from nodes.schedules.noise import DiscreteVP
from nodes.types import Sampler

from ..oracles import FLOW, Oracle

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SD: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
STEPS = 10
"""Divides 1000: DDIMScheduler takes t - 1000 // steps for the step that follows."""
SHAPE = (3, 1, 4, 4)


def table_of(scheduler: Any) -> DiscreteVP:
    """The scheduler's own table, which is a product of float32 numbers; ours is compared elsewhere."""
    return DiscreteVP(alpha_bar=scheduler.alphas_cumprod.double())


def grid_of(schedule: DiscreteVP, spacing: Any, offset: int = 0) -> Tensor:
    steps = spaced_steps(spacing, 1000, STEPS, offset)
    return torch.cat([schedule.levels[steps], torch.zeros(1, dtype=torch.float64)])


def draws(seed: int = 5) -> Callable[[int, int], Tensor]:
    """The values that a generator of that seed draws, in order."""
    generator = torch.Generator().manual_seed(seed)
    values = [torch.randn(SHAPE, generator=generator).double() for _ in range(2 * STEPS)]
    return lambda step, draw: values[step]


def ours(sampler: Sampler, oracle: Oracle, sigmas: Tensor, x: Tensor) -> Iterator[Tensor]:
    state, noise = sampler.init(x, sigmas), draws()
    for i in range(len(sigmas) - 1):
        state = sampler.step(state, i, oracle, noise)
        yield state.x


def eps_of(oracle: Oracle, x: Tensor, sigma: Tensor) -> Tensor:
    """In variance-exploding terms."""
    return ((x.double() - oracle.denoise(x.double(), sigma)) / sigma).float()


def start(sigmas: Tensor) -> Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.randn(SHAPE, generator=draw).double() * (sigmas[0] ** 2 + 1).sqrt()


def close(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found.float(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("variance", "theirs"), [("small", "fixed_small"), ("large", "fixed_large")])
def test_ddpm(variance: Any, theirs: str) -> None:
    scheduler = DDPMScheduler(**SD, variance_type=theirs, clip_sample=False, timestep_spacing="leading")
    scheduler.set_timesteps(STEPS)
    along_vp(scheduler, DDPM(variance=variance), 0, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_ddim(spacing: str, eta: float) -> None:
    offset = 1 if spacing == "leading" else 0
    scheduler = DDIMScheduler(**SD, clip_sample=False, timestep_spacing=spacing, steps_offset=offset)
    scheduler.set_timesteps(STEPS)
    noise = draws()
    along_vp(scheduler, DDIM(eta=eta), offset, each=lambda i: {"eta": eta, "variance_noise": noise(i, 0).float()})


def along_vp(
    scheduler: Any,
    sampler: Sampler,
    offset: int,
    *,
    each: Callable[[int], dict[str, Any]] | None = None,
    **options: Any,
) -> None:
    """Schedulers that step in x_vp = x / sqrt(1 + sigma^2)."""
    schedule = table_of(scheduler)
    sigmas = grid_of(schedule, scheduler.config.timestep_spacing, offset)
    assert [int(t) for t in scheduler.timesteps] == schedule.time(sigmas[:-1]).round().long().tolist()
    oracle, scale = Oracle(oracle_schedule=schedule), (sigmas**2 + 1).rsqrt()
    x = start(sigmas)
    sample = (x * scale[0]).float()
    for i, found in enumerate(ours(sampler, oracle, sigmas, x)):
        eps = eps_of(oracle, sample / scale[i], sigmas[i])
        more = each(i) if each else options
        sample = scheduler.step(eps, scheduler.timesteps[i], sample, **more).prev_sample
        close(found * scale[i + 1], sample)


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize(
    ("kind", "sampler"),
    [(EulerDiscreteScheduler, Euler()), (EulerAncestralDiscreteScheduler, EulerAncestral())],
    ids=["euler", "euler_ancestral"],
)
def test_euler(kind: Any, sampler: Sampler, spacing: str) -> None:
    scheduler = kind(**SD, timestep_spacing=spacing)
    scheduler.set_timesteps(STEPS)
    schedule = table_of(scheduler)
    sigmas = grid_of(schedule, spacing)
    torch.testing.assert_close(scheduler.sigmas.double(), sigmas, rtol=1e-4, atol=0)
    along_ve(scheduler, sampler, scheduler.sigmas.double())


@pytest.mark.parametrize(
    ("option", "levels"),
    [("use_karras_sigmas", lambda low, high: karras_levels(STEPS, low, high, 7.0)),
     ("use_exponential_sigmas", lambda low, high: exponential_levels(STEPS, low, high))],
)  # fmt: skip
def test_grids_and_euler_on_them(option: str, levels: Callable[[float, float], Tensor]) -> None:
    scheduler = EulerDiscreteScheduler(**SD, **{option: True}, timestep_spacing="linspace")
    scheduler.set_timesteps(STEPS)
    schedule = DiscreteVP(alpha_bar=table_of(scheduler).alpha_bar)
    sigmas = levels(schedule.sigma_min, schedule.sigma_max)
    torch.testing.assert_close(scheduler.sigmas.double(), sigmas, rtol=1e-4, atol=0)
    along_ve(scheduler, Euler(), scheduler.sigmas.double())


def along_ve(scheduler: Any, sampler: Sampler, sigmas: Tensor) -> None:
    """Schedulers that step in x; Euler's ancestral one draws noise from a generator."""
    oracle, x = Oracle(oracle_schedule=table_of(scheduler)), start(sigmas)
    generator, sample = torch.Generator().manual_seed(5), x.float()
    for i, found in enumerate(ours(sampler, oracle, sigmas, x)):
        scheduler.scale_model_input(sample, scheduler.timesteps[i])
        eps = eps_of(oracle, sample, sigmas[i])
        sample = scheduler.step(eps, scheduler.timesteps[i], sample, generator=generator).prev_sample
        close(found, sample)


@pytest.mark.parametrize("karras", [False, True])
def test_heun(karras: bool) -> None:
    scheduler = HeunDiscreteScheduler(**SD, timestep_spacing="trailing", use_karras_sigmas=karras)
    scheduler.set_timesteps(STEPS)
    levels = scheduler.sigmas.double()
    sigmas = torch.cat([levels[::2], levels[-1:]])  # each level is there twice, but the first and the last
    assert len(sigmas) == STEPS + 1
    oracle = Oracle(oracle_schedule=table_of(scheduler))
    x = start(sigmas)
    sample, call = x.float(), 0
    for i, found in enumerate(ours(Heun(), oracle, sigmas, x)):
        for level in (sigmas[i], sigmas[i + 1])[: 2 if i < STEPS - 1 else 1]:
            scheduler.scale_model_input(sample, scheduler.timesteps[call])
            sample = scheduler.step(eps_of(oracle, sample, level), scheduler.timesteps[call], sample).prev_sample
            call += 1
        close(found, sample)
    assert call == len(scheduler.timesteps)


@pytest.mark.parametrize("karras", [False, True])
def test_dpmpp_2m(karras: bool) -> None:
    scheduler = DPMSolverMultistepScheduler(
        **SD, timestep_spacing="trailing", use_karras_sigmas=karras, final_sigmas_type="zero"
    )
    scheduler.set_timesteps(STEPS)
    sigmas = scheduler.sigmas.double()
    oracle, scale = Oracle(oracle_schedule=table_of(scheduler)), (sigmas**2 + 1).rsqrt()
    x = start(sigmas)
    sample = (x * scale[0]).float()
    for i, found in enumerate(ours(DPMpp2M(), oracle, sigmas, x)):
        eps = eps_of(oracle, sample / scale[i], sigmas[i])
        sample = scheduler.step(eps, scheduler.timesteps[i], sample).prev_sample
        close(found * scale[i + 1], sample)


def test_dpmpp_2m_on_a_flow() -> None:
    """Their grid starts below pure noise there, so ours is given to both."""
    scheduler = DPMSolverMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, final_sigmas_type="zero"
    )
    scheduler.set_timesteps(STEPS)
    sigmas = scheduler.sigmas.double()
    assert float(sigmas[0]) < 1.0
    oracle = Oracle(oracle_schedule=FLOW)
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)).double()
    sample = x.float()
    for i, found in enumerate(ours(DPMpp2M(), oracle, sigmas, x)):
        sample = scheduler.step(eps_of(oracle, sample, sigmas[i]), scheduler.timesteps[i], sample).prev_sample
        close(found, sample)


def test_euler_on_a_flow() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=1.0)
    scheduler.set_timesteps(sigmas=flow_sigmas(STEPS, shift=3.0).values[:-1].tolist())
    sigmas = flow_sigmas(STEPS, shift=3.0).values
    torch.testing.assert_close(scheduler.sigmas.double(), sigmas, rtol=0, atol=1e-6)
    oracle, x = Oracle(oracle_schedule=FLOW), torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)).double()
    sample = x.float()
    for i, found in enumerate(ours(Euler(), oracle, sigmas, x)):
        sample = scheduler.step(eps_of(oracle, sample, sigmas[i]), scheduler.timesteps[i], sample).prev_sample
        close(found, sample)
