"""What the nodes of this room will give and cost, and the checks that they share with their specs. Imports no torch.

Masks have one channel, so these nodes cost little: memory is counted in copies of the mask.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, Unknown

from ..image.sizes import Sized, check_same_size, common_batch
from ..image.specs import Pictures, resized_cost
from ..specs.image import FLOAT32, ImageSpec, MaskSpec

MAX_GROWTH = 512
"""Pixels that a mask grows or shrinks by."""

MAX_SIGMA = 256.0
"""Standard deviation of the widest blur, in pixels."""

PASS_SECONDS = 1e-9
"""Per sample that is read and written once."""


class Frame(NamedTuple):
    """A rectangle in pixels, which may reach beyond a picture."""

    left: int
    top: int
    width: int
    height: int


def image_to_mask(image: ImageSpec, channel: str, threshold: float | Unknown | None) -> Predicted:
    """Of the pictures' size."""
    check_channel(image, channel)
    mask = MaskSpec(batch=image.batch, height=image.height, width=image.width)
    laid = 6 if image.channels == 4 and channel != "alpha" else 0  # on white: the product, and its sum
    weighted = 3 if image.channels > 1 and channel == "luminance" else 0
    return Predicted({"mask": mask}, Cost(working=(laid + weighted + (1 if threshold is not None else 0)) * mask.own))


def check_channel(image: Pictures, channel: str) -> None:
    """InvalidInput where there is no such channel."""
    if channel == "alpha" and image.channels != 4:
        kinds = {1: "grey", 3: "RGB"}
        raise InvalidInput(
            "channel",
            channel,
            f"the picture is {kinds[image.channels]} and has no transparency",
            "load it with channels rgba, or choose another channel",
        )


def mask_to_image(mask: MaskSpec) -> Predicted:
    """Grey, of the masks' size."""
    return Predicted({"image": ImageSpec(batch=mask.batch, channels=1, height=mask.height, width=mask.width)})


def invert_mask(mask: MaskSpec) -> Predicted:
    """Of the same size."""
    return Predicted({"mask": replace(mask)})


def threshold_mask(mask: MaskSpec, threshold: float | Unknown) -> Predicted:
    """Of the same size."""
    return Predicted({"mask": replace(mask)}, Cost(working=mask.own // FLOAT32))


def combine_masks(first: MaskSpec, second: MaskSpec, how: str | Unknown) -> Predicted:
    """As many as the larger batch has."""
    result = replace(first, batch=check_pair(first, second))
    return Predicted({"mask": result}, Cost(working=result.own if how in ("difference", "add") else 0))


def check_pair(first: Sized, second: Sized) -> int:
    """How many masks two batches give together; InvalidInput where they do not fit each other."""
    check_same_size("second", second, "first", first, "use resize_mask before")
    return common_batch(first=first, second=second)


def resize_mask(mask: MaskSpec, width: int, height: int, method: str | Unknown) -> Predicted:
    """Of that size."""
    plane = ImageSpec(batch=mask.batch, channels=1, height=mask.height, width=mask.width)
    return Predicted({"mask": replace(mask, width=width, height=height)}, resized_cost(plane, width, height))


def rectangle_mask(
    left: int,
    top: int,
    width: int,
    height: int,
    feather: int | Unknown,
    image: ImageSpec | None,
    mask_width: int,
    mask_height: int,
) -> Predicted:
    """Of the picture's size, or of that which was written."""
    mask = _shape(Frame(left, top, width, height), image, mask_width, mask_height)
    return Predicted({"mask": mask}, Cost(working=3 * mask.own))


def ellipse_mask(
    left: int,
    top: int,
    width: int,
    height: int,
    feather: int | Unknown,
    image: ImageSpec | None,
    mask_width: int,
    mask_height: int,
) -> Predicted:
    """As for a rectangle, with more copies on the way."""
    mask = _shape(Frame(left, top, width, height), image, mask_width, mask_height)
    return Predicted({"mask": mask}, Cost(working=6 * mask.own))


def _shape(frame: Frame, image: Sized | None, width: int, height: int) -> MaskSpec:
    down, across = canvas(frame, image, width, height)
    return MaskSpec(batch=1, height=down, width=across)


def canvas(frame: Frame, image: Sized | None, width: int, height: int) -> tuple[int, int]:
    """Height and width of a mask with a shape in a frame; InvalidInput where all of the frame lies beyond the mask."""
    across, down = (width, height) if image is None else (image.width, image.height)
    for side, start, length, whole in (
        ("left", frame.left, frame.width, across),
        ("top", frame.top, frame.height, down),
    ):
        if start >= whole or start + length <= 0:
            span = f"it spans {start} to {start + length}, and the mask has {across} x {down} pixels"
            raise InvalidInput(side, start, span, "choose a place of which something lies on the mask")
    return down, across


def grow_mask(mask: MaskSpec, pixels: int | Unknown, shape: str | Unknown) -> Predicted:
    """Of the same size; a disc takes about four passes for each pixel of its radius."""
    radius = 8 if isinstance(pixels, Unknown) else abs(pixels)
    samples = mask.own // FLOAT32
    seconds = PASS_SECONDS * samples * (40 if shape == "square" else 4 * radius)
    padded = FLOAT32 * mask.batch * mask.height * (mask.width + 2 * radius)
    copies = 1 if shape == "square" else 3
    negative = mask.own if not isinstance(pixels, Unknown) and pixels < 0 else 0
    return Predicted({"mask": replace(mask)}, Cost(working=padded + copies * mask.own + negative, seconds=seconds))


def blur_mask(mask: MaskSpec, sigma: float | Unknown) -> Predicted:
    """Of the same size; a pass over the samples for each tap, along rows and columns."""
    taps = 16.0 if isinstance(sigma, Unknown) else 8.0 * sigma + 1.0
    seconds = 2.0 * taps * PASS_SECONDS * mask.own / FLOAT32
    return Predicted({"mask": replace(mask)}, Cost(working=2 * mask.own, seconds=seconds))


def crop_to_mask(image: ImageSpec, mask: MaskSpec, margin: int | Unknown, multiple: int | Unknown) -> Predicted:
    """What the mask shows is known by the run."""
    check_mask_of(image, mask)
    common_batch(image=image, mask=mask)
    return Predicted({}, Cost())


def check_mask_of(image: Sized, mask: Sized) -> None:
    """InvalidInput where a mask is not of the pictures' size."""
    check_same_size("mask", mask, "image", image, "use resize_mask before")
