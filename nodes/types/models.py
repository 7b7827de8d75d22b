"""Handles on models. They are frozen: whatever changes a model gives a new handle that shares its weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from nodegraph import wire

from ..models.patching import Branch, Change, with_branches, with_changes
from ..models.taps import Several, Taps
from ..parameterisations import Parameterisation
from ..schedules.noise import NoiseSchedule
from .conditioning import Encoding
from .latent import LatentSpace

if TYPE_CHECKING:
    from ..specs.models import TextEncoderSpec

Predict = Callable[[nn.Module, Tensor, Tensor, Encoding, Taps | None], Tensor]
"""A function at the top of a module: (network, x, time, encoding, taps) -> what the network predicts, shaped like x.

x arrives on the network's device in its dtype, time in float32 of shape (batch,); the encoding wherever it is. taps:
what patches do inside the network; None where there are none, and always for networks that have no taps.
"""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which part of a whole latent a network is shown, in latent pixels."""

    top: int
    left: int
    height: int
    width: int
    whole_height: int
    whole_width: int

    def cut(self, whole: Float[Tensor, "*axes h w"], step: int = 1) -> Float[Tensor, "*axes h2 w2"]:
        """The same part of something else of the whole's size times `step`."""
        top, left = self.top * step, self.left * step
        return whole[..., top : top + self.height * step, left : left + self.width * step]


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One evaluation of a network, as patches see it.

    x: what the network is given, in its dtype and on its device, without further channels. time: as the network is
    told. sigma: the noise level, one for all or one per item. window: what part of the picture this is.
    """

    x: Float[Tensor, "batch c h w"]
    time: Float[Tensor, " batch"]
    sigma: Float64[Tensor, "*batch"]
    encoding: Encoding
    window: Window


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """A change to a model as data. A patch overrides what it needs of these."""

    def changes(self) -> Mapping[str, Sequence[Change]]:
        """What is added to which weights of the network."""
        return {}

    def branches(self) -> Mapping[str, Sequence[Branch]]:
        """What is computed beside which layers of the network."""
        return {}

    def taps(self, call: Call) -> Taps | None:
        """What happens inside the network in this call; None for nothing."""
        return None

    @property
    def beside(self) -> int:
        """How many channels `channels` gives."""
        return 0

    def channels(self, call: Call) -> Tensor | None:
        """What the network is given beside x, (batch, c, h, w); None for nothing."""
        return None


@wire(portable=False, shown="nodes.showing.models:DenoiserShown")
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

    @property
    def lacking(self) -> int:
        """How many channels the network takes that neither the latent nor a patch gives."""
        config = getattr(self.network, "config", None)
        taken: int = getattr(config, "in_channels", self.space.channels)
        return taken - self.space.channels - sum(patch.beside for patch in self.patches)

    @cached_property
    def patched(self) -> nn.Module:
        """The network with what the patches add to its weights; made when it is first needed."""
        return patched_network(self.network, self.patches)

    def patch(self, patch: Patch) -> Denoiser:
        """A handle with one patch more."""
        return replace(self, patches=(*self.patches, patch))

    def denoise(
        self,
        x: Float[Tensor, "batch c h w"],
        sigma: Float64[Tensor, "*batch"],
        encoding: Encoding,
        window: Window | None = None,
    ) -> Float[Tensor, "batch c h w"]:
        """The expected clean latent, given `x` at noise level `sigma`.

        x: in the schedule's terms, in any floating dtype, which is kept. sigma: one for all or one per item. window:
        where x lies in the whole picture; None where it is the whole.
        """
        scale = self.schedule.input_scale(sigma)
        a, s = self.schedule.signal(sigma) * scale, self.schedule.noise(sigma) * scale
        x_net = x * column(scale, x)
        time = self.schedule.time(sigma).to(x.device, torch.float32).expand(len(x))
        height, width = x.shape[2:]
        whole = Window(top=0, left=0, height=height, width=width, whole_height=height, whole_width=width)
        given = x_net.to(self.dtype)
        call = Call(x=given, time=time, sigma=sigma, encoding=encoding, window=window or whole)
        beside = [each for patch in self.patches if (each := patch.channels(call)) is not None]
        taps = [tap for patch in self.patches if (tap := patch.taps(call)) is not None]
        prediction = self.predict(
            self.patched,
            torch.cat([given, *beside], dim=1) if beside else given,
            time,
            encoding,
            None if not taps else taps[0] if len(taps) == 1 else Several(taps),
        ).to(x.dtype)
        return self.parameterisation.to_denoised(x_net, prediction, column(a, x), column(s, x))


def patched_network(network: nn.Module, patches: Sequence[Patch]) -> nn.Module:
    """The network itself where no patch changes weights or layers."""
    changes: dict[str, list[Change]] = {}
    branches: dict[str, list[Branch]] = {}
    for patch in patches:
        for name, several in patch.changes().items():
            changes.setdefault(name, []).extend(several)
        for name, beside in patch.branches().items():
            branches.setdefault(name, []).extend(beside)
    if changes:
        network = with_changes(network, changes)
    return with_branches(network, branches) if branches else network


def column(value: Tensor, like: Tensor) -> Tensor:
    """A number for all or one per item, shaped and typed to be multiplied with `like`."""
    return value.to(like.device, like.dtype).reshape(-1, *[1] * (like.ndim - 1))


def _first_parameter(network: nn.Module) -> Tensor:
    found = next(network.parameters(), None)
    return torch.zeros(0) if found is None else found


@wire(portable=False, shown="nodes.showing.models:TextEncoderShown")
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


@wire(portable=False, shown="nodes.showing.models:AutoencoderShown")
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
