from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import InvalidInput
from nodes.schedules.discrete import discrete_sigmas, spaced_steps
from nodes.schedules.flow import flow_sigmas
from nodes.schedules.karras import karras_levels, karras_sigmas
from nodes.schedules.noise import DiscreteVP, NoiseSchedule, alpha_bar_table, betas
from nodes.types import Sigmas

from .oracles import FLOW, VE, VP, affine_denoiser


def test_golden_alpha_bars() -> None:
    linear = alpha_bar_table("linear")
    assert [float(linear[i]) for i in (0, 499, 999)] == pytest.approx([0.9999, 0.0785872429, 4.035830e-5], rel=1e-6)
    assert (VP.sigma_min, VP.sigma_max) == pytest.approx((0.010001, 157.407281), rel=1e-4)
    scaled = DiscreteVP(alpha_bar=alpha_bar_table("scaled_linear", 1000, 0.00085, 0.012))
    assert [float(scaled.alpha_bar[i]) for i in (499, 999)] == pytest.approx([0.2776696505, 4.660099e-3], rel=1e-6)
    assert (scaled.sigma_min, scaled.sigma_max) == pytest.approx((0.029167, 14.614641), rel=1e-4)
    faces = DiscreteVP(alpha_bar=alpha_bar_table("scaled_linear", 1000, 0.0015, 0.0195))
    assert faces.sigma_max == pytest.approx(83.822494, rel=1e-7)
    cosine = alpha_bar_table("cosine")
    assert [float(cosine[i]) for i in (499, 999)] == pytest.approx([0.4938435904, 2.428767e-9], rel=1e-6)
    assert float(betas("cosine", 1000, 0.0, 0.0).max()) == 0.999


def test_golden_karras() -> None:
    wanted = [80, 57.586, 40.7856, 28.3746, 19.3525, 12.9101, 8.4009, 5.3152, 3.2568, 1.9233, 1.0882]
    wanted += [0.5853, 0.2964, 0.1395, 0.0599, 0.0229, 0.0075, 0.002, 0]
    assert karras_levels(18, 0.002, 80, 7.0).tolist() == pytest.approx(wanted, abs=6e-5, rel=1e-5)


def test_golden_flow_shift() -> None:
    assert flow_sigmas(2, shift=3.0).values.tolist() == pytest.approx([1.0, 0.75, 0.0], abs=1e-15)
    assert flow_sigmas(1000, shift=3.0).values[-2].item() == pytest.approx(0.002994, abs=1e-6)
    assert flow_sigmas(4).values.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


@given(st.integers(1, 10_000), st.floats(0.01, 100), st.floats(0.01, 1))
def test_flow_grids_are_grids(steps: int, shift: float, denoise: float) -> None:
    grid = flow_sigmas(steps, shift, denoise)  # the constructor checks descent and the last 0
    assert grid.steps == steps
    assert float(grid.values[0]) <= 1.0


@given(st.integers(1, 500), st.floats(1, 20), st.floats(0.05, 1))
def test_karras_grids_are_grids(steps: int, rho: float, denoise: float) -> None:
    grid = karras_sigmas(affine_denoiser("eps"), steps, rho, denoise=denoise)
    assert grid.steps == steps
    assert float(grid.values[0]) <= VP.sigma_max * (1 + 1e-12)


@given(st.integers(1, 1000), st.sampled_from(["trailing", "leading", "linspace"]))
def test_discrete_grids_hold_levels_of_the_table(steps: int, spacing: str) -> None:
    grid = discrete_sigmas(affine_denoiser("eps"), steps, spacing)  # type: ignore[arg-type]
    assert grid.steps == steps
    assert set(grid.values[:-1].tolist()) <= set(VP.levels.tolist())


def test_spacings() -> None:
    assert spaced_steps("trailing", 1000, 4).tolist() == [999, 749, 499, 249]
    assert spaced_steps("leading", 1000, 4).tolist() == [750, 500, 250, 0]
    assert spaced_steps("linspace", 1000, 4).tolist() == [999, 666, 333, 0]


def test_denoise_starts_lower_and_keeps_the_number_of_steps() -> None:
    denoiser = affine_denoiser("eps")
    for grid in (flow_sigmas(10, denoise=0.4), discrete_sigmas(denoiser, 10, denoise=0.4)):
        assert grid.steps == 10
    assert float(flow_sigmas(10, denoise=0.4).values[0]) == 0.4
    assert float(discrete_sigmas(denoiser, 10, denoise=0.4).values[0]) == float(VP.levels[399])


def test_times_are_the_steps_of_the_table() -> None:
    steps = torch.arange(1000, dtype=torch.float64)
    assert torch.equal(VP.time(VP.levels), steps)
    torch.testing.assert_close(VP.time(VP.level(steps[:-1] + 0.25)), steps[:-1] + 0.25, rtol=0, atol=1e-9)
    assert float(VP.time(torch.tensor(1e9, dtype=torch.float64))) == 999.0


def test_a_grid_for_tables_refuses_other_models_and_too_many_steps() -> None:
    with pytest.raises(InvalidInput, match="not trained on a table"):
        discrete_sigmas(affine_denoiser("flow"))
    with pytest.raises(InvalidInput, match="has 500 steps"):
        discrete_sigmas(affine_denoiser("eps"), 501, denoise=0.5)
    with pytest.raises(InvalidInput, match="not below sigma_max"):
        karras_sigmas(affine_denoiser("eps"), 5, sigma_min=3.0, sigma_max=2.0)


def test_tables_that_are_none() -> None:
    with pytest.raises(ValueError, match="zero terminal"):
        DiscreteVP(alpha_bar=torch.tensor([0.5, 0.0], dtype=torch.float64))
    assert Sigmas.of([2, 1, 0]).steps == 2


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
def test_progress_runs_from_infinity_to_clean(schedule: NoiseSchedule) -> None:
    assert [schedule.at_progress(p) for p in (-1.0, 0.0)] == [math.inf, math.inf]
    assert [schedule.at_progress(p) for p in (1.0, 2.0)] == [0.0, 0.0]
    levels = [schedule.at_progress(i / 50) for i in range(51)]
    assert all(a > b for a, b in itertools.pairwise(levels))


def test_progress_counts_training_time() -> None:
    assert FLOW.at_progress(0.3) == 0.7
    assert VE.at_progress(0.5) == pytest.approx((80.0 * 0.002) ** 0.5, rel=1e-12)
    assert VP.at_progress(499 / 999) == pytest.approx(float(VP.levels[500]), rel=1e-12)
    low, high = float(VP.levels[499]), float(VP.levels[500])
    assert VP.at_progress(0.5) == pytest.approx((low * high) ** 0.5, rel=1e-12)  # step 499.5
