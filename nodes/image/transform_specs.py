"""What cutting, padding, fitting and turning will give and cost, and the checks that they share with their specs.
Imports no torch.
"""

from __future__ import annotations

from dataclasses import replace

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, Unknown

from ..specs.image import FLOAT32, ImageSpec, MaskSpec
from .sizes import Sized, channels_with, parse_colour, size_of
from .specs import MAX_SIDE, resized_cost


def crop_image(image: ImageSpec, left: int, top: int, width: int, height: int) -> Predicted:
    """Of that size."""
    check_crop(image, left, top, width, height)
    return Predicted({"image": replace(image, width=width, height=height)})


def check_crop(image: Sized, left: int, top: int, width: int, height: int) -> None:
    """InvalidInput where a rectangle reaches beyond the pictures."""
    for side, start, begin, length, whole in (
        ("width", "left", left, width, image.width),
        ("height", "top", top, height, image.height),
    ):
        if begin + length > whole:
            raise InvalidInput(
                side,
                length,
                f"{start} {begin} and {side} {length} end at {begin + length}, beyond the picture of {size_of(image)}",
                "choose a rectangle within it, or use pad_image before",
            )


def pad_image(
    image: ImageSpec,
    left: int,
    top: int,
    right: int,
    bottom: int,
    fill: str,
    colour: str,
    feather: int | Unknown,
) -> Predicted:
    """Larger by the border."""
    width, height = padded_size(image, left, top, right, bottom)
    channels = padded_channels(image.channels, fill, parse_colour("colour", colour))
    result = replace(image, width=width, height=height, channels=channels)
    mask = MaskSpec(batch=image.batch, height=height, width=width)
    # one mask, the rows before columns are added, and the picture before its border is painted; then masks are repeated
    rows = FLOAT32 * image.batch * channels * height * image.width
    one = mask.own // mask.batch
    working = one + max(0, rows + (result.own if fill == "colour" else 0) - mask.own)
    return Predicted({"image": result, "mask": mask}, Cost(working=working))


def padded_size(image: Sized, left: int, top: int, right: int, bottom: int) -> tuple[int, int]:
    """Width and height with the border; InvalidInput where they would be too large."""
    width, height = image.width + left + right, image.height + top + bottom
    if max(width, height) > MAX_SIDE:
        borders = f"{left}, {top}, {right} and {bottom} around {size_of(image)}"
        raise InvalidInput("left", borders, f"it would give {width} x {height} pixels", f"stay below {MAX_SIDE} a side")
    return width, height


def padded_channels(channels: int, fill: str, colour: tuple[float, float, float, float]) -> int:
    """More where the border's colour asks for it."""
    return channels_with(channels, colour) if fill == "colour" else channels


def fit_image(image: ImageSpec, width: int, height: int, mode: str, method: str, colour: str) -> Predicted:
    """Of that size."""
    tone = parse_colour("colour", colour)
    across, down = fitted(image, width, height) if mode == "contain" else (width, height)
    channels = channels_with(image.channels, tone) if mode == "contain" else image.channels
    result = replace(image, width=width, height=height, channels=channels)
    mask = MaskSpec(batch=image.batch, height=height, width=width)
    cost = resized_cost(image, across, down)
    painted = result.own if mode == "contain" else 0
    return Predicted({"image": result, "mask": mask}, replace(cost, working=cost.working + painted))


def fitted(image: Sized, width: int, height: int) -> tuple[int, int]:
    """The largest width and height of the picture's proportions that fit into a size."""
    if image.width * height > width * image.height:
        return width, max(1, round(image.height * width / image.width))
    return max(1, round(image.width * height / image.height)), height


def cover_box(image: Sized, width: int, height: int) -> tuple[float, float, float, float]:
    """The largest part of a picture, from its centre, that has the proportions of a size: left, top, right, bottom."""
    across = min(float(image.width), image.height * width / height)
    down = min(float(image.height), image.width * height / width)
    left, top = (image.width - across) / 2.0, (image.height - down) / 2.0
    return left, top, min(left + across, float(image.width)), min(top + down, float(image.height))


def flip_image(image: ImageSpec, direction: str | Unknown) -> Predicted:
    """Of the same size."""
    return Predicted({"image": replace(image)})


def rotate_image(image: ImageSpec, degrees: int) -> Predicted:
    """Of the same size, or with width and height exchanged."""
    if degrees % 180 == 0:
        return Predicted({"image": replace(image)})
    turned = replace(image, width=image.height, height=image.width)
    return Predicted({"image": turned}, Cost(working=turned.own))
