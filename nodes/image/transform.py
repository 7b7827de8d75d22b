"""Resizing pictures."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from PIL import Image as Pillow
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Image
from . import specs
from .pixels import raw_bytes, weighted_by_alpha
from .specs import MAX_SIDE, scaled_size

Method = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]


Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a picture, in pixels."""


def resized(
    pixels: Float[Tensor, "batch channels height width"],
    width: int,
    height: int,
    method: Method,
    box: Box | None = None,
) -> Float[Tensor, "batch channels new_height new_width"]:
    """Resized in float32, with antialiasing when it shrinks; overshoot is clamped to [0, 1].

    Colours are weighted by alpha, so that what is hidden under transparency never shows.

    box: the part that is resized; all of it by default.
    """

    def change(planes: Tensor) -> Tensor:
        found = [_plane(plane, width, height, method, box) for plane in planes.flatten(0, 1)]
        return torch.stack(found).reshape(*planes.shape[:2], height, width)

    return weighted_by_alpha(pixels, change)


def _plane(plane: Float[Tensor, "height width"], width: int, height: int, method: Method, box: Box | None) -> Tensor:
    rows, columns = plane.shape
    picture = Pillow.frombytes("F", (columns, rows), raw_bytes(plane)).resize(
        (width, height), Pillow.Resampling[method.upper()], box
    )
    values: Tensor = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.float32)
    return values.reshape(height, width)


@node(category="image/transform", lane="cpu", spec=specs.resize_image)
def resize_image(
    image: Image,
    width: Annotated[int, Field(ge=1, le=MAX_SIDE)] = 512,
    height: Annotated[int, Field(ge=1, le=MAX_SIDE)] = 512,
    method: Method = "lanczos",
) -> Image:
    """Make pictures exactly so wide and so high

    The proportions change where the sizes ask for it.

    image: what to resize.
    width: in pixels.
    height: in pixels.
    method: lanczos is sharpest, box and bilinear are softer, nearest keeps hard pixels.
    """
    return Image(pixels=resized(image.pixels, width, height, method))


@node(category="image/transform", lane="cpu", spec=specs.scale_image)
def scale_image(
    image: Image, factor: Annotated[float, Field(gt=0, le=64), Slider(step=0.5)] = 2.0, method: Method = "lanczos"
) -> Image:
    """Make pictures larger or smaller and keep their proportions

    image: what to resize.
    factor: 2 doubles both sides, 0.5 halves them; sides are rounded to whole pixels.
    method: lanczos is sharpest, box and bilinear are softer, nearest keeps hard pixels.
    """
    width, height = scaled_size(image, factor)
    return Image(pixels=resized(image.pixels, width, height, method))
