from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodegraph import Cancelled, InvalidInput
from nodegraph.execution.cancel import CancelToken
from nodegraph.ports.codec.decoding import decode
from nodegraph.ports.codec.encoding import encode
from nodegraph.testing import RecordingContext, local_context
from nodes.noise import SeededNoise
from nodes.samplers.ddim import DDIM, ddim
from nodes.samplers.ddpm import DDPM
from nodes.samplers.dpmpp_2m import DPMpp2M
from nodes.samplers.euler import Euler, euler
from nodes.samplers.euler_ancestral import EulerAncestral
from nodes.samplers.heun import Heun
from nodes.samplers.loop import drive
from nodes.samplers.sample import sample
from nodes.schedules.discrete import spaced_steps
from nodes.schedules.flow import flow_sigmas
from nodes.schedules.karras import karras_levels
from nodes.schedules.noise import NoiseSchedule
from nodes.showing.rough import Rough
from nodes.types import Latent, NoiseSource, Sampler, Sigmas, State
from nodes.types.sampling import Denoise

from .oracles import FLOW, SPACE, VE, VP, Oracle

SAMPLERS = [
    Euler(),
    Euler(s_churn=3.0, s_tmin=0.1, s_noise=1.003),
    Heun(),
    Heun(s_churn=3.0, s_tmax=0.9),
    DDIM(),
    DDIM(eta=0.5),
    DDIM(eta=1.0),
    DDPM(),
    DDPM(variance="large"),
    EulerAncestral(),
    EulerAncestral(eta=0.5, s_noise=1.01),
    DPMpp2M(),
]


def silent(step: int, draw: int) -> Tensor:
    raise AssertionError("a deterministic sampler asked for noise")


def grid(schedule: NoiseSchedule, steps: int) -> Tensor:
    if schedule is FLOW:
        return flow_sigmas(steps).values
    if schedule is VP:
        return torch.cat([VP.levels[spaced_steps("trailing", 1000, steps)], torch.zeros(1, dtype=torch.float64)])
    return karras_levels(steps, 0.002, 80.0, 7.0)


def run(sampler: Sampler, oracle: Oracle, sigmas: Tensor, x: Tensor) -> Tensor:
    noise = SeededNoise(seed=1, shape=tuple(x.shape), dtype=x.dtype)
    return drive(sampler, oracle, noise, sampler.init(x, sigmas)).x


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_delta_data_is_exact_in_one_step(sampler: Sampler, schedule: NoiseSchedule) -> None:
    oracle = Oracle(oracle_schedule=schedule, deviation=0.0)
    x = torch.randn(4, 1, 2, 2, dtype=torch.float64) * schedule.sigma_max
    result = run(sampler, oracle, grid(schedule, 1), x)
    assert float((result - 0.3).abs().max()) < 1e-12
    assert len(oracle.asked) == 1


