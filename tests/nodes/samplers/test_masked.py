"""Masks in `sample`: what stays, what is made anew, and when."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodes.noise import INITIAL, noise_source
from nodes.samplers.ddim import ddim
from nodes.samplers.ddpm import ddpm
from nodes.samplers.dpmpp_2m import dpmpp_2m
from nodes.samplers.euler import euler
from nodes.samplers.euler_ancestral import euler_ancestral
from nodes.samplers.heun import heun
from nodes.samplers.masked import Masked, Masking, latent_mask, released
from nodes.samplers.sample import sample
from nodes.schedules.noise import NoiseSchedule
from nodes.types import Latent, Mask, Sampler, Sigmas

from ..oracles import FLOW, SPACE, VE, Oracle

SAMPLERS = [euler(), euler(s_churn=4.0), heun(), euler_ancestral(), ddpm(), dpmpp_2m(), ddim(), ddim(eta=1.0)]
GRIDS = {"flow": [1.0, 0.8, 0.55, 0.3, 0.1, 0.0], "ve": [20.0, 5.0, 2.0, 0.7, 0.2, 0.0]}
SCHEDULES: dict[str, NoiseSchedule] = {"flow": FLOW, "ve": VE}

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
every_schedule = pytest.mark.parametrize("schedule", ["flow", "ve"])
every_masking = pytest.mark.parametrize("masking", ["soft", "differential"])


def picture(batch: int = 2) -> Latent:
    return Latent(samples=torch.randn(batch, 1, 6, 8, generator=torch.Generator().manual_seed(3)) * 1.7, space=SPACE)


def run(schedule: str, sampler: Sampler, mask: Tensor | None, masking: Masking = "soft", batch: int = 2) -> Tensor:
    oracle = Oracle(oracle_schedule=SCHEDULES[schedule])
    given = None if mask is None else Mask(values=mask)
    grid = Sigmas.of(GRIDS[schedule])
    return sample(oracle, sampler, grid, picture(batch), seed=5, mask=given, masking=masking).samples


def half() -> Tensor:
    mask = torch.zeros(1, 1, 6, 8)
    mask[..., 3:] = 1.0
    return mask


@every_sampler
@every_schedule
@every_masking
def test_an_empty_mask_gives_the_latent_and_a_full_one_changes_nothing(
    schedule: str, sampler: Sampler, masking: Masking
) -> None:
    assert torch.equal(run(schedule, sampler, torch.zeros(1, 1, 6, 8), masking), picture().samples)
    assert torch.equal(run(schedule, sampler, torch.ones(1, 1, 6, 8), masking), run(schedule, sampler, None))


@every_sampler
@every_schedule
def test_outside_the_mask_nothing_changes_and_inside_each_pixel_is_its_own(schedule: str, sampler: Sampler) -> None:
    """The oracle looks at each pixel alone, so that what is inside is as if there were no mask."""
    found, plain, mask = run(schedule, sampler, half()), run(schedule, sampler, None), half().expand(2, 1, 6, 8)
    assert torch.equal(found[mask == 0], picture().samples[mask == 0])
    assert torch.equal(found[mask == 1], plain[mask == 1])


def test_at_each_evaluation_the_model_sees_the_original_with_the_noise_of_the_start() -> None:
    seen: list[tuple[float, Tensor]] = []

    class Spy(Oracle):
        def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
            seen.append((float(sigma), x))
            return super().denoise(x, sigma)

    sample(Spy(oracle_schedule=FLOW), heun(), Sigmas.of(GRIDS["flow"]), picture(), seed=5, mask=Mask(values=half()))
    noise = noise_source("per item", 5, (2, 1, 6, 8))(INITIAL, 0)
    assert len(seen) == 9
    for sigma, x in seen:
        torch.testing.assert_close(x[..., :3], ((1 - sigma) * picture().samples + sigma * noise)[..., :3])


def test_a_soft_mask_blends_old_and_new() -> None:
    """In one step from pure noise D is the mean of the data, whatever x is."""
    mask = torch.rand(2, 1, 6, 8, generator=torch.Generator().manual_seed(1))
    oracle = Oracle(oracle_schedule=FLOW, mean=0.3)
    found = sample(oracle, euler(), Sigmas.of([1.0, 0.0]), picture(), mask=Mask(values=mask)).samples
    torch.testing.assert_close(found, mask * 0.3 + (1 - mask) * picture().samples)


def test_a_place_is_released_when_no_more_of_the_grid_is_left_than_its_mask() -> None:
    sigmas = Sigmas.of(GRIDS["ve"]).values
    mask = torch.tensor([0.0, 0.2, 0.21, 0.5, 0.8, 1.0]).reshape(1, 1, 2, 3)
    found = [released(mask, sigmas, sigma).flatten().tolist() for sigma in sigmas[:-1]]
    assert found == [
        [0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 1],
        [0, 0, 0, 0, 1, 1],
        [0, 0, 0, 1, 1, 1],
        [0, 1, 1, 1, 1, 1],
    ]
    between = [float(released(mask, sigmas, torch.tensor(sigma)).sum()) for sigma in (25.0, 20.0, 3.0, 0.5, 0.1, 0.0)]
    assert between == sorted(between)
    assert between[-1] == 5


def test_the_lower_the_mask_the_less_changes() -> None:
    """Differential: the later a place is released, the nearer it ends to the original."""
    mask = torch.linspace(0, 1, 8).expand(1, 1, 6, 8).contiguous()
    oracle = Oracle(oracle_schedule=FLOW, mean=-3.0, deviation=0.05)
    same = Latent(samples=torch.full((1, 1, 6, 8), 2.0), space=SPACE)
    grid = Sigmas.of(torch.linspace(1, 0, 21).tolist())
    found = sample(oracle, ddim(), grid, same, mask=Mask(values=mask), masking="differential").samples
    change = (found - 2.0).abs().mean(dim=2).flatten().tolist()
    assert change[0] == 0.0
    assert change == sorted(change)


def test_a_mask_of_the_picture_is_reduced_by_means() -> None:
    values = torch.rand(3, 1, 12, 16, generator=torch.Generator().manual_seed(0))
    found = latent_mask(Mask(values=values), 3, 6, 8, 2)
    torch.testing.assert_close(found, values.reshape(3, 1, 6, 2, 8, 2).mean(dim=(3, 5)))
    assert latent_mask(Mask(values=values), 3, 12, 16, 2) is values


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 1, 8, 6), "6 x 8.*latent is 8 x 6, its picture 8 x 6"), ((3, 1, 6, 8), "3 masks.*2 pictures")],
)
def test_masks_that_do_not_fit_are_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        run("flow", euler(), torch.ones(shape))


def test_each_picture_may_have_its_mask_and_a_run_repeats_itself() -> None:
    both = torch.cat([half(), 1 - half()])
    found = run("flow", euler_ancestral(), both, "differential")
    assert torch.equal(found, run("flow", euler_ancestral(), both, "differential"))
    assert torch.equal(found[:1], run("flow", euler_ancestral(), half(), batch=1))


def test_what_it_is_given_stays_as_it_was() -> None:
    mask, x = half(), picture().samples
    before = mask.clone(), x.clone()
    masked = Masked(lambda x, sigma: x, FLOW, x, torch.ones_like(x), mask, "soft", Sigmas.of([1.0, 0.0]).values)
    masked(torch.zeros_like(x), torch.tensor(0.5, dtype=torch.float64))
    assert torch.equal(mask, before[0])
    assert torch.equal(x, before[1])
