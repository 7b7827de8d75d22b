"""Denoisers that are known in closed form: networks with one parameter, so that they have a device and a dtype."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from nodes.parameterisations import Epsilon, Flow, Sample
from nodes.schedules.noise import DiscreteVP, NoiseSchedule, RectifiedFlow, VarianceExploding, alpha_bar_table
from nodes.types import Conditioning, Denoiser, Encoding, Entry, Guider, LatentSpace

SPACE = LatentSpace(name="test", channels=1, downscale=1, scale=(1.0,), shift=(0.0,))

FLOW = RectifiedFlow()
VE = VarianceExploding()
VP = DiscreteVP(alpha_bar=alpha_bar_table("linear"))


def exact(x: Tensor, a: Tensor, s: Tensor, mean: float, deviation: float) -> Tensor:
    """E[x0 | x] for x = a x0 + s eps: mean + a c^2 (x - a mean) / (a^2 c^2 + s^2)."""
    c2 = deviation**2
    return mean + a * c2 * (x - a * mean) / (a * a * c2 + s * s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Oracle(Guider):
    """A guider that is exact for Gaussian data under any schedule; keeps the levels it was asked at."""

    oracle_schedule: NoiseSchedule
    mean: float = 0.3
    deviation: float = 0.5
    asked: list[float] = field(default_factory=list)

    @property
    def schedule(self) -> NoiseSchedule:
        return self.oracle_schedule

    @property
    def space(self) -> LatentSpace:
        return SPACE

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def batch(self) -> int:
        return 1

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        self.asked.append(float(sigma))
        return exact(x, self.schedule.signal(sigma), self.schedule.noise(sigma), self.mean, self.deviation)

    __call__ = denoise


class Affine(nn.Module):
    """Predicts weight * x + time + mean of the tokens that count; says how often and with which batch it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.7), requires_grad=False)
        self.batches: list[int] = []
        self.lengths: list[int] = []


def predict_affine(network: nn.Module, x: Tensor, time: Tensor, encoding: Encoding, taps: object = None) -> Tensor:
    assert isinstance(network, Affine)
    network.batches.append(len(x))
    network.lengths.append(encoding.tokens.shape[1])
    count = encoding.mask.sum(dim=1, keepdim=True)
    mean = (encoding.tokens.mean(dim=2) * encoding.mask).sum(dim=1, keepdim=True) / count
    return network.weight * x + (time[:, None] / 1000.0 + mean)[:, :, None, None]


def affine_denoiser(kind: str = "flow") -> Denoiser:
    """A denoiser on `Affine`."""
    parameterisation = {"flow": Flow(), "eps": Epsilon(), "x0": Sample()}[kind]
    schedule: NoiseSchedule = FLOW if kind == "flow" else VP
    return Denoiser(
        network=Affine(), predict=predict_affine, parameterisation=parameterisation, schedule=schedule, space=SPACE
    )


def conditioning(*lengths: int, seed: int = 0, empty: bool = True) -> Conditioning:
    """Random tokens: one item per length."""
    draw = torch.Generator().manual_seed(seed)
    longest = max(lengths)
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    tokens = torch.randn(len(lengths), longest, 3, generator=draw) * mask[:, :, None]
    nothing = Encoding(tokens=torch.full((1, 1, 3), -0.4), mask=torch.ones(1, 1, dtype=torch.bool))
    return Conditioning(
        entries=(Entry(encoding=Encoding(tokens=tokens, mask=mask)),), unconditional=nothing if empty else None
    )
