"""Pictures mirrored and turned; no pixel changes its value."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from nodegraph import node

from ..types import Image
from . import transform_specs as specs


def turned(pixels: Float[Tensor, "batch c height width"], degrees: int) -> Float[Tensor, "batch c height2 width2"]:
    """Clockwise by a multiple of 90 degrees."""
    return pixels.rot90(-degrees // 90, (2, 3)).contiguous()


@node(category="image/transform", lane="cpu", spec=specs.flip_image)
def flip_image(image: Image, direction: Literal["horizontal", "vertical", "both"] = "horizontal") -> Image:
    """Mirror pictures

    image: what to mirror.
    direction: horizontal changes left and right, vertical changes top and bottom, both turns it upside down.
    """
    axes = {"horizontal": (3,), "vertical": (2,), "both": (2, 3)}[direction]
    return Image(pixels=image.pixels.flip(axes))


@node(category="image/transform", lane="cpu", spec=specs.rotate_image)
def rotate_image(image: Image, degrees: Literal[0, 90, 180, 270] = 90) -> Image:
    """Turn pictures by right angles

    image: what to turn.
    degrees: clockwise.
    """
    return Image(pixels=turned(image.pixels, degrees))