@pytest.mark.parametrize("sampler", [Euler(), DDIM()], ids=["euler", "ddim"])
@pytest.mark.parametrize("schedule", [FLOW, VE], ids=["flow", "ve"])
def test_deterministic_samplers_are_of_first_order(sampler: Sampler, schedule: NoiseSchedule) -> None:
    """The exact flow keeps (x - a mean) / sqrt(a^2 c^2 + s^2)."""
    oracle = Oracle(oracle_schedule=schedule)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64).reshape(9, 1, 1, 1)
    errors = []
    for steps in (64, 128):
        sigmas = grid(schedule, steps)
        a, s = schedule.signal(sigmas[0]), schedule.noise(sigmas[0])
        start = x * s
        exact = 0.3 + 0.5 * (start - a * 0.3) / (a * a * 0.25 + s * s).sqrt()
        errors.append(float((run(sampler, oracle, sigmas, start) - exact).abs().max()))
    slope = math.log2(errors[0] / errors[1])
    assert abs(slope - 1.0) < 0.15


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
def test_ddim_without_noise_is_euler(schedule: NoiseSchedule) -> None:
    x = torch.randn(3, 1, 2, 2, dtype=torch.float64) * schedule.sigma_max
    results = [run(each, Oracle(oracle_schedule=schedule), grid(schedule, 12), x) for each in (Euler(), DDIM())]
    torch.testing.assert_close(*results, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_is_the_papers_formula_in_variance_preserving_terms(eta: float) -> None:
    """Song et al. 2020, eq. 12 and 16, on x_vp = sqrt(alpha_bar) x."""
    oracle = Oracle(oracle_schedule=VP)
    sigmas = grid(VP, 10)
    alpha_bar = 1.0 / (1.0 + sigmas**2)
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(2, 1, 3, 3, dtype=torch.float64, generator=draw) * VP.sigma_max
    noise = SeededNoise(seed=5, shape=(2, 1, 3, 3), dtype=torch.float64)
    state = State(x=x, sigmas=sigmas)
    for i in range(10):
        now, after = alpha_bar[i], alpha_bar[i + 1]
        x_vp = now.sqrt() * state.x
        x0 = oracle.denoise(state.x, sigmas[i])
        eps = (x_vp - now.sqrt() * x0) / (1 - now).sqrt()
        d = eta * ((1 - after) / (1 - now)).sqrt() * (1 - now / after).sqrt()
        expected = after.sqrt() * x0 + (1 - after - d**2).clamp(min=0).sqrt() * eps + d * noise(i, 0)
        state = DDIM(eta=eta).step(state, i, oracle, noise)
        torch.testing.assert_close(after.sqrt() * state.x, expected, rtol=1e-9, atol=1e-9)


TABLE = [
    (1.0, {10: (0.5482, 0.6917), 20: (0.7107, 0.8327), 50: (0.8574, 0.9294)}),
    (0.25, {10: (0.4443, 0.5599), 20: (0.6130, 0.7525), 50: (0.7890, 0.8928)}),
    (0.01, {10: (0.0846, 0.1353), 20: (0.2218, 0.3089), 50: (0.4687, 0.6139)}),
]
"""Sampled over true variance with leading spacing and linear betas: for eta 1 and for eta 0."""


@pytest.mark.parametrize(("variance", "rows"), TABLE, ids=lambda each: str(each)[:4])
def test_sampled_variance(variance: float, rows: dict[int, tuple[float, float]]) -> None:
    """Every step is linear in x and the noise, so the variance obeys an exact recursion: v' = m^2 v + d^2."""
    oracle = Oracle(oracle_schedule=VP, mean=0.0, deviation=variance**0.5)
    zero, one = torch.zeros(1, 1, 1, 1, dtype=torch.float64), torch.ones(1, 1, 1, 1, dtype=torch.float64)
    for steps, wanted in rows.items():
        sigmas = torch.cat([VP.levels[spaced_steps("leading", 1000, steps)], torch.zeros(1, dtype=torch.float64)])
        for eta, ratio in zip((1.0, 0.0), wanted, strict=True):
            sampler, v = DDIM(eta=eta), float(sigmas[0] ** 2 + 1.0)  # x_vp starts as N(0, 1)
            for i in range(steps):
                m = sampler.step(State(x=one, sigmas=sigmas), i, oracle, lambda *_: zero).x
                d = sampler.step(State(x=zero, sigmas=sigmas), i, oracle, lambda *_: one).x
                v = float(m) ** 2 * v + float(d) ** 2
            assert v / variance == pytest.approx(ratio, abs=6e-5)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_ddim_on_a_flow_keeps_the_marginal_variance_of_unit_data(eta: float) -> None:
    """For many steps the sampled variance tends to the data's: first order in the step with or without noise."""
    oracle = Oracle(oracle_schedule=FLOW, mean=0.0, deviation=1.0)
    zero, one = torch.zeros(1, 1, 1, 1, dtype=torch.float64), torch.ones(1, 1, 1, 1, dtype=torch.float64)
    found = []
    for steps in (100, 200):
        sigmas, v = flow_sigmas(steps).values, 1.0
        for i in range(steps):
            m = DDIM(eta=eta).step(State(x=one, sigmas=sigmas), i, oracle, lambda *_: zero).x
            d = DDIM(eta=eta).step(State(x=zero, sigmas=sigmas), i, oracle, lambda *_: one).x
            v = float(m) ** 2 * v + float(d) ** 2
        found.append(abs(v - 1.0))
    assert found[1] < 0.05
    assert found[0] / found[1] == pytest.approx(2.0, abs=0.25)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("stop", [1, 4, 6])
def test_resuming_gives_the_same_bits(sampler: Sampler, stop: int) -> None:
    oracle, x = Oracle(oracle_schedule=FLOW), torch.randn(2, 1, 4, 4)
    noise = SeededNoise(seed=9, shape=(2, 1, 4, 4))
    start = sampler.init(x, flow_sigmas(7).values)
    whole = drive(sampler, oracle, noise, start)
    half = drive(sampler, oracle, noise, start, last=stop)
    stored = decode(encode(half))  # through bytes and back
    assert isinstance(stored, State)
    assert torch.equal(drive(sampler, oracle, noise, stored, first=stop).x, whole.x)
    assert not torch.equal(half.x, whole.x)


def test_a_step_changes_nothing_it_was_given() -> None:
    state = State(x=torch.randn(1, 1, 2, 2), sigmas=flow_sigmas(3).values)
    copies = state.x.clone(), state.sigmas.clone()
    for sampler in SAMPLERS:
        sampler.step(
            sampler.init(state.x, state.sigmas),
            0,
            Oracle(oracle_schedule=FLOW),
            SeededNoise(seed=0, shape=(1, 1, 2, 2)),
        )
    assert torch.equal(state.x, copies[0])
    assert torch.equal(state.sigmas, copies[1])


def test_the_node_reports_previews_and_steps(ctx: RecordingContext) -> None:
    latent = Latent(samples=torch.zeros(2, 1, 4, 4), space=SPACE)
    result = sample(Oracle(oracle_schedule=FLOW), euler(), flow_sigmas(5), latent, 3, ctx=ctx)
    assert [each.done for each in ctx.reported] == [0, 1, 2, 3, 4, 5]
    assert len(ctx.previews) == 5
    assert [each.picture(1).size for each in ctx.previews if isinstance(each, Rough)] == [(4, 4)] * 5
    assert result.space is SPACE


class Twice(Sampler):
    """Asks two times in each step, as Heun's method does."""

    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        denoise(state.x, state.sigmas[i])
        return replace(state, x=denoise(state.x, state.sigmas[i]))


class Cancelling(list[float]):
    """Cancels when it has grown to `at`."""

    def __init__(self, at: int, token: CancelToken) -> None:
        super().__init__()
        self.at, self.token = at, token

    def append(self, level: float) -> None:
        super().append(level)
        if len(self) == self.at:
            self.token.cancel()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_cancel_stops_before_the_next_evaluation(tmp_path: Path, at: int) -> None:
    token = CancelToken()
    oracle = Oracle(oracle_schedule=FLOW, asked=Cancelling(at, token))
    latent = Latent(samples=torch.zeros(1, 1, 4, 4), space=SPACE)
    with pytest.raises(Cancelled):
        sample(oracle, Twice(), flow_sigmas(5), latent, 0, ctx=local_context(tmp_path, cancel=token))
    assert len(oracle.asked) == at


@pytest.mark.parametrize("sampler", [euler(), ddim(1.0)], ids=["euler", "ddim"])
def test_an_item_does_not_depend_on_its_batch(sampler: Sampler) -> None:
    results = []
    for batch in (1, 3):
        latent = Latent(samples=torch.zeros(batch, 1, 8, 8), space=SPACE)
        results.append(sample(Oracle(oracle_schedule=FLOW), sampler, flow_sigmas(6), latent, 11).samples)
    assert torch.equal(results[0][0], results[1][0])
    assert not torch.equal(results[1][0], results[1][1])


def test_what_does_not_belong_together_is_refused() -> None:
    oracle = Oracle(oracle_schedule=FLOW)
    latent = Latent(samples=torch.zeros(1, 1, 4, 4), space=SPACE)
    other = Latent(samples=torch.zeros(1, 1, 4, 4), space=replace(SPACE, name="other"))
    with pytest.raises(InvalidInput, match="'test', this latent lives in 'other'"):
        sample(oracle, euler(), flow_sigmas(2), other)
    with pytest.raises(InvalidInput, match="highest level the model knows"):
        sample(oracle, euler(), Sigmas.of([14.6, 1.0, 0.0]), latent)


def test_image_to_image_with_little_noise_stays_close() -> None:
    clean = torch.full((1, 1, 4, 4), 0.3)
    latent = Latent(samples=clean, space=SPACE)
    found = sample(Oracle(oracle_schedule=FLOW), euler(), flow_sigmas(20, denoise=0.05), latent, 0).samples
    assert float((found - clean).abs().max()) < 0.3
    assert not torch.equal(found, clean)
