"""Pictures from files."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from torch import Tensor

from nodegraph import InvalidInput, PathOf, node

from ..types import Image, Mask
from .pixels import from_pillow, with_channels

MAX_PIXELS = 64_000_000
"""Width times height times frames; larger pictures are refused before they are unpacked."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "AVIF")
"""What Pillow may recognise, where its build can: some of its other formats run programs (EPS: Ghostscript)."""

_DAMAGED = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, TypeError, RuntimeError, struct.error,
    zlib.error,
)  # fmt: skip
"""What Pillow's decoders raise on damaged files."""


class LoadedImage(NamedTuple):
    """What `load_image` gives."""

    image: Image
    mask: Mask


def read_frames(path: Path, *, every: bool) -> list[Float[Tensor, "channels height width"]]:
    """The pictures in a file, the right way up, all of one size; only the first unless `every`.

    Raises InvalidInput where the file is no picture, is damaged or too large, or holds pictures of several sizes.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's: about sizes above our limit, and about tags that are skipped
            Pillow.init()
            with Pillow.open(path, formats=[each for each in FORMATS if each in Pillow.OPEN]) as file:
                return _frames(path, file, every=every)
    except Pillow.DecompressionBombError as error:
        raise _too_large(path, str(error)) from error
    except UnidentifiedImageError as error:
        empty = path.stat().st_size == 0
        reason = "the file is empty" if empty else "it is no picture, or of a kind that is not known"
        raise InvalidInput("file", path.name, reason, "use PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF") from error
    except _DAMAGED as error:
        raise _damaged(path, error) from error


def _frames(path: Path, file: Pillow.Image, *, every: bool) -> list[Float[Tensor, "channels height width"]]:
    count = getattr(file, "n_frames", 1) if every else 1
    size = file.size
    if file.width * file.height * count > MAX_PIXELS:
        raise _too_large(path, f"{file.width} x {file.height} x {count} frames")
    found = []
    for index in range(count):
        if index:
            file.seek(index)
        if file.size != size:  # known before the pixels are unpacked, and pages of a TIFF may promise any size
            first, this = ("{} x {}".format(*each) for each in (size, file.size))
            reason = f"its pictures differ in size: {first}, but number {index + 1} is {this}"
            raise InvalidInput("file", path.name, reason, "load the first alone, or save them as files of their own")
        found.append(from_pillow(ImageOps.exif_transpose(file)))
    return found


def _too_large(path: Path, size: str) -> InvalidInput:
    limit = f"{MAX_PIXELS // 1_000_000} million pixels"
    return InvalidInput("file", path.name, f"it has more than {limit} ({size})", "make it smaller first")


def _damaged(path: Path, error: Exception) -> InvalidInput:
    return InvalidInput("file", path.name, f"the picture is damaged or cut off ({error})", "get the file again")


@node(category="image", lane="io")
def load_image(
    file: Annotated[Path, PathOf("image")],
    channels: Literal["rgb", "rgba", "grey"] = "rgb",
    frames: Literal["first", "all"] = "first",
) -> LoadedImage:
    """Load a picture

    Turned upright as its EXIF data say; palettes, CMYK, 16-bit grey and embedded colour profiles are read correctly and
    become sRGB. 16-bit colour is read with 8 bits. More than 64 million pixels are refused.

    file: PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF.
    channels: rgb lays transparent pictures on white; rgba keeps the transparency; grey is one channel.
    frames: of an animation the first picture only, or all as a batch.
    image: the picture.
    mask: 1 where the picture is transparent, to be filled anew; 0 everywhere for opaque pictures.
    """
    found = [frame[None] for frame in read_frames(file, every=frames == "all")]
    count = {"rgb": 3, "rgba": 4, "grey": 1}[channels]
    pixels = torch.cat([with_channels(frame, count) for frame in found])
    holes = [1.0 - frame[:, 3:] if frame.shape[1] == 4 else torch.zeros_like(frame[:, :1]) for frame in found]
    return LoadedImage(image=Image(pixels=pixels), mask=Mask(values=torch.cat(holes)))
