"""Edges of pictures, as hints for models that draw along them."""

from __future__ import annotations

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int32, Int64, UInt8
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Image
from . import edit_specs as specs
from .edit_specs import MAX_SIGMA, check_thresholds
from .filters import gaussian
from .pixels import to_bytes, to_rgb

_TAN = round(math.tan(math.pi / 8) * 2**15)
"""tan 22.5 degrees as a whole number of 2^-15: angles are told apart without division."""


def sobel(values: Tensor) -> tuple[Tensor, Tensor]:
    """The derivatives to the right and down by the operator of Sobel and Feldman 1968, 8 times the slope per pixel;
    beyond the edges the outermost pixels go on. The last two axes are height and width.
    """
    height, width = values.shape[-2:]
    rows, columns = (torch.arange(-1, size + 1).clamp(0, size - 1) for size in (height, width))
    p = values.index_select(-2, rows).index_select(-1, columns)
    down = p[..., :-2, :] + 2 * p[..., 1:-1, :] + p[..., 2:, :]
    across = p[..., :-2] + 2 * p[..., 1:-1] + p[..., 2:]
    return down[..., 2:] - down[..., :-2], across[..., 2:, :] - across[..., :-2, :]


def gradient(
    levels: UInt8[Tensor, "batch channels height width"],
) -> tuple[Int32[Tensor, "batch height width"], Int32[Tensor, "batch height width"]]:
    """At each pixel the derivatives of the channel that changes most there, by |dx| + |dy|; the first of equals."""
    (dx, *more_dx), (dy, *more_dy) = (each.unbind(1) for each in sobel(levels.short()))
    for other_dx, other_dy in zip(more_dx, more_dy, strict=True):
        steeper = other_dx.abs() + other_dy.abs() > dx.abs() + dy.abs()
        dx, dy = torch.where(steeper, other_dx, dx), torch.where(steeper, other_dy, dy)
    return dx.int(), dy.int()


