"""What the nodes of this room will give and cost, and the checks that they share with their specs. Imports no torch.

Memory is counted in bytes per sample (one number of one picture) or per pixel, from the copies that the code makes.
Seconds are of one thread of an ordinary processor: these nodes use no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, Unknown

from ..specs.image import FLOAT32, ImageSpec, MaskSpec
from .files import picture_size

MAX_SIDE = 32_768
"""Longest side that a picture is resized to, in pixels."""

MAX_SHEET = 256_000_000
"""Pixels of the largest sheet."""

LARGEST = {"png": 2**31 - 1, "webp": 16_383, "jpeg": 65_500}
"""Pixels on a side, by format."""

LONGEST_NAME = 200
"""Bytes; file systems take 255, and the number, the recipe and a temporary ending are added."""

PILLOW_PIXEL = 4
"""Bytes of a pixel in a Pillow picture: RGB is padded to the size of RGBA, "F" is a float32."""

DECODE_SECONDS = 1.5e-8
"""Per sample, PNG and JPEG."""

RESIZE_SECONDS = 1e-8
"""Per sample that comes out, with a filter of six taps."""

ENCODE_SECONDS = {"png": 6e-8, "webp": 1e-7, "jpeg": 1e-8}
"""Per sample."""


class Pictures(Protocol):
    """What a batch of pictures and its spec have in common."""

    def __len__(self) -> int:
        """Pictures."""

    @property
    def channels(self) -> int:
        """1, 3 or 4."""

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""

    @property
    def width(self) -> int:
        """Pixels from left to right."""


def load_image(file: Path, channels: str, frames: str) -> Predicted:
    """From the file's header."""
    count, height, width = picture_size(file, every=frames == "all")
    image = ImageSpec(batch=count, channels={"rgb": 3, "rgba": 4, "grey": 1}[channels], height=height, width=width)
    mask = MaskSpec(batch=count, height=height, width=width)
    pixels, samples = height * width, height * width * image.channels
    # of one picture: as it was unpacked and turned, its bytes, and the float32 before it is divided by 255; of all:
    # the list of pictures before they are put together
    working = 2 * PILLOW_PIXEL * pixels + (1 + FLOAT32) * samples + image.own + mask.own
    return Predicted({"image": image, "mask": mask}, Cost(working=working, seconds=DECODE_SECONDS * image.samples))


def image_size(image: ImageSpec) -> Predicted:
    """Known before the run, as the pictures are."""
    return Predicted({"width": image.width, "height": image.height, "pictures": image.batch})


def resize_image(image: ImageSpec, width: int, height: int, method: str) -> Predicted:
    """Of that size."""
    return _resized(image, width, height)


def scale_image(image: ImageSpec, factor: float, method: str) -> Predicted:
    """Of the size that the factor gives."""
    return _resized(image, *scaled_size(image, factor))


def scaled_size(image: Pictures, factor: float) -> tuple[int, int]:
    """Width and height of scaled pictures; InvalidInput where they would be too large."""
    width, height = (max(1, round(side * factor)) for side in (image.width, image.height))
    if max(width, height) > MAX_SIDE:
        raise InvalidInput(
            "factor", factor, f"it would give {width} x {height} pixels", f"stay below {MAX_SIDE} a side"
        )
    return width, height


def _resized(image: ImageSpec, width: int, height: int) -> Predicted:
    result = ImageSpec(batch=image.batch, channels=image.channels, height=height, width=width)
    return Predicted({"image": result}, resized_cost(image, width, height))


def resized_cost(image: ImageSpec, width: int, height: int) -> Cost:
    """Every channel is a plane that goes through Pillow alone; then they are stacked and clamped."""
    result = ImageSpec(batch=image.batch, channels=image.channels, height=height, width=width)
    before, after = PILLOW_PIXEL * image.height * image.width, PILLOW_PIXEL * height * width
    between = PILLOW_PIXEL * image.height * width  # Pillow resizes rows first, then columns
    # the last plane (its bytes, its picture, the resized one, the bytes of that) beside all planes, or all planes and
    # their stack beside what is clamped; where there is alpha, colours weighted by it before and after
    one = result.own + 2 * before + between + 2 * after
    alpha = (image.own if image.channels == 4 else 0, 2 * result.own if image.channels == 4 else 0)
    working = max(alpha[0] + one - result.own, alpha[0] + 2 * result.own, alpha[1] + result.own)
    return Cost(working=working, seconds=RESIZE_SECONDS * (result.samples + image.samples))


