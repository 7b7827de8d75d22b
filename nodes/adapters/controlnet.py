"""ControlNet: a picture says where things are. Zhang, Rao & Agrawala 2023, 2302.05543."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Bool, Float, Float64
from torch import Tensor

from nodegraph import wire

from ..conditioning.unet import DOWNSCALE, told
from ..image.transform import resized
from ..models import controlnet as networks
from ..models.taps import Taps
from ..schedules.noise import between
from ..types import Patch
from ..types.models import Call
from .controlnet_specs import Fit, Weighting, check_hints, check_size

SOFT = 0.825
"""What each output is weaker by than the one below it, where the weighting is soft."""


@wire(portable=False, shown="nodes.showing.models:ControlNetShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class ControlNet:
    """A ControlNet.

    network: in evaluation mode, on its device, asking for no gradients; never changed. bgr: whether it reads the hint's
    colours in the order blue, green, red. pooled: whether only the mean of each output over the picture counts.
    """

    network: networks.ControlNet
    bgr: bool = False
    pooled: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlPatch(Patch):
    """What a ControlNet adds to the skips and the middle of a UNet.

    hint: float32 in [0, 1], one for all items or several that repeat along the batch. highest, lowest: it takes part at
    levels lowest < sigma <= highest; with lowest 0 down to the last.
    """

    control: ControlNet
    hint: Float[Tensor, "hints 3 height width"]
    strength: float
    highest: float
    lowest: float
    fit: Fit
    weighting: Weighting

    @cached_property
    def guided(self) -> dict[tuple[int, int], Tensor]:
        """The hint as it was read last, by height and width in pixels; no part of what the patch is."""
        return {}

    def taps(self, call: Call) -> Taps | None:
        """None at levels where it takes no part, so that it costs nothing there."""
        active = self.active(call.sigma)
        return ControlTaps(self, call, active) if bool(active.any()) else None

    def active(self, sigma: Float64[Tensor, "*batch"]) -> Bool[Tensor, "*batch"]:
        """Whether it takes part at a level."""
        return between(sigma, self.highest, self.lowest)

    def read(self, call: Call) -> Float[Tensor, "batch c h w"]:
        """The hint as the network takes it, for the part of the picture that the call is about.

        It is read once for the whole picture, and again only for another size.
        """
        window, network = call.window, self.control.network
        size = (window.whole_height * DOWNSCALE, window.whole_width * DOWNSCALE)
        if size not in self.guided:
            first = next(network.parameters())
            hint = fitted(self.hint, size[1], size[0], self.fit)
            hint = hint.flip(1) if self.control.bgr else hint
            found = network.read(hint.to(first.device, first.dtype))
            self.guided.clear()
            self.guided[size] = found
        check_hints(len(self.hint), len(call.x))
        return window.cut(self.guided[size]).repeat(len(call.x) // len(self.hint), 1, 1, 1)

    def residuals(self, call: Call) -> list[Tensor]:
        """What is to be added to the skips, the finest first, and to the middle; by the strength, in the network's
        dtype."""
        network = self.control.network
        guided = self.read(call)
        x = call.x.to(guided.device, guided.dtype)
        context, mask, vector = told(network.config, call.encoding, x)
        skips, middle = network(x, guided, call.time.to(x.device), context, vector=vector, mask=mask)
        found = [*skips, middle]
        if self.control.pooled:
            found = [each.mean(dim=(2, 3), keepdim=True) for each in found]
        pairs = zip(self.factors(len(found)), found, strict=True)
        return [each if factor == 1.0 else factor * each for factor, each in pairs]

    def factors(self, count: int) -> list[float]:
        """Of the outputs, the finest first. Soft ones count the less the finer they are, as in the
        guess mode of the authors' code."""
        soft = SOFT if self.weighting == "soft" else 1.0
        return [self.strength * soft ** (count - 1 - index) for index in range(count)]


class ControlTaps(Taps):
    """A ControlNet in one call of a UNet. active: one for all items or one for each."""

    def __init__(self, patch: ControlPatch, call: Call, active: Bool[Tensor, "*batch"]) -> None:
        self.patch, self.call, self.active = patch, call, active

    def encoded(self, skips: Sequence[Tensor], middle: Tensor) -> tuple[Sequence[Tensor], Tensor]:
        """Skips and middle with the residuals added."""
        *first, last = self.patch.residuals(self.call)
        return [self._sum(skip, each) for skip, each in zip(skips, first, strict=True)], self._sum(middle, last)

    def _sum(self, h: Tensor, residual: Tensor) -> Tensor:
        residual = residual.to(h.device, h.dtype)
        if not bool(self.active.all()):
            residual = residual * self.active.to(h.device, h.dtype).reshape(-1, 1, 1, 1)
        return h + residual


def fitted(
    hint: Float[Tensor, "hints c height width"], width: int, height: int, fit: Fit
) -> Float[Tensor, "hints c new_height new_width"]:
    """A hint of the size of the picture. InvalidInput where it is exact and has another size."""
    rows, columns = hint.shape[2:]
    if (columns, rows) == (width, height):
        return hint
    if fit == "exact":
        check_size(columns, rows, (width, height))
    if fit == "crop":
        keep_w, keep_h = min(columns, round(rows * width / height)), min(rows, round(columns * height / width))
        keep_w, keep_h = max(1, keep_w), max(1, keep_h)
        top, left = (rows - keep_h) // 2, (columns - keep_w) // 2
        hint = hint[:, :, top : top + keep_h, left : left + keep_w]
    return resized(hint, width, height, "bilinear")
