"""Handles on models. They are frozen: whatever changes a model gives a new handle that shares its weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from nodegraph import wire

from ..parameterisations import Parameterisation
from ..schedules.noise import NoiseSchedule
from .conditioning import Encoding
from .latent import LatentSpace

if TYPE_CHECKING:
    from ..specs.models import TextEncoderSpec

Predict = Callable[[nn.Module, Tensor, Tensor, Encoding], Tensor]
"""A function at the top of a module: (network, x, time, encoding) -> what the network predicts, shaped like x.

x and the encoding arrive on the network's device, x in its dtype, time in float32 of shape (batch,).
"""


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A change to a model as data: which method, and the tap in the model that it names. Subclasses add parameters."""

    method: str
    tap: str


@wire(portable=False)
@dataclass(frozen=True, kw_only=True, eq=False)
class Denoiser:
    """A network that takes noise away, with all that is needed to use it.

    network: in evaluation mode; never changed. predict: how it is called. parameterisation: what it predicts.
    schedule: how noise was mixed in when it was trained. space: of the latents. patches: in the order of application.
    multiple: latent sides must be multiples of it.
    """

    network: nn.Module
    predict: Predict
    parameterisation: Parameterisation
    schedule: NoiseSchedule
    space: LatentSpace
    patches: tuple[Patch, ...] = ()
    multiple: int = 1

    @property
    def device(self) -> torch.device:
        """Where the network's weights lie."""
        return _first_parameter(self.network).device

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return _first_parameter(self.network).dtype

    def denoise(
        self, x: Float[Tensor, "batch c h w"], sigma: Float64[Tensor, "*batch"], encoding: Encoding
    ) -> Float[Tensor, "batch c h w"]:
        """The expected clean latent, given `x` at noise level `sigma`.

        x: in the schedule's terms, in any floating dtype, which is kept. sigma: one for all or one per item.
        """
        scale = self.schedule.input_scale(sigma)
        a, s = self.schedule.signal(sigma) * scale, self.schedule.noise(sigma) * scale
        x_net = x * column(scale, x)
        time = self.schedule.time(sigma).to(x.device, torch.float32).expand(len(x))
        prediction = self.predict(self.network, x_net.to(self.dtype), time, encoding).to(x.dtype)
        return self.parameterisation.to_denoised(x_net, prediction, column(a, x), column(s, x))


def column(value: Tensor, like: Tensor) -> Tensor:
    """A number for all or one per item, shaped and typed to be multiplied with `like`."""
    return value.to(like.device, like.dtype).reshape(-1, *[1] * (like.ndim - 1))


def _first_parameter(network: nn.Module) -> Tensor:
    found = next(network.parameters(), None)
    return torch.zeros(0) if found is None else found


@wire(portable=False)
@dataclass(frozen=True, kw_only=True, eq=False)
class TextEncoder:
    """Texts to what a denoiser attends to. Families derive from it."""

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Encoding:
        """One item per text; the empty text is what the model takes for no text. Texts that are too long are cut."""

    @abstractmethod
    def dropped(self, text: str) -> tuple[int, int]:
        """How many tokens `text` has, and how many of them `encode` leaves out."""

    @abstractmethod
    def spec(self) -> TextEncoderSpec:
        """What it costs and gives."""

    def remarks(self, text: str) -> list[str]:
        """What whoever wrote `text` may have meant otherwise, for the log."""
        return []


@wire(portable=False)
@dataclass(frozen=True, kw_only=True, eq=False)
class Autoencoder:
    """Pictures to latents and back. Families derive from it.

    space: of the latents it makes and reads.
    """

    space: LatentSpace

    @abstractmethod
    def encode(self, pixels: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch c h w"]:
        """Normalised latents (the distribution's mean) of RGB in [0, 1]; float32 on the CPU."""

    @abstractmethod
    def decode(self, samples: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch 3 height width"]:
        """RGB clipped to [0, 1] of normalised latents; float32 on the CPU."""
