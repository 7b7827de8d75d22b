"""Handles with another schedule or prediction."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

from nodegraph import InvalidInput
from nodegraph.spec import held_by
from nodes.parameterisations import BY_NAME, Epsilon, Parameterisation, Sample, Velocity, name_of
from nodes.schedules import specs
from nodes.schedules.handles import set_noise_schedule, set_prediction, zero_terminal_snr
from nodes.schedules.noise import DiscreteVP, alpha_bar_table, betas
from nodes.schedules.terminal import LAST, zero_terminal
from nodes.specs.models import DenoiserSpec

from ..oracles import VP, affine_denoiser

SD = DiscreteVP(alpha_bar=alpha_bar_table("scaled_linear", 1000, 0.00085, 0.012))


@pytest.mark.parametrize(("kind", "ends"), [("linear", (1e-4, 0.02)), ("scaled_linear", (0.00085, 0.012))])
def test_zero_terminal_is_the_papers(kind: str, ends: tuple[float, float]) -> None:
    theirs = rescale_zero_terminal_snr(betas(kind, 1000, *ends))  # type: ignore[arg-type]
    assert float(theirs[-1]) == 1.0
    table = DiscreteVP(alpha_bar=alpha_bar_table(kind, 1000, *ends))  # type: ignore[arg-type]
    found = torch.tensor(zero_terminal(table.levels.tolist()), dtype=torch.float64)
    wanted = torch.cumprod(1.0 - theirs, dim=0)
    torch.testing.assert_close(found[:-1], wanted[:-1], rtol=1e-9, atol=1e-16)
    assert float(wanted[-1]) == 0.0
    assert 0.0 < float(found[-1]) <= LAST


def test_the_last_level_is_finite_and_the_first_stays() -> None:
    handle = zero_terminal_snr(replace(affine_denoiser("x0"), schedule=SD))
    schedule = handle.schedule
    assert isinstance(schedule, DiscreteVP)
    assert schedule.sigma_max == pytest.approx(4518.764, rel=1e-6)
    assert schedule.sigma_max == pytest.approx(math.sqrt(1 / LAST - 1), rel=1e-12)
    assert schedule.sigma_min == pytest.approx(SD.sigma_min, rel=1e-12)
    assert schedule.at_progress(1e-12) == pytest.approx(schedule.sigma_max, rel=1e-6)
    time = schedule.time(schedule.levels)
    assert torch.equal(time, torch.arange(1000, dtype=torch.float64))


def test_the_handle_shares_the_network_and_leaves_the_given_one() -> None:
    given = replace(affine_denoiser("x0"), schedule=SD)
    handle = zero_terminal_snr(given)
    assert handle.network is given.network
    assert given.schedule is SD
    spec = DenoiserSpec.of(given)
    for predicted in (specs.zero_terminal_snr(spec), specs.set_prediction(spec, "v")):
        assert held_by([spec, predicted.outputs["denoiser"]]) == spec.own  # the weights are there once


@pytest.mark.parametrize("parameterisation", [Sample(), Velocity()])
def test_predictions_that_mean_something_in_pure_noise(parameterisation: Parameterisation) -> None:
    zero_terminal_snr(replace(affine_denoiser("eps"), parameterisation=parameterisation))


@pytest.mark.parametrize("name", ["eps", "score", "flow", "edm"])
def test_others_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"predicts {name}"):
        zero_terminal_snr(replace(affine_denoiser("eps"), parameterisation=BY_NAME[name]()))


def test_a_flow_has_no_table() -> None:
    with pytest.raises(InvalidInput, match="not trained on a table"):
        zero_terminal_snr(affine_denoiser("flow"))


@pytest.mark.parametrize("name", list(BY_NAME))
def test_set_prediction(name: str) -> None:
    given = affine_denoiser("eps")
    handle = set_prediction(given, name)  # type: ignore[arg-type]
    assert name_of(handle.parameterisation) == name
    assert handle.network is given.network
    assert handle.schedule is VP
    assert isinstance(given.parameterisation, Epsilon)


def test_set_noise_schedule_gives_the_published_levels() -> None:
    given = replace(affine_denoiser("eps"), schedule=SD)
    faces = set_noise_schedule(given, "scaled_linear", 0.0015, 0.0195)
    assert faces.schedule.sigma_max == pytest.approx(83.822494, abs=1e-6)
    ddpm = set_noise_schedule(given, "linear", 1e-4, 0.02)
    assert (ddpm.schedule.sigma_min, ddpm.schedule.sigma_max) == pytest.approx((0.010001, 157.407281), abs=1e-6)
    cosine = set_noise_schedule(given, "cosine")
    assert isinstance(cosine.schedule, DiscreteVP)
    assert float(cosine.schedule.alpha_bar[499]) == pytest.approx(0.4938435904, abs=1e-10)
    assert given.schedule is SD
