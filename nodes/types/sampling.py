"""Samplers, what they step through, and guiders, which they ask."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from nodegraph import wire

from ..schedules.noise import NoiseSchedule
from .latent import LatentSpace


class NoiseSource(Protocol):
    """Where a sampler's standard normal noise comes from."""

    def __call__(self, step: int, draw: int) -> Tensor:
        """Noise shaped like the latents. draw: tells several draws of one step apart."""


class Denoise(Protocol):
    """What a sampler asks in each step: the guided denoiser."""

    @property
    def schedule(self) -> NoiseSchedule:
        """How signal and noise are mixed at each level."""

    def __call__(self, x: Tensor, sigma: Float64[Tensor, ""]) -> Tensor:
        """The expected clean latent, given `x` at level `sigma`; one evaluation."""


@wire(portable=False, shown="nodes.showing.models:GuiderShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class Guider:
    """Denoisers and conditionings made into one function of the noisy latent. Guidance methods derive from it."""

    @property
    @abstractmethod
    def schedule(self) -> NoiseSchedule:
        """How signal and noise are mixed at each level."""

    @property
    @abstractmethod
    def space(self) -> LatentSpace:
        """Of the latents."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    @abstractmethod
    def batch(self) -> int:
        """How many items it is conditioned on; 1 fits any number."""

    @property
    def multiple(self) -> int:
        """Latent sides must be multiples of it."""
        return 1

    @abstractmethod
    def denoise(
        self, x: Float[Tensor, "batch c h w"], sigma: Float64[Tensor, "*batch"]
    ) -> Float[Tensor, "batch c h w"]:
        """The guided expected clean latent, given `x` at level `sigma`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """Everything a sampler knows between two steps; samplers with a memory derive from it. All it takes to resume.

    Also after a crash: it is a frozen dataclass of a module, of tensors, numbers, texts, tuples of these and None.

    x: the latent at the level before the next step. sigmas: the whole grid.
    """

    x: Float[Tensor, "batch c h w"]
    sigmas: Float64[Tensor, " levels"]


@wire(portable=True, shown="nodes.showing.sampling:SamplerShown")
@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A way down a grid of noise levels. Methods derive from it; their fields are their parameters."""

    def init(self, x: Float[Tensor, "batch c h w"], sigmas: Float64[Tensor, " levels"]) -> State:
        """The state before step 0, `x` being at the grid's first level."""
        return State(x=x, sigmas=sigmas)

    @abstractmethod
    def step(self, state: State, i: int, denoise: Denoise, noise: NoiseSource) -> State:
        """From level i of the grid to level i + 1. Pure: the same arguments give the same bits."""