def ridges(
    dx: Int32[Tensor, "batch height width"], dy: Int32[Tensor, "batch height width"], low: int
) -> Bool[Tensor, "batch height width"]:
    """Where the magnitude |dx| + |dy| is above `low` and largest among the two neighbours along the gradient, whose
    direction is rounded to a multiple of 45 degrees (non-maximum suppression).

    Of two equal neighbours in a row or column, the later one is the ridge; nothing lies beyond the edges.
    """
    size = dx.abs() + dy.abs()
    around = F.pad(size, (1, 1, 1, 1))
    height, width = size.shape[1:]

    def at(down: int, right: int) -> Tensor:
        return around[:, 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    steep = dx.abs() * _TAN  # |dx| tan 22.5 degrees; tan 67.5 degrees is 2 more than that
    rise = dy.abs() << 15
    along_rows, along_columns = rise < steep, rise > steep + (dx.abs() << 16)
    rising = (dx ^ dy) < 0
    row = (size > at(0, -1)) & (size >= at(0, 1))
    column = (size > at(-1, 0)) & (size >= at(1, 0))
    falling_line = (size > at(-1, -1)) & (size > at(1, 1))
    rising_line = (size > at(-1, 1)) & (size > at(1, -1))
    diagonal = torch.where(rising, rising_line, falling_line)
    return (size > low) & torch.where(along_rows, row, torch.where(along_columns, column, diagonal))


def linked(
    weak: Bool[Tensor, "batch height width"], strong: Bool[Tensor, "batch height width"]
) -> Bool[Tensor, "batch height width"]:
    """The weak pixels that are joined to a strong one by a chain of weak neighbours, diagonal ones included
    (hysteresis). Strong pixels are weak ones too.

    Neighbours are put into common sets until nothing changes: each set points to its lowest member, and pointers are
    halved in length together (Shiloach and Vishkin 1982), so long lines take no more passes than short ones.
    """
    places = weak.flatten().nonzero().flatten()
    number = torch.full((weak.numel(),), -1, dtype=torch.int64)
    number[places] = torch.arange(len(places))
    one, other = _neighbours(number.reshape(weak.shape))
    root = torch.arange(len(places))
    while True:
        first, second = root[one], root[other]
        apart = first != second
        if not bool(apart.any()):
            break
        lower, higher = torch.minimum(first, second)[apart], torch.maximum(first, second)[apart]
        root = root.scatter_reduce(0, higher, lower, "amin")
        while not torch.equal(root, shorter := root[root]):
            root = shorter
    reached = torch.zeros(len(places), dtype=torch.bool)
    reached[root[strong.flatten()[places]]] = True
    result = torch.zeros_like(weak)
    result.view(-1)[places] = reached[root]
    return result


def _neighbours(number: Int64[Tensor, "batch height width"]) -> tuple[Int64[Tensor, " p"], Int64[Tensor, " p"]]:
    """All pairs of neighbours that have a number of at least 0."""
    pairs = (
        (number[:, :, :-1], number[:, :, 1:]),
        (number[:, :-1], number[:, 1:]),
        (number[:, :-1, :-1], number[:, 1:, 1:]),
        (number[:, :-1, 1:], number[:, 1:, :-1]),
    )
    both = [(one[found], other[found]) for one, other in pairs for found in [(one >= 0) & (other >= 0)]]
    return torch.cat([one for one, _ in both]), torch.cat([other for _, other in both])


def canny_edges(
    levels: UInt8[Tensor, "batch channels height width"], low: float, high: float
) -> Bool[Tensor, "batch height width"]:
    """Canny 1986 without its blur: gradient, ridges one pixel wide, and hysteresis between two thresholds.

    low, high: of |dx| + |dy| by Sobel's operator on levels from 0 to 255; above `high` a ridge is an edge, above `low`
    it is one where it is joined to one.
    """
    dx, dy = gradient(levels)
    weak = ridges(dx, dy, math.floor(low))
    return linked(weak, weak & (dx.abs() + dy.abs() > math.floor(high)))


Threshold = Annotated[float, Field(ge=0, le=1), Slider(step=0.01)]


@node(category="image/hints", lane="cpu", spec=specs.canny)
def canny(
    image: Image,
    low: Threshold = 0.4,
    high: Threshold = 0.8,
    sigma: Annotated[float, Field(ge=0, le=MAX_SIGMA), Slider(step=0.5)] = 0.0,
) -> Image:
    """Draw the edges of pictures: a hint for ControlNets of the kind canny

    White lines, one pixel wide, on black. On 8 bits, as the pictures were that such networks learned from.

    image: what has the edges; transparent pictures are laid on white.
    low: how strong a line must be to go on, in 255ths of the gradient; 0.4 is 102 in other programs.
    high: how strong a line must be somewhere to be drawn at all; not below `low`.
    sigma: blur before, in pixels, against noise; 0 is none, as in the networks' training.
    """
    check_thresholds(low, high)
    pixels = image.pixels if image.channels == 1 else to_rgb(image.pixels)
    levels = to_bytes(gaussian(pixels, sigma).clamp(0.0, 1.0))
    edges = canny_edges(levels, low * 255.0, high * 255.0)
    return Image(pixels=edges[:, None].float().repeat(1, 3, 1, 1))


def edge_strength(pixels: Float[Tensor, "batch c height width"]) -> Float[Tensor, "batch 1 height width"]:
    """The length of the gradient of the channel that changes most; 1 is the step from black to white."""
    dx, dy = sobel(pixels)
    return ((dx**2 + dy**2).sqrt() / 4.0).amax(dim=1, keepdim=True).clamp(0.0, 1.0)


@node(category="image/hints", lane="cpu", spec=specs.sobel_edges)
def sobel_edges(image: Image, sigma: Annotated[float, Field(ge=0, le=MAX_SIGMA), Slider(step=0.5)] = 0.0) -> Image:
    """Draw how fast pictures change: soft lines on black

    image: what has the edges; transparent pictures are laid on white.
    sigma: blur before, in pixels; 0 is none.
    """
    pixels = image.pixels if image.channels == 1 else to_rgb(image.pixels)
    return Image(pixels=edge_strength(gaussian(pixels, sigma).clamp(0.0, 1.0)).repeat(1, 3, 1, 1))
