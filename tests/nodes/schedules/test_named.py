"""Grids by name on Stable Diffusion's table, beside numbers worked out in NumPy."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph import InvalidInput
from nodes.schedules.discrete import discrete_sigmas, spaced_steps
from nodes.schedules.exponential import exponential_sigmas
from nodes.schedules.named import Scheduler
from nodes.schedules.noise import DiscreteVP, alpha_bar_table
from nodes.schedules.scheduler import scheduler_sigmas
from nodes.types import Denoiser

from ..oracles import SPACE, affine_denoiser

BETAS = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
ALPHA_BAR = np.cumprod(1 - BETAS)
SIGMAS = np.sqrt(1 / ALPHA_BAR - 1)
"""Of each training step."""


def stable_diffusion() -> Denoiser:
    base = affine_denoiser("eps")
    schedule = DiscreteVP(alpha_bar=alpha_bar_table("scaled_linear", 1000, 0.00085, 0.012))
    return Denoiser(
        network=base.network,
        predict=base.predict,
        parameterisation=base.parameterisation,
        schedule=schedule,
        space=SPACE,
    )


def at(times: Any) -> Any:
    """Levels at training times, ln(sigma) between two steps being linear."""
    return np.exp(np.interp(times, np.arange(1000), np.log(SIGMAS)))


LOW, HIGH = SIGMAS[0], SIGMAS[-1]
WANTED = {
    "normal": at(np.linspace(999, 0, 20)),
    "sgm_uniform": at(np.linspace(999, 0, 21)[:-1]),
    "simple": SIGMAS[[999 - 50 * i for i in range(20)]],
    "ddim_uniform": SIGMAS[[951 - 50 * i for i in range(20)]],
    "karras": np.linspace(HIGH ** (1 / 7), LOW ** (1 / 7), 20) ** 7,
    "exponential": np.geomspace(HIGH, LOW, 20),
}


@pytest.mark.parametrize("scheduler", get_args(Scheduler))
def test_twenty_steps(scheduler: Scheduler) -> None:
    found = scheduler_sigmas(stable_diffusion(), scheduler, 20).values
    assert float(found[-1]) == 0.0
    np.testing.assert_allclose(found[:-1].numpy(), WANTED[scheduler], rtol=1e-9)


PUBLISHED = [14.6146, 10.7468, 8.0815, 6.2049, 4.8557, 3.8654, 3.1238, 2.5572, 2.1157, 1.7648, 1.4806, 1.2458]
PUBLISHED += [1.0481, 0.8784, 0.7297, 0.5964, 0.4736, 0.3555, 0.2322, 0.0292, 0.0]
"""The page of ComfyUI's documentation on data types gives these for `normal`, 20 steps and SDXL, which has this table."""


def test_published_levels() -> None:
    assert scheduler_sigmas(stable_diffusion()).values.tolist() == pytest.approx(PUBLISHED, abs=6e-5)


@pytest.mark.parametrize("steps", [1, 7, 30, 49, 999, 1000])
def test_simple_takes_every_so_many_levels(steps: int) -> None:
    taken = 999 - (np.arange(steps) * (1000 / steps)).astype(int)
    found = scheduler_sigmas(stable_diffusion(), "simple", steps).values[:-1]
    np.testing.assert_allclose(found.numpy(), SIGMAS[taken], rtol=1e-9)


@pytest.mark.parametrize("scheduler", get_args(Scheduler))
@pytest.mark.parametrize(("steps", "denoise", "whole"), [(20, 0.5, 40), (20, 0.55, 36), (7, 0.3, 23), (1, 0.01, 100)])
def test_less_denoising_takes_the_end_of_a_longer_grid(
    scheduler: Scheduler, steps: int, denoise: float, whole: int
) -> None:
    model = stable_diffusion()
    found = scheduler_sigmas(model, scheduler, steps, denoise).values
    assert len(found) == steps + 1
    assert torch.equal(found, scheduler_sigmas(model, scheduler, whole).values[-steps - 1 :])


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 999), st.sampled_from(get_args(Scheduler)), st.floats(0.2, 1))
def test_they_are_grids(steps: int, scheduler: Scheduler, denoise: float) -> None:
    model = affine_denoiser("eps")
    try:
        grid = scheduler_sigmas(model, scheduler, steps, denoise)  # the constructor checks descent and the last 0
    except InvalidInput:
        assert scheduler in ("simple", "ddim_uniform")
        assert int(steps / denoise) > 1000
        return
    if scheduler == "ddim_uniform":
        assert abs(grid.steps - steps) <= max(1, 1000 // steps, steps)
    else:
        assert grid.steps == steps


def test_ddim_uniform_may_take_one_step_more() -> None:
    """1000 // 30 = 33: steps 1, 34, ... 991 are 31, as in the original latent diffusion."""
    found = scheduler_sigmas(stable_diffusion(), "ddim_uniform", 30).values
    np.testing.assert_allclose(found[:-1].numpy(), SIGMAS[1::33][::-1], rtol=1e-9)
    assert len(found) == 32


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not trained on a table"):
        scheduler_sigmas(affine_denoiser("flow"))
    with pytest.raises(InvalidInput, match="has 1000 steps"):
        scheduler_sigmas(stable_diffusion(), "simple", 1001)
    with pytest.raises(InvalidInput, match="grid of 1200"):
        scheduler_sigmas(stable_diffusion(), "ddim_uniform", 600, 0.5)
    with pytest.raises(InvalidInput, match="fixed end"):
        discrete_sigmas(stable_diffusion(), 10, "trailing", offset=1)
    with pytest.raises(InvalidInput, match="use at most 19"):
        discrete_sigmas(stable_diffusion(), 50, "leading", offset=20)


def test_exponential_levels_are_each_the_same_part_of_the_one_before() -> None:
    found = exponential_sigmas(stable_diffusion(), 12, denoise=0.5).values[:-1]
    ratios = found[1:] / found[:-1]
    torch.testing.assert_close(ratios, ratios[:1].expand_as(ratios), rtol=1e-12, atol=0)
    assert float(found[0]) == pytest.approx((LOW * HIGH) ** 0.5, rel=1e-9)
    assert float(found[-1]) == pytest.approx(LOW, rel=1e-9)


def test_leading_steps_of_stable_diffusion() -> None:
    assert spaced_steps("leading", 1000, 50, 1).tolist() == list(range(981, 0, -20))
    theirs = DDIMScheduler(num_train_timesteps=1000, steps_offset=1)
    theirs.set_timesteps(50)
    model = stable_diffusion()
    grid = discrete_sigmas(model, 50, "leading", offset=1)
    assert model.schedule.time(grid.values[:-1]).tolist() == theirs.timesteps.tolist()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("scheduler", ["karras", "exponential", "normal"])
def test_beside_diffusers(scheduler: Scheduler) -> None:
    """Their alpha-bars are products of float32 numbers."""
    option = {"karras": {"use_karras_sigmas": True}, "exponential": {"use_exponential_sigmas": True}, "normal": {}}
    theirs = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="linspace",
        interpolation_type="log_linear" if scheduler == "exponential" else "linear",
        **option[scheduler],
    )
    theirs.set_timesteps(20)
    found = scheduler_sigmas(stable_diffusion(), scheduler, 20).values
    torch.testing.assert_close(found, theirs.sigmas.double(), rtol=2e-4, atol=0)
