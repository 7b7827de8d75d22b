"""Samplings of a part of the steps: in two halves, between two models, and by diffusers' strength."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nodegraph import InvalidInput
from nodes.noise import INITIAL, noise_source
from nodes.samplers.ddim import ddim
from nodes.samplers.ddpm import ddpm
from nodes.samplers.dpmpp_2m import dpmpp_2m
from nodes.samplers.euler import euler
from nodes.samplers.euler_ancestral import euler_ancestral
from nodes.samplers.heun import heun
from nodes.samplers.sample import sample
from nodes.schedules.named import named_levels
from nodes.schedules.noise import DiscreteVP
from nodes.types import Latent, Mask, Sampler, Sigmas

from ..oracles import FLOW, SPACE, VE, VP, Oracle

GRIDS = {"flow": [1.0, 0.8, 0.55, 0.3, 0.1, 0.0], "ve": [20.0, 5.0, 2.0, 0.7, 0.2, 0.0]}
MEMORYLESS = [euler(), euler(s_churn=4.0), heun(), euler_ancestral(), ddpm(), ddim(), ddim(eta=1.0)]


def picture() -> Latent:
    return Latent(samples=torch.randn(2, 1, 4, 6, generator=torch.Generator().manual_seed(3)), space=SPACE)


def run(schedule: str, sampler: Sampler, latent: Latent | None = None, **more: Any) -> Latent:
    oracle = Oracle(oracle_schedule={"flow": FLOW, "ve": VE}[schedule])
    return sample(oracle, sampler, Sigmas.of(GRIDS[schedule]), latent or picture(), seed=5, **more)


@pytest.mark.parametrize("sampler", MEMORYLESS, ids=str)
@pytest.mark.parametrize("schedule", ["flow", "ve"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cut", [0, 2, 5])
def test_two_parts_are_the_undivided_run(schedule: str, sampler: Sampler, masked: bool, cut: int) -> None:
    more: dict[str, Any] = {"mask": Mask(values=torch.linspace(0, 1, 24).reshape(1, 1, 4, 6))} if masked else {}
    half = run(schedule, sampler, until=cut, **more)
    kept = {"original": picture()} if masked else {}
    found = run(schedule, sampler, half, start=cut, add_noise=False, **more, **kept)
    assert torch.equal(found.samples, run(schedule, sampler, **more).samples)


def test_a_sampler_with_a_memory_loses_it_between_two_parts() -> None:
    half = run("ve", dpmpp_2m(), until=2)
    found = run("ve", dpmpp_2m(), half, start=2, add_noise=False).samples
    whole = run("ve", dpmpp_2m()).samples
    assert not torch.equal(found, whole)
    torch.testing.assert_close(found, whole, rtol=0.05, atol=0.05)


def test_no_step_gives_the_latent_with_the_noise_of_its_level() -> None:
    noise = noise_source("per item", 5, (2, 1, 4, 6))(INITIAL, 0)
    found = run("flow", euler(), until=0, start=0).samples
    assert torch.equal(found, noise)
    found = run("flow", euler(), until=2, start=2).samples
    torch.testing.assert_close(found, 0.45 * picture().samples + 0.55 * noise)
    assert torch.equal(run("ve", euler(), start=5).samples, picture().samples)


def test_another_model_may_take_over() -> None:
    first = Oracle(oracle_schedule=VE, mean=-1.0)
    second = Oracle(oracle_schedule=VE, mean=2.0, deviation=0.01)
    grid = Sigmas.of(GRIDS["ve"])
    half = sample(first, euler(), grid, picture(), until=2)
    found = sample(second, euler(), grid, half, start=2, add_noise=False).samples
    assert (first.asked, second.asked) == (GRIDS["ve"][:2], GRIDS["ve"][2:5])
    torch.testing.assert_close(found, torch.full_like(found, 2.0), rtol=0, atol=0.1)


@pytest.mark.parametrize("strength", [0.0, 0.01, 0.3, 0.5, 0.59, 0.75, 1.0])
@pytest.mark.parametrize("steps", [1, 7, 20, 50])
def test_a_strength_takes_the_steps_that_diffusers_takes(steps: int, strength: float) -> None:
    from diffusers import DDIMScheduler, StableDiffusionImg2ImgPipeline

    scheduler = DDIMScheduler(timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    pipeline: Any = type("Pipeline", (), {"scheduler": scheduler})()
    wanted, count = StableDiffusionImg2ImgPipeline.get_timesteps(pipeline, steps, strength, "cpu")
    times = torch.tensor([float(each) for each in scheduler.timesteps], dtype=torch.float64)
    grid = Sigmas(values=torch.cat([VP.level(times), torch.zeros(1, dtype=torch.float64)]))
    oracle = Oracle(oracle_schedule=VP)
    start = steps - int(steps * strength)
    found = sample(oracle, euler(), grid, picture(), start=start).samples
    assert len(oracle.asked) == count == len(wanted)
    assert [float(VP.time(torch.tensor(each).double())) for each in oracle.asked] == pytest.approx(wanted.tolist())
    if count == 0:
        assert torch.equal(found, picture().samples)


@pytest.mark.parametrize(("steps", "denoise"), [(20, 0.5), (7, 0.3), (10, 0.99), (3, 1.0)])
def test_denoise_walks_the_end_of_a_longer_grid(steps: int, denoise: float) -> None:
    """ComfyUI's rule: always `steps` steps, of a grid for int(steps / denoise)."""
    schedule: DiscreteVP = VP
    table = [float(each) for each in schedule.levels]
    grid = named_levels("normal", table, steps, denoise)
    assert len(grid) == steps + 1
    assert grid == named_levels("normal", table, int(steps / denoise))[-steps - 1 :]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"until": 6}, "the grid has 5 steps"),
        ({"start": 6}, "the grid has 5 steps"),
        ({"start": 3, "until": 2}, "last step taken is number 2"),
        ({"add_noise": False, "mask": Mask(values=torch.ones(1, 1, 4, 6))}, "noisy already"),
    ],
)
def test_parts_that_there_are_not_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        run("flow", euler(), **more)
