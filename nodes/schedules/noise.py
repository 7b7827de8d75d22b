"""Noise schedules: how much signal and how much noise there is at each level.

A level is a number sigma >= 0 with 0 meaning clean. The sampled variable is x = signal(sigma) x0 + noise(sigma) eps.
For a rectified flow sigma is the time itself; everywhere else x is written in the variance-exploding form x0 + sigma
eps, and what a variance-preserving network wants to see is `input_scale(sigma) x`. In both cases dx / dsigma = (x -
x0) / sigma along the probability flow, so samplers need not tell them apart.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

BetaKind = Literal["linear", "scaled_linear", "cosine"]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoiseSchedule:
    """All functions take and return float64 tensors of any shape."""

    @property
    @abstractmethod
    def sigma_min(self) -> float:
        """The lowest level that the network knows, above 0."""

    @property
    @abstractmethod
    def sigma_max(self) -> float:
        """The highest level, from which sampling starts."""

    @abstractmethod
    def signal(self, sigma: Tensor) -> Tensor:
        """The factor of x0."""

    @abstractmethod
    def noise(self, sigma: Tensor) -> Tensor:
        """The factor of eps."""

    @abstractmethod
    def input_scale(self, sigma: Tensor) -> Tensor:
        """What x is multiplied with for the network."""

    @abstractmethod
    def time(self, sigma: Tensor) -> Tensor:
        """What the network is told as time or noise level."""

    def at_ratio(self, ratio: Tensor) -> Tensor:
        """The level at which noise / signal has this value; wherever signal is 1 that is the value itself."""
        return ratio

    def at_progress(self, progress: float) -> float:
        """The level at which a fraction of the training times, counted from pure noise, has passed.

        progress: 0 or less gives infinity (before the first level), 1 or more gives 0 (clean).
        """
        if progress <= 0.0:
            return math.inf
        return 0.0 if progress >= 1.0 else self._level_within(progress)

    def _level_within(self, progress: float) -> float:
        """`at_progress` between its ends; unless a schedule says otherwise, linear in ln(sigma) from highest to
        lowest."""
        return math.exp((1.0 - progress) * math.log(self.sigma_max) + progress * math.log(self.sigma_min))


@dataclass(frozen=True, kw_only=True, eq=False)
class RectifiedFlow(NoiseSchedule):
    """x = (1 - sigma) x0 + sigma eps, sigma in [0, 1]. Liu et al. 2022.

    time_scale: the network's time is time_scale * sigma. lowest: the lowest level that grids other than the flow's own
        use.
    """

    time_scale: float = 1.0
    lowest: float = 1e-3

    @property
    def sigma_min(self) -> float:
        """See `lowest`."""
        return self.lowest

    @property
    def sigma_max(self) -> float:
        """Pure noise."""
        return 1.0

    def signal(self, sigma: Tensor) -> Tensor:
        """1 - sigma."""
        return 1.0 - sigma

    def noise(self, sigma: Tensor) -> Tensor:
        """Sigma."""
        return sigma

    def input_scale(self, sigma: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(sigma)

    def time(self, sigma: Tensor) -> Tensor:
        """time_scale * sigma."""
        return self.time_scale * sigma

    def at_ratio(self, ratio: Tensor) -> Tensor:
        """sigma / (1 - sigma) = ratio."""
        return ratio / (1.0 + ratio)

    def _level_within(self, progress: float) -> float:
        """Sigma is the time."""
        return 1.0 - progress


@dataclass(frozen=True, kw_only=True, eq=False)
class VarianceExploding(NoiseSchedule):
    """x = x0 + sigma eps, with the network's input and level as in Karras et al. 2022, table 1.

    sigma_data: standard deviation of the data; the network sees x / sqrt(sigma^2 + sigma_data^2) and ln(sigma) / 4.
    """

    lowest: float = 0.002
    highest: float = 80.0
    sigma_data: float = 0.5

    @property
    def sigma_min(self) -> float:
        """See `lowest`."""
        return self.lowest

    @property
    def sigma_max(self) -> float:
        """See `highest`."""
        return self.highest

    def signal(self, sigma: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(sigma)

    def noise(self, sigma: Tensor) -> Tensor:
        """Sigma."""
        return sigma

    def input_scale(self, sigma: Tensor) -> Tensor:
        """c_in = 1 / sqrt(sigma^2 + sigma_data^2)."""
        return 1.0 / (sigma * sigma + self.sigma_data**2).sqrt()

    def time(self, sigma: Tensor) -> Tensor:
        """c_noise = ln(sigma) / 4."""
        return sigma.log() / 4.0


@dataclass(frozen=True, kw_only=True, eq=False)
class DiscreteVP(NoiseSchedule):
    """A table of variance-preserving steps, x_vp = sqrt(alpha_bar) x0 + sqrt(1 - alpha_bar) eps, as levels s / a.

    alpha_bar: float64, strictly descending in (0, 1), one per training step. Ho et al. 2020, eq. 4.
    """

    alpha_bar: Float64[Tensor, " steps"]

    def __post_init__(self) -> None:
        table = self.alpha_bar
        if table.dtype is not torch.float64 or table.ndim != 1 or len(table) < 2:
            raise ValueError(
                f"alpha_bar is a float64 vector of at least 2 steps, not {table.dtype} {tuple(table.shape)}"
            )
        if not (float(table[0]) < 1.0 and float(table[-1]) > 0.0 and bool((table.diff() < 0).all())):
            raise ValueError(
                "alpha_bar descends strictly between 1 and 0; a zero terminal SNR has no finite level s / a"
            )

    @property
    def levels(self) -> Float64[Tensor, " steps"]:
        """Sigma of each training step, ascending: sqrt((1 - alpha_bar) / alpha_bar)."""
        return ((1.0 - self.alpha_bar) / self.alpha_bar).sqrt()

    @property
    def sigma_min(self) -> float:
        """Of step 0."""
        return float(self.levels[0])

    @property
    def sigma_max(self) -> float:
        """Of the last step."""
        return float(self.levels[-1])

    def signal(self, sigma: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(sigma)

    def noise(self, sigma: Tensor) -> Tensor:
        """Sigma."""
        return sigma

    def input_scale(self, sigma: Tensor) -> Tensor:
        """a = 1 / sqrt(1 + sigma^2) = sqrt(alpha_bar)."""
        return 1.0 / (1.0 + sigma * sigma).sqrt()

    def time(self, sigma: Tensor) -> Tensor:
        """The training step, from 0; between two steps linear in ln(sigma), outside the table its ends."""
        table = self.levels.log()
        log_sigma = sigma.log().clamp(table[0], table[-1])
        low = (torch.searchsorted(table, log_sigma, right=True) - 1).clamp(0, len(table) - 2)
        return low + (log_sigma - table[low]) / (table[low + 1] - table[low])

    def level(self, step: Tensor) -> Tensor:
        """The inverse of `time`; exact at whole steps."""
        table = self.levels
        low = step.floor().clamp(0, len(table) - 2).long()
        part = step - low
        between = torch.exp((1.0 - part) * table[low].log() + part * table[low + 1].log())
        return torch.where(part == 0, table[low], torch.where(part == 1, table[low + 1], between))

    def _level_within(self, progress: float) -> float:
        """Training steps count down from the last of the table to 0."""
        last = len(self.alpha_bar) - 1
        return float(self.level(torch.tensor((1.0 - progress) * last, dtype=torch.float64)))


def between(sigma: Float64[Tensor, "*batch"], highest: float, lowest: float) -> Bool[Tensor, "*batch"]:
    """Whether a level lies in a range of the training times, of which `at_progress` gives the ends.

    Above the lowest, so that ranges which follow each other share no level; one that ends at 0 includes the last.
    """
    return (sigma <= highest) & ((sigma > lowest) | (lowest <= 0.0))


def alpha_bar_table(
    kind: BetaKind, steps: int = 1000, start: float = 1e-4, end: float = 0.02
) -> Float64[Tensor, " steps"]:
    """The products of 1 - beta.

    linear: betas from `start` to `end` (Ho et al. 2020). scaled_linear: their square roots are linear (Rombach et al.
        2022).
    cosine: Nichol & Dhariwal 2021, eq. 17, with offset 0.008 and betas of at most 0.999; start and end are not used.
    """
    return torch.cumprod(1.0 - betas(kind, steps, start, end), dim=0)


def betas(kind: BetaKind, steps: int, start: float, end: float) -> Float64[Tensor, " steps"]:
    """Noise added per training step; see `alpha_bar_table`."""
    if kind == "linear":
        return torch.linspace(start, end, steps, dtype=torch.float64)
    if kind == "scaled_linear":
        return torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float64).square()
    u = torch.arange(steps + 1, dtype=torch.float64) / steps
    f = torch.cos((u + 0.008) / 1.008 * math.pi / 2).square()
    return (1.0 - f[1:] / f[:-1]).clamp(max=0.999)
