"""What a network may predict, and how a denoised latent is made of it.

Throughout x = a x0 + s eps, with a the amount of signal and s the amount of noise in what the network sees. Every
parameterisation is linear in x and the prediction, x0 = p x + q y, so one pair of coefficients says all there is to it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Parameterisation:
    """x0 = p(a, s) x + q(a, s) y with y the network's prediction."""

    @abstractmethod
    def coefficients(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """p and q, shaped like a and s."""

    def to_denoised(self, x: Tensor, prediction: Tensor, a: Tensor, s: Tensor) -> Tensor:
        """x0 from the prediction at x; a and s broadcast against x."""
        p, q = self.coefficients(a, s)
        return p * x + q * prediction

    def from_denoised(self, x: Tensor, denoised: Tensor, a: Tensor, s: Tensor) -> Tensor:
        """The prediction that `to_denoised` turns into `denoised`; what a network is trained towards."""
        p, q = self.coefficients(a, s)
        return (denoised - p * x) / q


@dataclass(frozen=True, kw_only=True)
class Epsilon(Parameterisation):
    """y = eps, so x0 = (x - s eps) / a; undefined where a = 0. Ho et al. 2020."""

    def coefficients(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """1 / a and -s / a."""
        return 1.0 / a, -s / a


@dataclass(frozen=True, kw_only=True)
class Sample(Parameterisation):
    """y = x0."""

    def coefficients(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """0 and 1."""
        return 0.0 * a, 0.0 * s + 1.0


@dataclass(frozen=True, kw_only=True)
class Velocity(Parameterisation):
    """y = v = a eps - s x0. Salimans & Ho 2022, appendix D, where a^2 + s^2 = 1; here for any a and s."""

    def coefficients(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """a x - s v = (a^2 + s^2) x0."""
        norm = a * a + s * s
        return a / norm, -s / norm


@dataclass(frozen=True, kw_only=True)
class Flow(Parameterisation):
    """y = u = eps - x0, the velocity of a rectified flow. Liu et al. 2022; Esser et al. 2024."""

    def coefficients(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """x - s u = (a + s) x0; with a = 1 - s this is x0 = x - s u."""
        return 1.0 / (a + s), -s / (a + s)


@dataclass(frozen=True, kw_only=True)
class Score(Parameterisation):
    """y = grad log p(x) = -eps / s. Song & Ermon 2019."""

    def coefficients(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """x0 = (x + s^2 y) / a, Tweedie's formula."""
        return 1.0 / a, s * s / a


@dataclass(frozen=True, kw_only=True)
class Preconditioned(Parameterisation):
    """y = F of D = c_skip x + c_out F. Karras et al. 2022, table 1.

    sigma_data: standard deviation of the data.
    """

    sigma_data: float = 0.5

    def coefficients(self, a: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """With sigma = s / a: c_skip = d^2 / (sigma^2 + d^2), of x / a; c_out = sigma d / sqrt(sigma^2 + d^2)."""
        sigma, d = s / a, self.sigma_data
        total = sigma * sigma + d * d
        return d * d / (total * a), sigma * d / total.sqrt()


BY_NAME: dict[str, type[Parameterisation]] = {
    "eps": Epsilon,
    "x0": Sample,
    "v": Velocity,
    "flow": Flow,
    "score": Score,
    "edm": Preconditioned,
}
"""The names that checkpoints use."""


def name_of(parameterisation: Parameterisation) -> str:
    """Its name in `BY_NAME`; empty where it is not one of them."""
    return next((name for name, kind in BY_NAME.items() if type(parameterisation) is kind), "")
