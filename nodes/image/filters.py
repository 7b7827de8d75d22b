"""Blurring and sharpening."""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Slider, node

from ..types import Image
from . import edit_specs as specs
from .edit_specs import MAX_SIGMA, reach
from .pixels import weighted_by_alpha


def gaussian_weights(sigma: float, radius: int) -> Float[Tensor, " taps"]:
    """2 radius + 1 samples of a Gaussian around its mean, with sum 1; float64."""
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


def convolved(
    values: Float[Tensor, "batch channels height width"], weights: Float[Tensor, " taps"]
) -> Float[Tensor, "batch channels height2 width2"]:
    """Weighted along rows and then along columns; each side loses as many positions as there are taps, but one."""
    taps = weights.tolist()
    for axis in (2, 3):
        length = values.shape[axis] - len(taps) + 1
        total = values.narrow(axis, 0, length) * taps[0]
        for start, weight in enumerate(taps[1:], 1):
            total.add_(values.narrow(axis, start, length), alpha=weight)
        values = total
    return values


def gaussian(
    values: Float[Tensor, "batch channels height width"], sigma: float
) -> Float[Tensor, "batch channels height width"]:
    """Blurred by a Gaussian that ends at 4 sigma; beyond the edges the outermost pixels go on. sigma 0: unchanged."""
    radius = reach(sigma)
    if radius == 0:
        return values
    around = F.pad(values, (radius, radius, radius, radius), mode="replicate")
    return convolved(around, gaussian_weights(sigma, radius))


def unsharp(
    pixels: Float[Tensor, "batch channels height width"], sigma: float, amount: float
) -> Float[Tensor, "batch channels height width"]:
    """Unsharp mask: x + amount (x - blurred x), clamped; alpha stays as it is."""
    soft = weighted_by_alpha(pixels, lambda values: gaussian(values, sigma))
    colours = min(3, pixels.shape[1])
    sharp = pixels[:, :colours] + amount * (pixels[:, :colours] - soft[:, :colours])
    return torch.cat([sharp.clamp(0.0, 1.0), pixels[:, colours:]], dim=1)


@node(category="image/filter", lane="cpu", spec=specs.blur_image)
def blur_image(image: Image, sigma: Annotated[float, Field(ge=0, le=MAX_SIGMA), Slider(step=0.5)] = 2.0) -> Image:
    """Blur pictures

    image: what to blur; beyond its edges it counts as going on, and colours under transparency do not show.
    sigma: standard deviation of the Gaussian in pixels; 0 changes nothing.
    """
    if reach(sigma) == 0:
        return image
    return Image(pixels=weighted_by_alpha(image.pixels, lambda values: gaussian(values, sigma)))


@node(category="image/filter", lane="cpu", spec=specs.sharpen_image)
def sharpen_image(
    image: Image,
    sigma: Annotated[float, Field(ge=0, le=MAX_SIGMA), Slider(step=0.5)] = 1.0,
    amount: Annotated[float, Field(ge=0, le=10), Slider(step=0.1)] = 0.5,
) -> Image:
    """Sharpen pictures by an unsharp mask

    What a blur would take away is added once more.

    image: what to sharpen; transparency stays as it is.
    sigma: standard deviation of the blur in pixels: how large the details are that get stronger.
    amount: how much is added; 0 changes nothing.
    """
    if reach(sigma) == 0 or amount == 0:
        return image
    return Image(pixels=unsharp(image.pixels, sigma, amount))
