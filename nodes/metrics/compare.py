"""Two pictures beside each other, and how like they are."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import Context, Slider, node

from ..image.pixels import to_rgb
from ..types import Image
from . import specs
from .similarity import mean_squared_error, peak_ratio, structural_similarity
from .specs import check_compared

View = Literal["difference", "side_by_side", "checker", "split"]


class ComparedImages(NamedTuple):
    """What `compare_images` gives."""

    image: Image
    mse: float
    psnr: float
    ssim: float


def both_shown(
    first: Float[Tensor, "batch 3 height width"],
    second: Float[Tensor, "batch 3 height width"],
    view: View,
    *,
    amplify: float,
    tile: int,
    position: float,
) -> Float[Tensor, "batch 3 height width2"]:
    """Two pictures in one: their difference, or places of the one and places of the other, unchanged."""
    height, width = first.shape[2:]
    match view:
        case "difference":
            return ((first - second).abs() * amplify).clamp(0.0, 1.0)
        case "side_by_side":
            return torch.cat([first, second], dim=3)
        case "checker":
            rows, columns = torch.arange(height)[:, None] // tile, torch.arange(width) // tile
            return torch.where((rows + columns) % 2 == 0, first, second)
        case "split":
            return torch.where(torch.arange(width) < round(position * width), first, second)


@node(category="metrics", lane="cpu", spec=specs.compare_images)
def compare_images(
    first: Image,
    second: Image,
    ctx: Context,
    view: View = "difference",
    amplify: Annotated[float, Field(ge=1, le=255), Slider(step=1)] = 1.0,
    tile: Annotated[int, Field(ge=1, le=4_096)] = 32,
    position: Annotated[float, Field(ge=0, le=1), Slider(step=0.01)] = 0.5,
) -> ComparedImages:
    """Compare pictures: a picture of both, and how like they are

    As RGB, transparent pictures laid on white. The numbers are means over the batch.

    first: a batch, or one picture that stands for all of the other batch.
    second: of the same size, at least 11 pixels on a side.
    view: difference is black where both are the same; side_by_side, checker and split show parts of both.
    amplify: of difference: a factor that makes small ones visible.
    tile: of checker: pixels on a side.
    position: of split: how much of the width, from the left, shows the first.
    mse: mean squared error of values in [0, 1]; 0 when both are the same.
    psnr: peak signal-to-noise ratio in dB, 88.13 at most; more is more alike.
    ssim: structural similarity (Wang et al. 2004), from -1 to 1; 1 when both are the same.
    """
    batch = check_compared(first, second)
    one, other = (to_rgb(each.pixels).expand(batch, -1, -1, -1) for each in (first, second))
    errors, likeness = [], []
    for number in range(batch):
        ctx.progress(number, batch)
        pair = one[number : number + 1], other[number : number + 1]
        errors.append(mean_squared_error(*pair))
        likeness.append(structural_similarity(*pair))
    shown = both_shown(one, other, view, amplify=amplify, tile=tile, position=position)
    return ComparedImages(
        image=Image(pixels=shown.contiguous()),
        mse=float(torch.cat(errors).mean()),
        psnr=float(peak_ratio(torch.cat(errors)).mean()),
        ssim=float(torch.cat(likeness).mean()),
    )
