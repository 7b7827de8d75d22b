"""Cutting pictures, and giving them a border."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from pydantic import Field
from torch import Tensor

from nodegraph import node

from ..types import Image, Mask
from . import transform_specs as specs
from .pixels import with_channels
from .sizes import parse_colour
from .specs import MAX_SIDE
from .transform import Method, resized
from .transform_specs import check_crop, cover_box, fitted, padded_channels, padded_size

Fill = Literal["edge", "reflect", "colour"]


class PaddedImage(NamedTuple):
    """What `pad_image` gives."""

    image: Image
    mask: Mask


class FittedImage(NamedTuple):
    """What `fit_image` gives."""

    image: Image
    mask: Mask


def border_positions(size: int, before: int, after: int, fill: Fill) -> Int64[Tensor, " padded"]:
    """For every position of a side with its border, the position in the picture whose pixel stands there.

    edge repeats the last pixel; reflect mirrors at it without repeating it, as often as the border is long.
    """
    index = torch.arange(-before, size + after)
    if fill != "reflect" or size == 1:
        return index.clamp(0, size - 1)
    index = index.remainder(2 * (size - 1))
    return torch.minimum(index, 2 * (size - 1) - index)


def bordered(
    pixels: Float[Tensor, "batch channels height width"],
    left: int,
    top: int,
    right: int,
    bottom: int,
    fill: Fill,
    colour: tuple[float, float, float, float],
) -> Float[Tensor, "batch channels2 height2 width2"]:
    """Pictures with a border of so many pixels on each side; the old pixels stay as they are."""
    _, _, height, width = pixels.shape
    if fill == "colour":
        pixels = with_channels(pixels, padded_channels(pixels.shape[1], fill, colour))
    rows = pixels.index_select(2, border_positions(height, top, bottom, fill))
    result = rows.index_select(3, border_positions(width, left, right, fill))
    if fill == "colour":
        paint = torch.tensor(colour)[: pixels.shape[1], None, None]
        inside = torch.zeros(result.shape[2:], dtype=torch.bool)
        inside[top : top + height, left : left + width] = True
        result = torch.where(inside, result, paint)
    return result


def smooth_step(t: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """3 t^2 - 2 t^3 of t clamped to [0, 1]: from 0 to 1 with a level beginning and end."""
    t = t.clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def border_mask(
    height: int, width: int, left: int, top: int, right: int, bottom: int, feather: int
) -> Float[Tensor, "1 1 height2 width2"]:
    """1 on the border; inside, a pixel d pixels away from the border has 1 - smooth_step(d / (feather + 1))."""

    def distances(size: int, before: int, after: int) -> Tensor:
        position = torch.arange(-before, size + after)
        far = size + feather + 1  # a side without a border is never near
        first = position + 1 if before else torch.full_like(position, far)
        last = size - position if after else torch.full_like(position, far)
        return torch.minimum(first, last).clamp(min=0)

    down, across = distances(height, top, bottom), distances(width, left, right)
    nearest = torch.minimum(down[:, None], across[None, :]).float()
    return (1.0 - smooth_step(nearest / (feather + 1)))[None, None]


Border = Annotated[int, Field(ge=0, le=MAX_SIDE)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


@node(category="image/transform", lane="cpu", spec=specs.crop_image)
def crop_image(image: Image, left: Border = 0, top: Border = 0, width: Side = 512, height: Side = 512) -> Image:
    """Cut a rectangle out of pictures

    image: what to cut; the rectangle must lie within it.
    left: pixels to the left of the rectangle.
    top: pixels above the rectangle.
    width: of the rectangle, in pixels.
    height: of the rectangle, in pixels.
    """
    check_crop(image, left, top, width, height)
    return Image(pixels=image.pixels[:, :, top : top + height, left : left + width].contiguous())


@node(category="image/transform", lane="cpu", spec=specs.pad_image)
def pad_image(
    image: Image,
    left: Border = 0,
    top: Border = 0,
    right: Border = 0,
    bottom: Border = 0,
    fill: Fill = "edge",
    colour: str = "#808080",
    feather: Annotated[int, Field(ge=0, le=4_096)] = 0,
) -> PaddedImage:
    """Give pictures a border, and the mask to paint it anew

    image: what gets the border; its own pixels stay as they are.
    left: new pixels to the left.
    top: new pixels above.
    right: new pixels to the right.
    bottom: new pixels below.
    fill: edge repeats the outermost pixels, reflect mirrors the picture, colour is one colour.
    colour: for fill colour, such as #808080, #80808000 or grey.
    feather: over how many pixels of the old picture the mask fades out; 0 ends it at the border.
    mask: 1 on the border, 0 in the old picture but for the feather.
    """
    padded_size(image, left, top, right, bottom)
    tone = parse_colour("colour", colour)
    mask = border_mask(image.height, image.width, left, top, right, bottom, feather)
    return PaddedImage(
        image=Image(pixels=bordered(image.pixels, left, top, right, bottom, fill, tone)),
        mask=Mask(values=mask.repeat(len(image), 1, 1, 1)),
    )


@node(category="image/transform", lane="cpu", spec=specs.fit_image)
def fit_image(
    image: Image,
    width: Side = 512,
    height: Side = 512,
    mode: Literal["cover", "contain"] = "cover",
    method: Method = "lanczos",
    colour: str = "black",
) -> FittedImage:
    """Make pictures so wide and so high and keep their proportions

    image: what to resize.
    width: in pixels.
    height: in pixels.
    mode: cover fills the size and cuts off what is too much on two sides; contain shows the whole picture between bars.
    method: lanczos is sharpest, box and bilinear are softer, nearest keeps hard pixels.
    colour: of the bars, such as #808080, #80808000 or grey.
    mask: 1 on the bars, 0 on the picture.
    """
    tone = parse_colour("colour", colour)
    empty = torch.zeros(len(image), 1, height, width)
    if mode == "cover":
        covering = resized(image.pixels, width, height, method, cover_box(image, width, height))
        return FittedImage(image=Image(pixels=covering), mask=Mask(values=empty))
    across, down = fitted(image, width, height)
    left, top = (width - across) // 2, (height - down) // 2
    bars = (left, top, width - across - left, height - down - top)
    pixels = bordered(resized(image.pixels, across, down, method), *bars, "colour", tone)
    empty[:] = border_mask(down, across, *bars, 0)
    return FittedImage(image=Image(pixels=pixels), mask=Mask(values=empty))
