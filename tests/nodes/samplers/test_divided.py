"""Runs that are divided into several nodes, and runs that start later."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodegraph.testing import RecordingContext
from nodes.noise import INITIAL, SeededNoise
from nodes.samplers.dpmpp_2m import DPMpp2M
from nodes.samplers.euler import Euler
from nodes.samplers.loop import drive
from nodes.samplers.masked import Masked, Masking, start
from nodes.samplers.sample import sample
from nodes.schedules.flow import flow_sigmas
from nodes.types import Latent, Mask, Sampler, Sigmas

from ..oracles import FLOW, SPACE, Oracle
from ..test_samplers import SAMPLERS

SHAPE = (2, 1, 4, 6)
GIVEN = Latent(samples=torch.randn(SHAPE, generator=torch.Generator().manual_seed(7)), space=SPACE)
HALF = Mask(values=torch.cat([torch.zeros(1, 1, 4, 3), torch.ones(1, 1, 4, 3)], dim=3))
SIGMAS = flow_sigmas(5)
MEMORYLESS = [each for each in SAMPLERS if not isinstance(each, DPMpp2M)]


def oracle() -> Oracle:
    return Oracle(oracle_schedule=FLOW)


@pytest.mark.parametrize("sampler", MEMORYLESS, ids=str)
@pytest.mark.parametrize("stop", [1, 4])
def test_a_divided_run_is_the_whole_run(sampler: Sampler, stop: int) -> None:
    whole = sample(oracle(), sampler, SIGMAS, GIVEN, 3).samples
    first = sample(oracle(), sampler, SIGMAS, GIVEN, 3, end_step=stop)
    second = sample(oracle(), sampler, SIGMAS, first, 3, start_step=stop, add_noise=False).samples
    assert torch.equal(second, whole)
    assert not torch.equal(first.samples, whole)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_a_run_that_starts_later_begins_with_the_noise_of_its_level(sampler: Sampler) -> None:
    noise = SeededNoise(seed=3, shape=SHAPE)
    x = start(GIVEN.samples, noise(INITIAL, 0), SIGMAS.values[2], FLOW)
    wanted = drive(sampler, oracle(), noise, sampler.init(x, SIGMAS.values), first=2).x
    assert torch.equal(sample(oracle(), sampler, SIGMAS, GIVEN, 3, start_step=2).samples, wanted)


def test_starting_later_is_starting_from_a_lower_level() -> None:
    later = sample(oracle(), Euler(), SIGMAS, GIVEN, 3, start_step=2).samples
    lower = sample(oracle(), Euler(), Sigmas(values=SIGMAS.values[2:]), GIVEN, 3).samples
    assert torch.equal(later, lower)


def test_only_the_steps_between_are_taken_and_counted(ctx: RecordingContext) -> None:
    guider = oracle()
    sample(guider, Euler(), SIGMAS, GIVEN, 3, start_step=1, end_step=3, ctx=ctx)
    assert guider.asked == SIGMAS.values[1:3].tolist()
    assert [(each.done, each.total) for each in ctx.reported] == [(0, 2), (1, 2), (2, 2)]


def test_what_is_kept_of_a_run_that_stops_has_the_noise_of_its_level() -> None:
    found = sample(oracle(), Euler(), SIGMAS, GIVEN, 3, mask=HALF, end_step=2).samples
    wanted = start(GIVEN.samples, SeededNoise(seed=3, shape=SHAPE)(INITIAL, 0), SIGMAS.values[2], FLOW)
    assert torch.equal(found[..., :3], wanted[..., :3])


@pytest.mark.parametrize("masking", ["soft", "differential"])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("stop", [1, 3])
def test_resuming_with_a_mask_gives_the_same_bits(sampler: Sampler, stop: int, masking: Masking) -> None:
    source = SeededNoise(seed=3, shape=SHAPE)
    mask = torch.linspace(0, 1, 6).expand(1, 1, 4, 6)

    def masked() -> Masked:
        return Masked(oracle().denoise, FLOW, GIVEN.samples, source(INITIAL, 0), mask, masking, SIGMAS.values)

    begin = sampler.init(source(INITIAL, 0), SIGMAS.values)
    whole: Tensor = drive(sampler, masked(), source, begin).x
    half = drive(sampler, masked(), source, begin, last=stop)
    assert torch.equal(drive(sampler, masked(), source, half, first=stop).x, whole)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="does not tell what is to be kept"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, mask=HALF, add_noise=False)
    with pytest.raises(InvalidInput, match="the levels have 5 steps"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, end_step=6)
    with pytest.raises(InvalidInput, match="no step is left before the end after 3"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, start_step=3, end_step=3)
