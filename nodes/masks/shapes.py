"""Masks with the shape of a rectangle or an ellipse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import node

from ..image.crop import smooth_step
from ..image.specs import MAX_SIDE
from ..types import Image, Mask
from . import specs
from .specs import Frame, canvas

Depth = Callable[[Tensor, Tensor, float, float], Tensor]
"""How deep a point lies inside a shape, in pixels: from its place relative to the centre (x, y) and the half sides."""


def rectangle_depth(
    x: Float[Tensor, " width"], y: Float[Tensor, "height 1"], half_width: float, half_height: float
) -> Float[Tensor, "height width"]:
    """To the nearest side; below 0 outside."""
    return torch.minimum(half_width - x.abs(), half_height - y.abs())


def ellipse_depth(
    x: Float[Tensor, " width"], y: Float[Tensor, "height 1"], half_width: float, half_height: float
) -> Float[Tensor, "height width"]:
    """To the edge, exact for circles, else to first order: (1 - r) r / |gradient of r^2 / 2|, r = 1 on the ellipse."""
    r = ((x / half_width) ** 2 + (y / half_height) ** 2).sqrt()
    slope = ((x / half_width**2) ** 2 + (y / half_height**2) ** 2).sqrt()
    shorter = torch.full_like(r, min(half_width, half_height))  # in the very centre, where the slope is 0
    return torch.where(slope > 0, (1.0 - r) * r / slope.clamp(min=1e-12), shorter)


def shape_mask(height: int, width: int, frame: Frame, feather: int, depth: Depth) -> Float[Tensor, "1 1 height width"]:
    """1 where a pixel's centre lies inside the shape that fills a frame; `feather` pixels deep it rises smoothly."""
    x = torch.arange(width) + 0.5 - (frame.left + frame.width / 2.0)
    y = torch.arange(height)[:, None] + 0.5 - (frame.top + frame.height / 2.0)
    inside = depth(x, y, frame.width / 2.0, frame.height / 2.0)
    if feather == 0:
        return (inside >= 0).float()[None, None]
    return smooth_step(inside / feather)[None, None]


Place = Annotated[int, Field(ge=-MAX_SIDE, le=MAX_SIDE)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Feather = Annotated[int, Field(ge=0, le=4_096)]


@node(category="mask", lane="cpu", spec=specs.rectangle_mask)
def rectangle_mask(
    left: Place = 128,
    top: Place = 128,
    width: Side = 256,
    height: Side = 256,
    feather: Feather = 0,
    image: Image | None = None,
    mask_width: Side = 512,
    mask_height: Side = 512,
) -> Mask:
    """A mask with a rectangle

    left: where the rectangle begins; it may reach beyond the mask, what lies there is cut off.
    top: where the rectangle begins.
    width: of the rectangle, in pixels.
    height: of the rectangle, in pixels.
    feather: pixels over which it fades towards its edge, inside the rectangle; 0 makes it hard.
    image: pictures that the mask is for; it gets their size and one mask stands for all of them.
    mask_width: of the mask, where there is no image.
    mask_height: of the mask, where there is no image.
    """
    frame = Frame(left, top, width, height)
    down, across = canvas(frame, image, mask_width, mask_height)
    return Mask(values=shape_mask(down, across, frame, feather, rectangle_depth))


@node(category="mask", lane="cpu", spec=specs.ellipse_mask)
def ellipse_mask(
    left: Place = 128,
    top: Place = 128,
    width: Side = 256,
    height: Side = 256,
    feather: Feather = 0,
    image: Image | None = None,
    mask_width: Side = 512,
    mask_height: Side = 512,
) -> Mask:
    """A mask with an ellipse or a circle

    left: where the rectangle around the ellipse begins; it may reach beyond the mask, what lies there is cut off.
    top: where the rectangle around the ellipse begins.
    width: of the ellipse, in pixels.
    height: of the ellipse, in pixels.
    feather: pixels over which it fades towards its edge, inside the ellipse; 0 makes it hard.
    image: pictures that the mask is for; it gets their size and one mask stands for all of them.
    mask_width: of the mask, where there is no image.
    mask_height: of the mask, where there is no image.
    """
    frame = Frame(left, top, width, height)
    down, across = canvas(frame, image, mask_width, mask_height)
    return Mask(values=shape_mask(down, across, frame, feather, ellipse_depth))
