"""What filters, composites, colours and edges will give and cost, and the checks that they share with their specs.
Imports no torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, Unknown

from ..specs.image import FLOAT32, ImageSpec, MaskSpec
from .sizes import Sized, check_same_size, common_batch, size_of
from .specs import Pictures

MAX_SIGMA = 256.0
"""Standard deviation of the widest blur, in pixels."""

PASS_SECONDS = 5e-10
"""Per sample that is read and written once."""


def reach(sigma: float) -> int:
    """How far a Gaussian of that standard deviation reaches, in pixels: 4 sigma."""
    return int(4.0 * sigma + 0.5)


def blur_image(image: ImageSpec, sigma: float | Unknown) -> Predicted:
    """Of the same size: the picture that came in where there is nothing to do."""
    if not isinstance(sigma, Unknown) and reach(sigma) == 0:
        return Predicted({"image": image})
    return Predicted({"image": replace(image)}, _blurring(image, sigma))


def sharpen_image(image: ImageSpec, sigma: float | Unknown, amount: float | Unknown) -> Predicted:
    """As for a blur, with the blurred picture beside."""
    if amount == 0 or (not isinstance(sigma, Unknown) and reach(sigma) == 0):
        return Predicted({"image": image})
    cost = _blurring(image, sigma)
    return Predicted({"image": replace(image)}, replace(cost, working=cost.working + image.own))


def _blurring(image: ImageSpec, sigma: float | Unknown) -> Cost:
    """A pass over the samples for each tap, along columns and rows; where there is alpha, colours weighted by it."""
    radius = reach(2.0 if isinstance(sigma, Unknown) else sigma)
    padded = FLOAT32 * image.batch * image.channels * (image.height + 2 * radius) * (image.width + 2 * radius)
    weighted = image.own if image.channels == 4 else 0
    seconds = 2 * (2 * radius + 1) * PASS_SECONDS * image.samples
    return Cost(working=2 * padded + 2 * weighted, seconds=seconds)


class Overlap(NamedTuple):
    """The part of an overlay that lies on a base, in the overlay's pixels, and how many pictures there are."""

    left: int
    top: int
    right: int
    bottom: int
    batch: int


def overlap(base: Sized, overlay: Sized, mask: Sized | None, left: int, top: int) -> Overlap:
    """Where an overlay lies on a base; InvalidInput where no part of it does, or where its mask does not fit it."""
    if mask is not None:
        check_same_size("mask", mask, "overlay", overlay, "use resize_mask before")
    for side, start, length, whole in (
        ("left", left, overlay.width, base.width),
        ("top", top, overlay.height, base.height),
    ):
        if start >= whole or start + length <= 0:
            reason = f"the overlay of {size_of(overlay)} would lie beyond the base of {size_of(base)}"
            raise InvalidInput(side, start, reason, "choose a place of which something lies on the base")
    return Overlap(
        left=max(0, -left),
        top=max(0, -top),
        right=min(overlay.width, base.width - left),
        bottom=min(overlay.height, base.height - top),
        batch=common_batch(base=base, overlay=overlay, mask=mask),
    )


def composite_channels(base: Pictures, overlay: Pictures) -> int:
    """Transparent where the base is, in colours where one of them is."""
    return base.channels if base.channels == 4 else max(base.channels, min(3, overlay.channels))


def composite_images(base: ImageSpec, overlay: ImageSpec, mask: MaskSpec | None, left: int, top: int) -> Predicted:
    """Of the base's size."""
    batch = overlap(base, overlay, mask, left, top).batch
    result = replace(base, batch=batch, channels=composite_channels(base, overlay))
    return Predicted({"image": result}, Cost(working=3 * result.own))


def blended_size(base: Sized, overlay: Sized, mask: Sized | None) -> int:
    """How many pictures there will be; InvalidInput where sizes differ."""
    check_same_size("overlay", overlay, "base", base, "use resize_image or crop_image before")
    if mask is not None:
        check_same_size("mask", mask, "base", base, "use resize_mask before")
    return common_batch(base=base, overlay=overlay, mask=mask)


def blend_images(
    base: ImageSpec, overlay: ImageSpec, mode: str | Unknown, amount: float | Unknown, mask: MaskSpec | None
) -> Predicted:
    """Of the base's size; the blend functions make a few copies."""
    batch = blended_size(base, overlay, mask)
    result = replace(base, batch=batch, channels=composite_channels(base, overlay))
    return Predicted({"image": result}, Cost(working=5 * result.own))


def adjust_image(
    image: ImageSpec,
    brightness: float | Unknown,
    contrast: float | Unknown,
    saturation: float | Unknown,
    hue: float | Unknown,
    gamma: float | Unknown,
) -> Predicted:
    """Of the same size; turning the hue makes most copies."""
    planes = 12 if image.channels > 1 and hue != 0 else 2 * min(3, image.channels)
    return Predicted({"image": replace(image)}, Cost(working=planes * image.own // image.channels))


def matched_batch(image: Sized, reference: Sized) -> int:
    """How many pictures there will be; InvalidInput where there is neither one reference nor one for each."""
    return common_batch(image=image, reference=reference)


def match_colour(image: ImageSpec, reference: ImageSpec, method: str | Unknown, strength: float | Unknown) -> Predicted:
    """Of the same size; one picture at a time is worked on in float64."""
    result = replace(image, batch=matched_batch(image, reference), channels=max(3, image.channels))
    points = 8 * 3 * (image.height * image.width + reference.height * reference.width)
    seconds = 1e-7 * 3 * (result.batch * image.height * image.width + reference.samples)
    return Predicted({"image": result}, Cost(working=5 * points + result.own, seconds=seconds))


def check_thresholds(low: float, high: float) -> None:
    """InvalidInput where the lower threshold is above the higher one."""
    if low > high:
        raise InvalidInput("low", low, f"it is above high, {high}", "choose a lower one")


def canny(image: ImageSpec, low: float, high: float, sigma: float | Unknown) -> Predicted:
    """RGB of the same size; the derivatives of all channels are int32."""
    check_thresholds(low, high)
    result = replace(image, channels=3)
    seconds = 2e-7 * image.samples + _blurring(image, sigma).seconds
    return Predicted({"image": result}, Cost(working=6 * FLOAT32 * image.samples, seconds=seconds))


def sobel_edges(image: ImageSpec, sigma: float | Unknown) -> Predicted:
    """RGB of the same size."""
    result = replace(image, channels=3)
    seconds = 20 * PASS_SECONDS * image.samples + _blurring(image, sigma).seconds
    return Predicted({"image": result}, Cost(working=5 * FLOAT32 * image.samples, seconds=seconds))
