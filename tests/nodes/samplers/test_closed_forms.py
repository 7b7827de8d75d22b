"""Samplers on data for which every step is known in closed form, and beside the published equations in NumPy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from nodes.samplers.churn import Churning
from nodes.samplers.ddim import DDIM
from nodes.samplers.ddpm import DDPM
from nodes.samplers.dpmpp_2m import DPMpp2M, dpmpp_2m
from nodes.samplers.euler import Euler, euler
from nodes.samplers.euler_ancestral import EulerAncestral, ancestral_levels, euler_ancestral
from nodes.samplers.heun import Heun, heun
from nodes.samplers.loop import drive
from nodes.schedules.discrete import spaced_steps
from nodes.schedules.flow import flow_sigmas
from nodes.schedules.karras import karras_levels
from nodes.schedules.noise import NoiseSchedule
from nodes.specs.sampling import SamplerSpec
from nodes.types import Sampler, State

from ..oracles import FLOW, VE, VP, Oracle

Values = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

ZERO, ONE = torch.zeros(1, 1, 1, 1, dtype=torch.float64), torch.ones(1, 1, 1, 1, dtype=torch.float64)
CHURN = {"s_churn": 6.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}


def silent(step: int, draw: int) -> Tensor:
    raise AssertionError("a deterministic sampler asked for noise")


@pytest.mark.parametrize(("sampler", "order"), [(Euler(), 1), (Heun(), 2), (DPMpp2M(), 2)], ids=str)
@pytest.mark.parametrize("schedule", [VE, FLOW], ids=["ve", "flow"])
def test_order_of_convergence(sampler: Sampler, order: int, schedule: NoiseSchedule) -> None:
    """Along the exact flow (x - a mean) / sqrt(a^2 c^2 + s^2) is constant; the step to 0 is not taken."""
    oracle, errors = Oracle(oracle_schedule=schedule), []
    for steps in (64, 128):
        if schedule is VE:
            sigmas = karras_levels(steps + 1, 0.002, 80.0, 7.0)
        else:
            sigmas = torch.cat([torch.linspace(0.95, 0.05, steps + 1, dtype=torch.float64), ZERO.flatten()])
        a, s = schedule.signal(sigmas), schedule.noise(sigmas)
        spread = (a * a * 0.25 + s * s).sqrt()
        x = torch.linspace(-2, 2, 9, dtype=torch.float64).reshape(9, 1, 1, 1) * s[0]
        exact = a[-2] * 0.3 + (x - a[0] * 0.3) * spread[-2] / spread[0]
        found = drive(sampler, oracle, silent, sampler.init(x, sigmas), last=steps).x
        errors.append(float((found - exact).abs().max()))
    assert abs(math.log2(errors[0] / errors[1]) - order) < 0.15


TABLE = [
    (1.0, {10: (0.5482, 0.9999, 0.6917), 20: (0.7107, 0.9999, 0.8327), 50: (0.8574, 0.9999, 0.9294)}),
    (0.25, {10: (0.4443, 1.3878, 0.5599), 20: (0.6130, 1.1840, 0.7525), 50: (0.7890, 1.0701, 0.8928)}),
    (0.01, {10: (0.0846, 10.485, 0.1353), 20: (0.2218, 3.544, 0.3089), 50: (0.4687, 1.635, 0.6139)}),
]
"""Sampled over true variance with leading spacing and linear betas: DDPM small, DDPM large, DDIM without noise."""


@pytest.mark.parametrize(("variance", "rows"), TABLE, ids=lambda each: str(each)[:4])
def test_sampled_variance(variance: float, rows: dict[int, tuple[float, float, float]]) -> None:
    """Every step is linear in x and the noise: v' = m^2 v + d^2."""
    oracle = Oracle(oracle_schedule=VP, mean=0.0, deviation=variance**0.5)
    samplers = (DDPM(variance="small"), DDPM(variance="large"), DDIM())
    for steps, wanted in rows.items():
        sigmas = torch.cat([VP.levels[spaced_steps("leading", 1000, steps)], ZERO.flatten()])
        for sampler, ratio in zip(samplers, wanted, strict=True):
            v = float(sigmas[0] ** 2 + 1.0)  # x_vp starts as N(0, 1)
            for i in range(steps):
                m = sampler.step(State(x=ONE, sigmas=sigmas), i, oracle, lambda *_: ZERO).x
                d = sampler.step(State(x=ZERO, sigmas=sigmas), i, oracle, lambda *_: ONE).x
                v = float(m) ** 2 * v + float(d) ** 2
            assert v / variance == pytest.approx(ratio, rel=2e-4, abs=6e-5)


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
def test_large_variance_keeps_that_of_unit_data(schedule: NoiseSchedule) -> None:
    oracle, sampler = Oracle(oracle_schedule=schedule, mean=0.0, deviation=1.0), DDPM(variance="large")
    sigmas = flow_sigmas(9, shift=3.0).values if schedule is FLOW else karras_levels(9, 0.02, 60.0, 7.0)
    for i in range(8):
        before, after = (float(schedule.signal(each) ** 2 + schedule.noise(each) ** 2) for each in sigmas[i : i + 2])
        m = sampler.step(State(x=ONE, sigmas=sigmas), i, oracle, lambda *_: ZERO).x
        d = sampler.step(State(x=ZERO, sigmas=sigmas), i, oracle, lambda *_: ONE).x
        assert float(m) ** 2 * before + float(d) ** 2 == pytest.approx(after, rel=1e-12)


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
def test_small_variance_is_ddim_with_all_its_noise(schedule: NoiseSchedule) -> None:
    oracle, sigmas = Oracle(oracle_schedule=schedule), karras_levels(9, 0.01, 0.99, 7.0)
    state = State(x=torch.randn(2, 1, 3, 3, dtype=torch.float64), sigmas=sigmas)
    draw = torch.randn(2, 1, 3, 3, dtype=torch.float64)
    for i in range(9):
        found = [each.step(state, i, oracle, lambda *_: draw).x for each in (DDPM(), DDIM(eta=1.0))]
        torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0, 1), st.sampled_from([FLOW, VE, VP]))
