"""Pictures laid on pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Image, Mask
from . import edit_specs as specs
from .edit_specs import blended_size, composite_channels, overlap
from .pixels import with_channels
from .specs import MAX_SIDE

BlendMode = Literal[
    "normal", "multiply", "screen", "overlay", "darken", "lighten", "dodge", "burn", "hard_light", "soft_light",
    "difference", "exclusion", "add", "subtract",
]  # fmt: skip


def over(
    base: Float[Tensor, "b1 channels height width"],
    overlay: Float[Tensor, "b2 channels2 height width"],
    coverage: Float[Tensor, "b3 1 height width"],
) -> Float[Tensor, "batch channels height width"]:
    """The operator "over" of Porter and Duff 1984 for straight alpha, on gamma-encoded values.

    coverage: how much of the overlay counts, beside its own alpha. Where both together are 0 the base stays and where
    they are 1 the overlay stands, bit for bit.
    """
    channels = base.shape[1]
    alpha = coverage * overlay[:, 3:] if overlay.shape[1] == 4 else coverage
    colours = with_channels(overlay, channels) if overlay.shape[1] != 4 else overlay[:, :3]
    if channels != 4:
        return torch.lerp(base, colours, alpha).clamp(0.0, 1.0)
    below = base[:, 3:] * torch.ones_like(alpha)
    together = torch.lerp(below, torch.ones_like(below), alpha)
    share = torch.where(together > 0, alpha / together.clamp(min=1e-12), 0.0).clamp(max=1.0)
    mixed = torch.lerp(base[:, :3], colours[:, :3], share)
    return torch.cat([mixed, together], dim=1).clamp(0.0, 1.0)


def _dodge(b: Tensor, s: Tensor) -> Tensor:
    return torch.where(b == 0, 0.0, torch.where(s == 1, 1.0, (b / (1.0 - s).clamp(min=1e-12)).clamp(max=1.0)))


def _burn(b: Tensor, s: Tensor) -> Tensor:
    return 1.0 - _dodge(1.0 - b, 1.0 - s)


def _hard_light(b: Tensor, s: Tensor) -> Tensor:
    return torch.where(s <= 0.5, 2.0 * b * s, 1.0 - 2.0 * (1.0 - b) * (1.0 - s))


def _soft_light(b: Tensor, s: Tensor) -> Tensor:
    light = torch.where(b <= 0.25, ((16.0 * b - 12.0) * b + 4.0) * b, b.sqrt())
    return torch.where(s <= 0.5, b - (1.0 - 2.0 * s) * b * (1.0 - b), b + (2.0 * s - 1.0) * (light - b))


_BLENDS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType({
    "normal": lambda b, s: s.expand_as(b * s),
    "multiply": lambda b, s: b * s,
    "screen": lambda b, s: b + s - b * s,
    "overlay": lambda b, s: _hard_light(s, b),
    "darken": torch.minimum,
    "lighten": torch.maximum,
    "dodge": _dodge,
    "burn": _burn,
    "hard_light": _hard_light,
    "soft_light": _soft_light,
    "difference": lambda b, s: (b - s).abs(),
    "exclusion": lambda b, s: b + s - 2.0 * b * s,
    "add": lambda b, s: b + s,
    "subtract": lambda b, s: b - s,
})  # fmt: skip


def blended(
    base: Float[Tensor, "b1 c height width"], source: Float[Tensor, "b2 c height width"], mode: BlendMode
) -> Float[Tensor, "batch c height width"]:
    """The blend functions B(base, source) of the W3C's Compositing and Blending Level 1, on colours in [0, 1]; add and
    subtract are the sum and the difference, clamped.
    """
    return _BLENDS[mode](base, source).clamp(0.0, 1.0)


Place = Annotated[int, Field(ge=-MAX_SIDE, le=MAX_SIDE)]


@node(category="image/composite", lane="cpu", spec=specs.composite_images)
def composite_images(base: Image, overlay: Image, mask: Mask | None = None, left: Place = 0, top: Place = 0) -> Image:
    """Lay pictures on others

    base: what lies below; where the overlay does not reach it stays as it is.
    overlay: what is laid on it; its transparency counts. A batch, or one picture for all of the base.
    mask: of the overlay's size: 1 shows the overlay, 0 the base. All of the overlay by default.
    left: where the overlay's left edge lies in the base, in pixels; parts beyond the base are cut off.
    top: where the overlay's upper edge lies in the base.
    """
    place = overlap(base, overlay, mask, left, top)
    pixels = with_channels(base.pixels, composite_channels(base, overlay))
    result = pixels.expand(place.batch, -1, -1, -1).clone()
    there = result[:, :, top + place.top : top + place.bottom, left + place.left : left + place.right]
    part = (slice(None), slice(None), slice(place.top, place.bottom), slice(place.left, place.right))
    cover = torch.ones_like(overlay.pixels[part][:, :1]) if mask is None else mask.values[part]
    there.copy_(over(there, overlay.pixels[part], cover))
    return Image(pixels=result)


@node(category="image/composite", lane="cpu", spec=specs.blend_images)
def blend_images(
    base: Image,
    overlay: Image,
    mode: BlendMode = "normal",
    amount: Annotated[float, Field(ge=0, le=1), Slider(step=0.05)] = 1.0,
    mask: Mask | None = None,
) -> Image:
    """Mix pictures of one size by a blend mode

    base: what lies below; its transparency is kept.
    overlay: what is mixed in; where it is transparent the base stays.
    mode: the names are those of picture editors; normal shows the overlay itself.
    amount: 0 leaves the base as it is, 1 is the whole effect.
    mask: of the same size: 1 shows the effect, 0 the base. Everywhere by default.
    """
    batch = blended_size(base, overlay, mask)
    pixels = with_channels(base.pixels, composite_channels(base, overlay)).expand(batch, -1, -1, -1)
    kept = pixels[:, 3:] if pixels.shape[1] == 4 else pixels[:, :0]
    colours = pixels[:, :3]
    source = overlay.pixels[:, :3] if overlay.channels == 4 else with_channels(overlay.pixels, colours.shape[1])
    weight = torch.full((1, 1, 1, 1), amount)
    if overlay.channels == 4:
        weight = weight * overlay.pixels[:, 3:]
    if mask is not None:
        weight = weight * mask.values
    mixed = torch.lerp(colours, blended(colours, source, mode), weight).clamp(0.0, 1.0)
    return Image(pixels=torch.cat([mixed, kept], dim=1))
