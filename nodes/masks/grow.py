"""Masks grown, shrunk and feathered."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..image.filters import gaussian
from ..types import Mask
from . import specs
from .specs import MAX_GROWTH, MAX_SIGMA


def dilated(
    values: Float[Tensor, "batch 1 height width"], radius: int, shape: Literal["round", "square"]
) -> Float[Tensor, "batch 1 height width"]:
    """Grey dilation: at each pixel the largest value under a flat element; what lies beyond the edges takes no part.

    square is 2 radius + 1 on a side; round is the disc of all offsets with dx^2 + dy^2 <= radius^2.
    """
    if radius == 0:
        return values
    if shape == "square":
        return _row_maxima(_row_maxima(values, radius).mT, radius).mT.contiguous()
    height, width = values.shape[2:]
    padded = F.pad(values, (radius, radius, 0, 0), value=-math.inf)
    row = values  # the maxima of each row within the half width reached so far
    result = torch.full_like(values, -math.inf)
    reached = 0
    for down in range(radius, -1, -1):  # the disc row by row: the wider its row, the nearer it is to the middle one
        half = math.isqrt(radius * radius - down * down)
        for step in range(reached + 1, half + 1):
            left, right = (padded[..., radius + by : radius + by + width] for by in (-step, step))
            row = torch.maximum(row, torch.maximum(left, right))
        reached = half
        kept = height - down
        if kept > 0:
            torch.maximum(result[:, :, down:], row[:, :, :kept], out=result[:, :, down:])
            torch.maximum(result[:, :, :kept], row[:, :, down:], out=result[:, :, :kept])
    return result


def _row_maxima(values: Float[Tensor, "batch 1 height width"], radius: int) -> Float[Tensor, "batch 1 height width"]:
    """The largest of 2 radius + 1 neighbours in a row: windows are doubled until they are long enough."""
    window, length = F.pad(values, (radius, radius, 0, 0), value=-math.inf), 1
    wanted = 2 * radius + 1
    while length < wanted:
        step = min(length, wanted - length)
        window = torch.maximum(window[..., :-step], window[..., step:])
        length += step
    return window


def grown(
    values: Float[Tensor, "batch 1 height width"], pixels: int, shape: Literal["round", "square"]
) -> Float[Tensor, "batch 1 height width"]:
    """Dilated by so many pixels, or eroded by minus so many, which is the dilation of what is not masked."""
    return dilated(values, pixels, shape) if pixels >= 0 else -dilated(-values, -pixels, shape)


@node(category="mask", lane="cpu", spec=specs.grow_mask)
def grow_mask(
    mask: Mask,
    pixels: Annotated[int, Field(ge=-MAX_GROWTH, le=MAX_GROWTH)] = 8,
    shape: Literal["round", "square"] = "round",
) -> Mask:
    """Make the masked part larger or smaller

    mask: hard or soft.
    pixels: how far it grows on all sides; below 0 it shrinks, but not from the picture's edges.
    shape: round grows by a disc, square by a square.
    """
    return Mask(values=grown(mask.values, pixels, shape))


@node(category="mask", lane="cpu", spec=specs.blur_mask)
def blur_mask(mask: Mask, sigma: Annotated[float, Field(ge=0, le=MAX_SIGMA), Slider(step=0.5)] = 4.0) -> Mask:
    """Make the edge of a mask soft

    mask: hard or soft; at the picture's edges it counts as going on.
    sigma: standard deviation of the Gaussian in pixels; 0 changes nothing.
    """
    return Mask(values=gaussian(mask.values, sigma).clamp(0.0, 1.0))
