"""Latents made larger, repeated, cut and put together."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import interpolate

from nodegraph import Slider, node

from . import latent_tool_specs as specs
from .latent_tool_specs import Scaling, check_crop, check_paste, scaled_sides
from .samplers.masked import latent_mask, mixed
from .types import Denoiser, Latent, Mask

Pixels = Annotated[int, Field(ge=0, le=16_384)]


@node(category="latent", spec=specs.scale_latent)
def scale_latent(
    latent: Latent,
    factor: Annotated[float, Field(ge=0.125, le=8), Slider(step=0.25)] = 2.0,
    method: Scaling = "bislerp",
    denoiser: Denoiser | None = None,
) -> Latent:
    """Make latents larger or smaller

    For a second pass with `sample` at a denoise of 0.4 to 0.6, which draws the details that scaling cannot give.

    latent: what is scaled.
    factor: of both sides, 0.125 to 8; sides are rounded to what the model takes.
    method: nearest repeats, bilinear and bicubic interpolate each channel. bislerp interpolates direction and length of
        the vector of channels at each place, so that the spread of the latents does not shrink.
    denoiser: the model that is to use them; without it sides are rounded to latent pixels.
    """
    height, width = latent.samples.shape[2:]
    multiple = denoiser.multiple if denoiser is not None else 1
    sides = scaled_sides(height, width, factor, multiple)
    return Latent(samples=scaled(latent.samples, sides, method), space=latent.space)


@node(category="latent", spec=specs.repeat_latent)
def repeat_latent(latent: Latent, count: Annotated[int, Field(ge=1, le=4_096)] = 2) -> Latent:
    """Make several pictures from the same latents

    `sample` gives each of them noise of its own.

    latent: the whole batch is repeated: a, b, a, b.
    count: how often it is there in the end.
    """
    return Latent(samples=latent.samples.repeat(count, 1, 1, 1), space=latent.space)


@node(category="latent", spec=specs.crop_latent)
def crop_latent(
    latent: Latent,
    left: Pixels = 0,
    top: Pixels = 0,
    width: Annotated[int, Field(ge=1, le=16_384)] = 512,
    height: Annotated[int, Field(ge=1, le=16_384)] = 512,
) -> Latent:
    """Cut a rectangle out of latents

    All numbers are pixels of the picture and multiples of what a latent pixel stands for, such as 8.

    latent: what is cut; the rectangle must lie inside.
    left: of the rectangle.
    top: of the rectangle.
    width: of the rectangle.
    height: of the rectangle.
    """
    rows, columns = latent.samples.shape[2:]
    x, y, w, h = check_crop((left, top, width, height), latent.space.downscale, rows, columns)
    return Latent(samples=latent.samples[:, :, y : y + h, x : x + w].clone(), space=latent.space)


@node(category="latent", spec=specs.composite_latents)
def composite_latents(
    below: Latent, above: Latent, left: Pixels = 0, top: Pixels = 0, mask: Mask | None = None
) -> Latent:
    """Lay latents over others

    Edges show until a further pass of `sample` draws over them. What reaches beyond the right or the lower edge is cut
    off.

    below: what stays where nothing is laid; the result has its size.
    above: what is laid over it; of the same latent space, one for all or one for each.
    left: where, in pixels of the picture; a multiple of what a latent pixel stands for, such as 8.
    top: where, likewise.
    mask: 1 shows what is above, 0 what is below; of the size of `above` or of its picture. Without it all is shown.
    """
    rows, columns = below.samples.shape[2:]
    x, y, batch = check_paste((len(below), rows, columns), (len(above), left, top), below.space, above.space)
    height, width = above.samples.shape[2:]
    h, w = min(height, rows - y), min(width, columns - x)
    result = below.samples.repeat(batch // len(below), 1, 1, 1)
    old, new = result[:, :, y : y + h, x : x + w], above.samples[:, :, :h, :w]
    if mask is not None:
        part = latent_mask(mask, batch, height, width, above.space.downscale)[:, :, :h, :w]
        new = mixed(part, new.expand_as(old), old)
    result[:, :, y : y + h, x : x + w] = new
    return Latent(samples=result, space=below.space)


def scaled(
    samples: Float[Tensor, "batch c h w"], sides: tuple[int, int], method: Scaling
) -> Float[Tensor, "batch c h2 w2"]:
    """Latents of other sides (height, width); the same where they are theirs already."""
    height, width = samples.shape[2:]
    if sides == (height, width):
        return samples
    if method == "nearest":
        return interpolate(samples, sides, mode="nearest")
    if method == "bislerp":
        return _slerped(_slerped(samples, sides[1]).mT, sides[0]).mT.contiguous()
    shrinks = sides[0] < height or sides[1] < width
    return interpolate(samples, sides, mode=method, antialias=shrinks)


def _slerped(samples: Float[Tensor, "batch c h w"], width: int) -> Float[Tensor, "batch c h w2"]:
    """Spherical interpolation of the vectors of channels along the last axis, between the two nearest each time."""
    old = samples.shape[3]
    place = ((torch.arange(width, dtype=torch.float64) + 0.5) * old / width - 0.5).clamp(0.0, old - 1.0)
    low = place.floor().long()
    part = (place - low).to(samples.dtype)
    return slerp(samples[..., low], samples[..., (low + 1).clamp(max=old - 1)], part)


def slerp(
    a: Float[Tensor, "batch c h w"], b: Float[Tensor, "batch c h w"], part: Float[Tensor, " w"]
) -> Float[Tensor, "batch c h w"]:
    """The direction turns evenly from a to b (Shoemake 1985), the length changes linearly.

    Straight interpolation where both directions are the same or opposite, or one vector is zero.
    """
    norm_a, norm_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    cosine = ((a * b).sum(dim=1, keepdim=True) / (norm_a * norm_b)).nan_to_num(1.0).clamp(-1.0, 1.0)
    angle = cosine.acos()
    sine = angle.sin()
    straight = (sine < 1e-4) | (norm_a == 0.0) | (norm_b == 0.0)
    safe = torch.where(straight, 1.0, sine)
    length = (1.0 - part) * norm_a + part * norm_b
    turned = ((1.0 - part) * angle).sin() / safe * a / norm_a + (part * angle).sin() / safe * b / norm_b
    return torch.where(straight, (1.0 - part) * a + part * b, length * turned)
