"""Masks from pictures and back, and what happens to their values point by point."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..image.pixels import to_rgb, with_channels
from ..image.specs import MAX_SIDE
from ..image.transform import Method, resized
from ..types import Image, Mask
from . import specs
from .specs import check_channel, check_pair

Channel = Literal["luminance", "red", "green", "blue", "alpha"]
Threshold = Annotated[float, Field(ge=0, le=1), Slider(step=0.01)]
Operation = Literal["union", "intersection", "difference", "add", "multiply"]


def channel_of(
    pixels: Float[Tensor, "batch c height width"], channel: Channel
) -> Float[Tensor, "batch 1 height width"]:
    """One channel; pictures with transparency are laid on white first, unless it is alpha that is asked for."""
    if channel == "alpha":
        return pixels[:, 3:].clone()
    if channel == "luminance":
        return with_channels(pixels, 1)
    index = ("red", "green", "blue").index(channel)
    return to_rgb(pixels)[:, index : index + 1].contiguous()


def at_least(values: Float[Tensor, "*axes"], threshold: float) -> Float[Tensor, "*axes"]:
    """1 where values reach the threshold, 0 elsewhere."""
    return (values >= threshold).float()


def combined(
    first: Float[Tensor, "b1 1 height width"], second: Float[Tensor, "b2 1 height width"], how: Operation
) -> Float[Tensor, "batch 1 height width"]:
    """Two masks as fuzzy sets (Zadeh 1965): the larger value is their union, the smaller their intersection."""
    match how:
        case "union":
            return torch.maximum(first, second)
        case "intersection":
            return torch.minimum(first, second)
        case "difference":
            return (first - second).clamp(min=0.0)
        case "add":
            return (first + second).clamp(max=1.0)
        case "multiply":
            return first * second


@node(category="mask", lane="cpu", spec=specs.image_to_mask)
def image_to_mask(image: Image, channel: Channel = "luminance", threshold: Threshold | None = None) -> Mask:
    """Make a mask of one channel of pictures

    image: pictures with transparency are laid on white, unless the channel is alpha.
    channel: luminance has Rec. 709 weights; alpha needs pictures with transparency.
    threshold: makes it 1 where the channel is at least this, 0 elsewhere; without one the values stay soft.
    """
    check_channel(image, channel)
    values = channel_of(image.pixels, channel)
    return Mask(values=values if threshold is None else at_least(values, threshold))


@node(category="mask", lane="cpu", spec=specs.mask_to_image)
def mask_to_image(mask: Mask) -> Image:
    """Make grey pictures of masks

    mask: 1 becomes white, 0 black.
    """
    return Image(pixels=mask.values)


@node(category="mask", lane="cpu", spec=specs.invert_mask)
def invert_mask(mask: Mask) -> Mask:
    """Exchange what is made anew and what stays

    mask: every value v becomes 1 - v.
    """
    return Mask(values=1.0 - mask.values)


@node(category="mask", lane="cpu", spec=specs.threshold_mask)
def threshold_mask(mask: Mask, threshold: Threshold = 0.5) -> Mask:
    """Make a mask hard: 0 or 1, nothing between

    mask: what is made hard.
    threshold: values of at least this become 1, the others 0.
    """
    return Mask(values=at_least(mask.values, threshold))


@node(category="mask", lane="cpu", spec=specs.combine_masks)
def combine_masks(first: Mask, second: Mask, how: Operation = "union") -> Mask:
    """Make one mask out of two

    first: a batch, or one mask that stands for all of the other batch.
    second: of the same size.
    how: union takes the larger value, intersection the smaller; difference is the first without the second; add and
        multiply do so with the values.
    """
    check_pair(first, second)
    return Mask(values=combined(first.values, second.values, how))


@node(category="mask", lane="cpu", spec=specs.resize_mask)
def resize_mask(
    mask: Mask,
    width: Annotated[int, Field(ge=1, le=MAX_SIDE)] = 512,
    height: Annotated[int, Field(ge=1, le=MAX_SIDE)] = 512,
    method: Method = "bilinear",
) -> Mask:
    """Make masks exactly so wide and so high

    mask: what to resize.
    width: in pixels.
    height: in pixels.
    method: nearest keeps hard masks hard; bilinear and box stay within the old values, lanczos and bicubic are sharper.
    """
    return Mask(values=resized(mask.values, width, height, method))