def test_ancestral_levels_add_up(sigma: float, part: float, eta: float, schedule: NoiseSchedule) -> None:
    now, after = (torch.tensor(each, dtype=torch.float64) for each in (sigma, sigma * part))
    down, kept, up = ancestral_levels(schedule, now, after, eta)
    assert 0.0 <= float(down) <= float(after)
    assert float((kept * down) ** 2 + up**2) == pytest.approx(float(after) ** 2, rel=1e-9)
    assert float(kept * schedule.signal(down)) == pytest.approx(float(schedule.signal(after)), rel=1e-12)


@pytest.mark.parametrize("schedule", [FLOW, VE], ids=["flow", "ve"])
def test_ancestral_without_noise_is_euler(schedule: NoiseSchedule) -> None:
    x = torch.randn(2, 1, 3, 3, dtype=torch.float64) * schedule.sigma_max
    sigmas = flow_sigmas(9).values if schedule is FLOW else karras_levels(9, 0.002, 80.0, 7.0)
    oracle = Oracle(oracle_schedule=schedule)
    found = [drive(each, oracle, silent, each.init(x, sigmas)).x for each in (Euler(), EulerAncestral(eta=0.0))]
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
def test_churn_keeps_the_marginal_variance(schedule: NoiseSchedule) -> None:
    """From a^2 c^2 + s^2 at one level to the same at the level above."""
    sampler: Churning = Euler(s_churn=4.0)
    sigmas = karras_levels(8, 0.01, 0.9, 3.0)
    for i in range(8):
        x, raised = sampler.churned(State(x=ONE, sigmas=sigmas), i, schedule, lambda *_: ZERO)
        d, _ = sampler.churned(State(x=ZERO, sigmas=sigmas), i, schedule, lambda *_: ONE)
        before, after = (schedule.signal(each) ** 2 * 0.25 + schedule.noise(each) ** 2 for each in (sigmas[i], raised))
        assert float(raised) > float(sigmas[i])
        assert float(x) ** 2 * float(before) + float(d) ** 2 == pytest.approx(float(after), rel=1e-12)


def test_churn_is_only_where_it_is_wanted() -> None:
    sigmas, x = karras_levels(8, 0.01, 50.0, 7.0), ONE
    asked: list[int] = []

    def noise(step: int, draw: int) -> Tensor:
        asked.append(step)
        return ZERO

    sampler = Euler(s_churn=1.0, s_tmin=0.1, s_tmax=10.0)
    drive(sampler, Oracle(oracle_schedule=VE), noise, sampler.init(x, sigmas))
    assert asked == [i for i in range(8) if 0.1 <= float(sigmas[i]) <= 10.0]
    x, raised = Euler(s_churn=100.0).churned(State(x=ONE, sigmas=sigmas), 3, VE, noise)
    assert float(raised / sigmas[3]) == pytest.approx(2**0.5, rel=1e-12)
    pure = flow_sigmas(4).values
    assert float(Euler(s_churn=1.0).churned(State(x=ONE, sigmas=pure), 0, FLOW, noise)[1]) == 1.0


@pytest.mark.parametrize("sampler", [euler(), heun(), euler_ancestral(), dpmpp_2m()], ids=str)
def test_evaluations_are_as_many_as_the_spec_says(sampler: Sampler) -> None:
    from nodes.samplers import specs

    oracle, sigmas = Oracle(oracle_schedule=FLOW), flow_sigmas(5).values
    drive(sampler, oracle, lambda *_: ONE, sampler.init(ONE, sigmas))
    predicted = specs.heun(0.0, 0.0, None, 1.0) if isinstance(sampler, Heun) else specs.euler_ancestral(1.0, 1.0)
    spec = predicted.outputs["sampler"]
    assert isinstance(spec, SamplerSpec)
    assert len(oracle.asked) == 5 * spec.evaluations - (spec.evaluations - 1)


