"""Keeping part of a latent, dividing runs: every sampler, exact to the bit."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodes.noise import INITIAL, SeededNoise
from nodes.samplers.dpmpp_2m import DPMpp2M
from nodes.samplers.euler import Euler
from nodes.samplers.inpainting import Inpainting, latent_mask, noised, passed
from nodes.samplers.loop import drive
from nodes.samplers.sample import sample
from nodes.schedules.flow import flow_sigmas
from nodes.types import Latent, Mask, Sampler, Sigmas

from ..oracles import FLOW, SPACE, VE, VP, Oracle
from ..test_samplers import SAMPLERS

GIVEN = Latent(samples=torch.randn(2, 1, 4, 6, generator=torch.Generator().manual_seed(7)), space=SPACE)
HALF = Mask(values=torch.cat([torch.zeros(1, 1, 4, 3), torch.ones(1, 1, 4, 3)], dim=3))
SIGMAS = flow_sigmas(5)


def oracle() -> Oracle:
    return Oracle(oracle_schedule=FLOW)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("mode", ["soft", "hard", "differential"])
def test_empty_and_full_masks_are_exact(sampler: Sampler, mode: str) -> None:
    plain = sample(oracle(), sampler, SIGMAS, GIVEN, 3).samples
    full = Mask(values=torch.ones(1, 1, 4, 6))
    nothing = Mask(values=torch.zeros(2, 1, 4, 6))
    assert torch.equal(sample(oracle(), sampler, SIGMAS, GIVEN, 3, mask=full, mask_mode=mode).samples, plain)  # type: ignore[arg-type]
    assert torch.equal(sample(oracle(), sampler, SIGMAS, GIVEN, 3, mask=nothing, mask_mode=mode).samples, GIVEN.samples)  # type: ignore[arg-type]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("mode", ["soft", "hard", "differential"])
def test_what_is_kept_is_exact_and_the_rest_is_as_without(sampler: Sampler, mode: str) -> None:
    """The oracle looks at each position alone, so what is made anew does not depend on what is kept."""
    plain = sample(oracle(), sampler, SIGMAS, GIVEN, 3).samples
    found = sample(oracle(), sampler, SIGMAS, GIVEN, 3, mask=HALF, mask_mode=mode).samples  # type: ignore[arg-type]
    assert torch.equal(found[..., :3], GIVEN.samples[..., :3])
    assert torch.equal(found[..., 3:], plain[..., 3:])


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
def test_the_network_sees_the_kept_part_at_the_level_of_the_evaluation(schedule: object) -> None:
    seen: list[tuple[Tensor, float]] = []

    class Looking(Oracle):
        def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
            seen.append((x, float(sigma)))
            return super().denoise(x, sigma)

    guider = Looking(oracle_schedule=schedule)  # type: ignore[arg-type]
    levels = [0.9, 0.5, 0.2, 0.0]
    sample(guider, Euler(), Sigmas.of(levels), GIVEN, 3, mask=HALF)
    noise = SeededNoise(seed=3, shape=(2, 1, 4, 6))(INITIAL, 0)
    assert [level for _, level in seen] == levels[:-1]
    for x, level in seen:
        sigma = torch.tensor(level, dtype=torch.float64)
        wanted = noised(GIVEN.samples, noise, sigma, guider.schedule)
        assert torch.equal(x[..., :3], wanted[..., :3])


def test_a_soft_mask_mixes_the_denoised() -> None:
    """One step to 0 gives the denoised latent: D m + given (1 - m), D being asked at the mixture."""
    m = torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(0))
    guider = Oracle(oracle_schedule=FLOW, deviation=0.0)  # its answer is 0.3 whatever it is asked
    found = sample(guider, Euler(), flow_sigmas(1), GIVEN, 3, mask=Mask(values=m)).samples
    torch.testing.assert_close(found, 0.3 * m + GIVEN.samples * (1 - m), rtol=0, atol=1e-6)


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
def test_differential_masks_open_by_their_values(schedule: object) -> None:
    """Monotone in the value and in time; 1 is open from the start, 0 never."""
    levels = torch.linspace(1.0, 0.0, 11)[:-1].double() * schedule.sigma_max  # type: ignore[attr-defined]
    mask = torch.linspace(0, 1, 6).reshape(1, 1, 1, 6)
    keeping = Inpainting(
        denoise=Oracle(oracle_schedule=schedule), clean=mask, noise=mask, mask=mask,  # type: ignore[arg-type]
        highest=float(levels[0]), mode="differential",
    )  # fmt: skip
    opened = torch.cat([keeping.anew(level) for level in levels])[:, 0, 0]
    assert bool((opened.diff(dim=1) >= 0).all())
    assert bool((opened.diff(dim=0) >= 0).all())
    assert bool((opened[:, 5] == 1).all())
    assert bool((opened[:, 0] == 0).all())
    assert opened[0].tolist() == [0, 0, 0, 0, 0, 1]


def test_time_passes_evenly_in_what_the_network_is_told() -> None:
    assert passed(FLOW, 1.0, 0.7) == pytest.approx(0.3 / 0.999)
    assert passed(FLOW, 0.5, 0.7) == 0.0
    assert passed(VP, VP.sigma_max, float(VP.levels[249])) == pytest.approx(750 / 999)
    assert passed(VP, VP.sigma_min, VP.sigma_min) == 1.0


def test_a_mask_of_the_pictures_size_is_averaged() -> None:
    values = torch.zeros(1, 1, 8, 16)
    values[..., :5] = 1.0
    assert latent_mask(values, 2, 4)[0, 0].tolist() == [[1.0, 0.25, 0.0, 0.0]] * 2
    assert latent_mask(values, 8, 16) is values


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("stop", [1, 3])
def test_resuming_with_a_mask_gives_the_same_bits(sampler: Sampler, stop: int) -> None:
    source = SeededNoise(seed=3, shape=(2, 1, 4, 6))
    keeping = Inpainting(
        denoise=oracle(), clean=GIVEN.samples, noise=source(INITIAL, 0), mask=HALF.values, highest=1.0,
    )  # fmt: skip
    start = sampler.init(source(INITIAL, 0), SIGMAS.values)
    whole = drive(sampler, keeping, source, start)
    half = drive(sampler, keeping, source, start, last=stop)
    assert torch.equal(drive(sampler, keeping, source, half, first=stop).x, whole.x)


@pytest.mark.parametrize("sampler", [each for each in SAMPLERS if not isinstance(each, DPMpp2M)], ids=str)
@pytest.mark.parametrize("stop", [1, 4])
def test_a_divided_run_is_the_whole_run(sampler: Sampler, stop: int) -> None:
    whole = sample(oracle(), sampler, SIGMAS, GIVEN, 3).samples
    first = sample(oracle(), sampler, SIGMAS, GIVEN, 3, end_step=stop)
    second = sample(oracle(), sampler, SIGMAS, first, 3, start_step=stop, add_noise=False).samples
    assert torch.equal(second, whole)
    assert not torch.equal(first.samples, whole)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_a_run_that_starts_later_is_that_of_the_later_levels(sampler: Sampler) -> None:
    """Image to image by steps or by levels; step 0 of the shorter grid draws other noise, so without any."""
    guider = oracle()
    sample(guider, sampler, SIGMAS, GIVEN, 3, start_step=2)
    asked = list(guider.asked)
    short = oracle()
    sample(short, sampler, Sigmas(values=SIGMAS.values[2:]), GIVEN, 3)
    assert len(asked) == len(short.asked)
    if "churn=3" not in str(sampler):
        assert asked == short.asked


def test_what_is_kept_of_a_run_that_stops_has_the_noise_of_its_level() -> None:
    found = sample(oracle(), Euler(), SIGMAS, GIVEN, 3, mask=HALF, end_step=2).samples
    noise = SeededNoise(seed=3, shape=(2, 1, 4, 6))(INITIAL, 0)
    wanted = noised(GIVEN.samples, noise, SIGMAS.values[2], FLOW)
    assert torch.equal(found[..., :3], wanted[..., :3])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"3 x 4.*the latent is 6 x 4, its picture 6 x 4"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, mask=Mask(values=torch.ones(1, 1, 4, 3)))
    with pytest.raises(InvalidInput, match="there are 2 latents"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, mask=Mask(values=torch.ones(3, 1, 4, 6)))
    with pytest.raises(InvalidInput, match="does not tell what is to be kept"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, mask=HALF, add_noise=False)
    with pytest.raises(InvalidInput, match="the levels have 5 steps"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, end_step=6)
    with pytest.raises(InvalidInput, match="no step is left before the end after 3"):
        sample(oracle(), Euler(), SIGMAS, GIVEN, start_step=3, end_step=3)
