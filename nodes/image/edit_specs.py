"""What filters, composites, colours and edges will give and cost, and the checks that they share with their specs.
Imports no torch.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
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

PLAIN_MODES = frozenset(
    {"normal", "multiply", "screen", "darken", "lighten", "difference", "exclusion", "add", "subtract"}
)
"""Blend modes with one formula for all values."""

MATCHING_COPIES = MappingProxyType({"mean_std_lab": 4.6, "mean_std_linear": 2.9, "histogram": 3.9, "covariance": 2.1})
"""Of the colours of a picture and its reference in float64, by method."""


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
    return Cost(working=2 * padded + weighted, seconds=seconds)


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
    place = overlap(base, overlay, mask, left, top)
    result = replace(base, batch=place.batch, channels=composite_channels(base, overlay))
    part = result.own * (place.right - place.left) * (place.bottom - place.top) // (base.width * base.height)
    more = result.own if result.channels != base.channels else 0
    return Predicted({"image": result}, Cost(working=more + part * (4 if result.channels == 4 else 2)))


def blended_size(base: Sized, overlay: Sized, mask: Sized | None) -> int:
    """How many pictures there will be; InvalidInput where sizes differ."""
    check_same_size("overlay", overlay, "base", base, "use resize_image or crop_image before")
    if mask is not None:
        check_same_size("mask", mask, "base", base, "use resize_mask before")
    return common_batch(base=base, overlay=overlay, mask=mask)


def blend_images(
    base: ImageSpec, overlay: ImageSpec, mode: str | Unknown, amount: float | Unknown, mask: MaskSpec | None
) -> Predicted:
    """Of the base's size; the blend functions make a few copies, most of them those that tell cases apart."""
    batch = blended_size(base, overlay, mask)
    result = replace(base, batch=batch, channels=composite_channels(base, overlay))
    return Predicted({"image": result}, Cost(working=(2 if mode in PLAIN_MODES else 5) * result.own))


def adjust_image(
    image: ImageSpec,
    brightness: float | Unknown,
    contrast: float | Unknown,
    saturation: float | Unknown,
    hue: float | Unknown,
    gamma: float | Unknown,
) -> Predicted:
    """Of the same size; turning the hue makes most copies."""
    count = min(3, image.channels)
    steps = sum(each != 1 for each in (brightness, contrast, gamma))
    planes = 16 if hue != 0 else 9 if saturation != 1 else 0
    planes = max(planes if count == 3 else 0, count * min(2, steps))
    return Predicted({"image": replace(image)}, Cost(working=planes * image.own // image.channels))


def matched_batch(image: Sized, reference: Sized) -> int:
    """How many pictures there will be; InvalidInput where there is neither one reference nor one for each."""
    return common_batch(image=image, reference=reference)


def match_colour(image: ImageSpec, reference: ImageSpec, method: str | Unknown, strength: float | Unknown) -> Predicted:
    """Of the same size; one picture at a time is worked on in float64."""
    result = replace(image, batch=matched_batch(image, reference), channels=max(3, image.channels))
    points = 8 * 3 * (image.height * image.width + reference.height * reference.width)
    copies = MATCHING_COPIES.get(method if isinstance(method, str) else "", 5.0)
    each = 3e-7 if method == "histogram" else 1e-7
    seconds = each * 3 * (result.batch * image.height * image.width + reference.samples)
    return Predicted({"image": result}, Cost(working=int(copies * points) + result.own, seconds=seconds))


def check_thresholds(low: float, high: float) -> None:
    """InvalidInput where the lower threshold is above the higher one."""
    if low > high:
        raise InvalidInput("low", low, f"it is above high, {high}", "choose a lower one")


def canny(image: ImageSpec, low: float, high: float, sigma: float | Unknown) -> Predicted:
    """RGB of the same size; the derivatives of all channels, then a number for each pixel and for its neighbours."""
    check_thresholds(low, high)
    result = replace(image, channels=3)
    seconds = 2e-7 * image.samples + _blurring(image, sigma).seconds
    return Predicted({"image": result}, Cost(working=40 * image.batch * image.height * image.width, seconds=seconds))


def sobel_edges(image: ImageSpec, sigma: float | Unknown) -> Predicted:
    """RGB of the same size."""
    result = replace(image, channels=3)
    seconds = 20 * PASS_SECONDS * image.samples + _blurring(image, sigma).seconds
    return Predicted({"image": result}, Cost(working=5 * FLOAT32 * image.samples, seconds=seconds))