def exact(x: Values, sigma: float) -> Values:
    """The denoiser of N(0.3, 0.25), variance exploding."""
    return 0.3 + 0.25 * (x - 0.3) / (0.25 + sigma**2)


def algorithm_2(x: Values, t: Values, z: Values, correct: bool) -> Values:
    """Karras et al. 2022, line by line."""
    steps = len(t) - 1
    for i in range(steps):
        inside = CHURN["s_tmin"] <= t[i] <= CHURN["s_tmax"]
        gamma = min(CHURN["s_churn"] / steps, math.sqrt(2) - 1) if inside else 0.0
        t_hat = t[i] + gamma * t[i]
        x_hat = x + math.sqrt(t_hat**2 - t[i] ** 2) * CHURN["s_noise"] * z[i]
        d = (x_hat - exact(x_hat, t_hat)) / t_hat
        x = x_hat + (t[i + 1] - t_hat) * d
        if correct and t[i + 1] != 0:
            d_after = (x - exact(x, t[i + 1])) / t[i + 1]
            x = x_hat + (t[i + 1] - t_hat) * (d / 2 + d_after / 2)
    return x


def ancestral(x: Values, t: Values, z: Values) -> Values:
    """eta 0.7, noise of standard deviation 1.01."""
    for i, (now, after) in enumerate(itertools.pairwise(t)):
        up = min(after, 0.7 * math.sqrt(after**2 * (now**2 - after**2) / now**2))
        down = math.sqrt(after**2 - up**2)
        x = x + (x - exact(x, now)) / now * (down - now) + 1.01 * up * z[i]
    return x


def dpm_solver_2m(x: Values, t: Values, z: Values) -> Values:
    """Lu et al. 2022, algorithm 2, variance exploding: alpha = 1, lambda = -ln(sigma)."""
    before: Values | None = None
    for i, (now, after) in enumerate(itertools.pairwise(t)):
        clean = exact(x, now)
        mixed = clean
        if before is not None and after > 0:
            r = math.log(t[i - 1] / now) / math.log(now / after)
            mixed = (1 + 1 / (2 * r)) * clean - 1 / (2 * r) * before
        x = after / now * x - (after / now - 1) * mixed
        before = clean
    return x


@pytest.mark.parametrize(
    ("sampler", "published"),
    [
        (Euler(**CHURN), lambda x, t, z: algorithm_2(x, t, z, False)),
        (Heun(**CHURN), lambda x, t, z: algorithm_2(x, t, z, True)),
        (EulerAncestral(eta=0.7, s_noise=1.01), ancestral),
        (DPMpp2M(), dpm_solver_2m),
    ],
    ids=["euler churn", "heun churn", "ancestral", "2m"],
)
def test_published_equations(sampler: Sampler, published: Callable[[Values, Values, Values], Values]) -> None:
    draw = torch.Generator().manual_seed(2)
    x = 80.0 * torch.randn(3, 1, 4, 4, dtype=torch.float64, generator=draw)
    z = torch.randn(18, 3, 1, 4, 4, dtype=torch.float64, generator=draw)
    sigmas = karras_levels(18, 0.002, 80.0, 7.0)
    found = drive(sampler, Oracle(oracle_schedule=VE), lambda step, _: z[step], sampler.init(x, sigmas)).x
    np.testing.assert_allclose(found.numpy(), published(x.numpy(), sigmas.numpy(), z.numpy()), rtol=0, atol=1e-12)


def test_ancestral_on_a_flow() -> None:
    """Down to sigma' (1 + eta (sigma' / sigma - 1)), then signal and noise mixed again as at sigma'."""
    draw = torch.Generator().manual_seed(2)
    x, z = (torch.randn(8, 2, 1, 3, 3, dtype=torch.float64, generator=draw)[i] for i in (0, 1))
    oracle, sigmas = Oracle(oracle_schedule=FLOW), flow_sigmas(6, shift=3.0).values
    state = EulerAncestral(eta=0.6, s_noise=1.1).step(State(x=x, sigmas=sigmas), 2, oracle, lambda *_: z)
    now, after = float(sigmas[2]), float(sigmas[3])
    down = after * (1 + (after / now - 1) * 0.6)
    lower = down / now * x + (1 - down / now) * oracle.denoise(x, sigmas[2])
    again = math.sqrt(after**2 - down**2 * (1 - after) ** 2 / (1 - down) ** 2)
    torch.testing.assert_close(state.x, (1 - after) / (1 - down) * lower + 1.1 * again * z, rtol=0, atol=1e-13)