def image_grid(
    image: ImageSpec, columns: int, gap: int, captions: list[str] | Unknown | None, caption_height: int
) -> Predicted:
    """One sheet."""
    texts = None if isinstance(captions, Unknown) else captions
    across, rows = sheet_layout(image, columns, gap, texts, caption_height)
    below = caption_height if captions else 0
    result = ImageSpec(
        batch=1,
        channels=3,
        height=rows * (image.height + below + gap) + gap,
        width=across * (image.width + gap) + gap,
    )
    rgb = 2 * FLOAT32 * image.batch * 3 * image.height * image.width if image.channels == 4 else 0
    return Predicted({"image": result}, Cost(working=rgb, seconds=2e-3 * image.batch if captions else 0.0))


def sheet_layout(
    image: Pictures, columns: int, gap: int, captions: list[str] | None, caption_height: int
) -> tuple[int, int]:
    """Columns and rows of a contact sheet; InvalidInput where captions are missing or the sheet would be too large."""
    if captions and len(captions) != len(image):
        raise InvalidInput("captions", captions, f"there are {len(image)} pictures", "give one caption for each")
    across = min(columns or math.ceil(math.sqrt(len(image))), len(image))
    rows = math.ceil(len(image) / across)
    size = (across * (image.width + gap) + gap) * (rows * (image.height + gap + caption_height) + gap)
    if size > MAX_SHEET:
        raise InvalidInput(
            "image",
            f"{len(image)} pictures of {image.width} x {image.height}",
            f"the sheet would have {size:,} pixels, more than {MAX_SHEET:,}",
            "use scale_image before, or a smaller batch",
        )
    return across, rows


def batch_images(images: list[ImageSpec]) -> Predicted:
    """All pictures; those that get more channels are copied once more."""
    channels = batch_channels(images)
    first = images[0]
    result = ImageSpec(batch=sum(map(len, images)), channels=channels, height=first.height, width=first.width)
    fewer = (each for each in images if each.channels != channels)
    copies = sum(FLOAT32 * channels * each.batch * each.height * each.width for each in fewer)
    return Predicted({"image": result}, Cost(working=copies))


def batch_channels(images: Sequence[Pictures]) -> int:
    """The channels of a batch of all these pictures; InvalidInput where they are not of one size."""
    sizes = list(dict.fromkeys((each.width, each.height) for each in images))
    if len(sizes) > 1:
        shown = ", ".join(f"{width} x {height}" for width, height in sizes)
        raise InvalidInput("images", shown, "a batch has pictures of one size", "use resize_image before")
    return max(each.channels for each in images)


def save_image(image: ImageSpec, name: str | Unknown, format: str, quality: int | Unknown) -> Predicted:
    """The pictures themselves; how the files are called is known when they are written."""
    check_saving(image, name if isinstance(name, str) else "", format)
    samples = image.samples // image.batch
    # one picture at a time: as levels of 255 before and after rounding, then as bytes, as Pillow's picture, as a file
    later = 2 * samples + PILLOW_PIXEL * image.height * image.width + 2 * samples
    cost = Cost(working=max(2 * FLOAT32 * samples, later), seconds=ENCODE_SECONDS[format] * image.samples)
    return Predicted({"image": image}, cost)


def check_saving(image: Pictures, name: str, format: str) -> None:
    """InvalidInput where a format cannot hold a picture, or a file could not be called so."""
    if format == "jpeg" and image.channels == 4:
        raise InvalidInput("format", format, "JPEG cannot hold transparency", "use png or webp")
    if max(image.width, image.height) > LARGEST[format]:
        size = f"{image.width} x {image.height}"
        raise InvalidInput("format", format, f"{size} is more than its {LARGEST[format]} pixels a side", "use png")
    if max(len(part.encode(errors="replace")) for part in name.split("/")) > LONGEST_NAME:
        raise InvalidInput("name", name, f"a part of it has more than {LONGEST_NAME} bytes", "choose a shorter one")
