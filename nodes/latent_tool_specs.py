"""What the tools for latents will give, and the checks that they share with their specs. Imports no torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted

from .samplers.specs import check_mask
from .specs.image import MaskSpec
from .specs.latent import LatentSpec, Space, difference
from .specs.models import DenoiserSpec

Scaling = Literal["nearest", "bilinear", "bicubic", "bislerp"]

MOST = 2_048
"""The longest side of a latent."""


def scale_latent(latent: LatentSpec, factor: float, method: str, denoiser: DenoiserSpec | None) -> Predicted:
    """bislerp keeps some vectors beside the result."""
    sides = scaled_sides(latent.height, latent.width, factor, denoiser.multiple if denoiser is not None else 1)
    result = replace(latent, height=sides[0], width=sides[1])
    return Predicted({"latent": result}, Cost(working=(8 if method == "bislerp" else 1) * result.own))


def scaled_sides(height: int, width: int, factor: float, multiple: int) -> tuple[int, int]:
    """Sides by the factor, rounded to multiples; InvalidInput where they grow too long."""
    sides = [max(1, round(side * factor / multiple)) * multiple for side in (height, width)]
    if max(sides) > MOST:
        raise InvalidInput(
            "factor", factor, f"a side would be {max(sides)} latent pixels, {MOST} are taken", "lower it"
        )
    return sides[0], sides[1]


def repeat_latent(latent: LatentSpec, count: int) -> Predicted:
    """A larger batch."""
    return Predicted({"latent": replace(latent, batch=latent.batch * count)})


def crop_latent(latent: LatentSpec, left: int, top: int, width: int, height: int) -> Predicted:
    """A part."""
    found = check_crop((left, top, width, height), latent.space.downscale, latent.height, latent.width)
    return Predicted({"latent": replace(latent, width=found[2], height=found[3])})


def check_crop(pixels: tuple[int, int, int, int], step: int, rows: int, columns: int) -> tuple[int, int, int, int]:
    """(left, top, width, height) in latent pixels; InvalidInput where they are no whole ones or lie outside."""
    x, y, w, h = (_whole(*each, step) for each in zip(("left", "top", "width", "height"), pixels, strict=True))
    for name, end, side in (("width", x + w, columns), ("height", y + h, rows)):
        if end > side:
            reason = f"the rectangle ends at {end * step} pixels, the picture has {side * step}"
            raise InvalidInput(name, pixels[2 if name == "width" else 3], reason, "lower it, or move the rectangle")
    return x, y, w, h


def composite_latents(below: LatentSpec, above: LatentSpec, left: int, top: int, mask: MaskSpec | None) -> Predicted:
    """As large as what is below."""
    place = (above.batch, left, top)
    _, _, batch = check_paste((below.batch, below.height, below.width), place, below.space, above.space)
    if mask is not None:
        size = (batch, above.height, above.width)
        check_mask((mask.batch, mask.height, mask.width), size, above.space.downscale)
    return Predicted({"latent": replace(below, batch=batch)}, Cost(working=3 * above.own))


def check_paste(
    below: tuple[int, int, int], above: tuple[int, int, int], ours: Space, theirs: Space
) -> tuple[int, int, int]:
    """(left, top) in latent pixels and the number of results; InvalidInput where latents cannot be laid over others.

    below: number, height and width. above: number, left and top in pixels.
    """
    if difference(theirs, ours):
        reason = f"it lives in the latent space {theirs.name!r}, what is below in {ours.name!r}"
        raise InvalidInput("above", theirs.name, reason, "make both with one model")
    (count, rows, columns), (over, left, top) = below, above
    if count != over and 1 not in (count, over):
        raise InvalidInput("above", f"{over} latents", f"below there are {count}", "lay one over all, or one over each")
    x, y = _whole("left", left, ours.downscale), _whole("top", top, ours.downscale)
    for name, at, side in (("left", x, columns), ("top", y, rows)):
        if at >= side:
            reason = f"the picture below ends at {side * ours.downscale} pixels"
            raise InvalidInput(name, at * ours.downscale, reason, "lower it")
    return x, y, max(count, over)


def _whole(name: str, pixels: int, step: int) -> int:
    if pixels % step:
        near = pixels // step * step
        raise InvalidInput(name, pixels, f"a latent pixel stands for {step}", f"use {near} or {near + step}")
    return pixels // step
