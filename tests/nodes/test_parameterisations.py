from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from nodes.parameterisations import BY_NAME, Epsilon, Flow, Preconditioned, Sample, Score, Velocity
from nodes.schedules.noise import NoiseSchedule
from nodes.types.models import column

from .oracles import FLOW, VE, VP, affine_denoiser, conditioning

ALL = [Epsilon(), Sample(), Velocity(), Flow(), Score(), Preconditioned(sigma_data=0.5)]


def grid(schedule: NoiseSchedule) -> Tensor:
    return torch.linspace(schedule.sigma_min, schedule.sigma_max, 200, dtype=torch.float64)


def seen(schedule: NoiseSchedule, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Signal and noise in what the network sees, where both are at least 1e-4."""
    k = schedule.input_scale(sigma)
    a, s = k * schedule.signal(sigma), k * schedule.noise(sigma)
    usable = (a >= 1e-4) & (s >= 1e-4)
    return a[usable], s[usable]


@pytest.mark.parametrize("schedule", [FLOW, VE, VP], ids=["flow", "ve", "vp"])
@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(ALL, 2)), ids=lambda p: type(p).__name__)
def test_every_pair_goes_round(one: object, other: object, schedule: NoiseSchedule) -> None:
    a, s = (column(each, torch.empty(1, 1, dtype=torch.float64)) for each in seen(schedule, grid(schedule)))
    draw = torch.Generator().manual_seed(0)
    x0, eps = (torch.randn(len(a), 7, dtype=torch.float64, generator=draw) for _ in range(2))
    x = a * x0 + s * eps
    y = one.from_denoised(x, x0, a, s)  # type: ignore[attr-defined]
    z = other.from_denoised(x, one.to_denoised(x, y, a, s), a, s)  # type: ignore[attr-defined]
    back = one.from_denoised(x, other.to_denoised(x, z, a, s), a, s)  # type: ignore[attr-defined]
    error = (back - y).abs() / y.abs().clamp(min=1.0)
    assert float(error.max()) <= 1e-10


@given(st.floats(0.01, 0.99), st.floats(-3, 3), st.floats(-3, 3))
def test_predictions_are_what_their_names_say(t: float, x0: float, eps: float) -> None:
    def tensor(value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float64)

    a, s = tensor((1 - t * t) ** 0.5), tensor(t)
    x = a * x0 + s * eps
    meant = {"eps": eps, "x0": x0, "v": a * eps - s * x0, "score": -eps / s}
    for name, value in meant.items():
        found = BY_NAME[name]().from_denoised(x, tensor(x0), a, s)
        assert float(found) == pytest.approx(float(value), abs=1e-9)
    a, s = tensor(1 - t), tensor(t)
    assert float(Flow().from_denoised(a * x0 + s * eps, tensor(x0), a, s)) == pytest.approx(eps - x0, abs=1e-9)


def test_preconditioning_is_karras_table_1() -> None:
    sigma, d = torch.tensor(3.0, dtype=torch.float64), 0.5
    x, f = torch.tensor(1.7, dtype=torch.float64), torch.tensor(-0.4, dtype=torch.float64)
    c_in = 1 / (sigma**2 + d**2) ** 0.5
    denoised = Preconditioned(sigma_data=d).to_denoised(c_in * x, f, c_in, c_in * sigma)
    expected = d**2 / (sigma**2 + d**2) * x + sigma * d / (sigma**2 + d**2) ** 0.5 * f
    assert float(denoised) == pytest.approx(float(expected), abs=1e-14)


def test_a_denoiser_takes_a_level_for_all_or_one_per_item() -> None:
    denoiser, encoding = affine_denoiser("eps"), conditioning(2, 1).entries[0].encoding
    x = torch.randn(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    sigmas = torch.tensor([0.5, 4.0], dtype=torch.float64)
    together = denoiser.denoise(x, sigmas, encoding)
    for item in range(2):
        alone = denoiser.denoise(x[item : item + 1], sigmas[item], encoding[item : item + 1])
        torch.testing.assert_close(together[item : item + 1], alone, rtol=0, atol=1e-6)


def test_the_network_sees_the_variance_preserving_latent_and_its_step() -> None:
    denoiser, encoding = affine_denoiser("eps"), conditioning(1).entries[0].encoding
    step = 400
    sigma = VP.levels[step]
    x = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    mean = encoding.tokens.double().mean()
    eps = 0.7 * x * VP.alpha_bar[step].sqrt() + step / 1000 + mean
    torch.testing.assert_close(denoiser.denoise(x, sigma, encoding), x - sigma * eps, rtol=1e-4, atol=1e-5)
