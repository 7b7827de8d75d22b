"""Picture files: opening them safely, and what their headers say. Imports no torch."""

from __future__ import annotations

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from nodegraph import InvalidInput

MAX_PIXELS = 64_000_000
"""Width times height times frames; larger pictures are refused before they are unpacked."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "AVIF")
"""What Pillow may recognise, where its build can: some of its other formats run programs (EPS: Ghostscript)."""

_DAMAGED = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, TypeError, RuntimeError, struct.error,
    zlib.error,
)  # fmt: skip
"""What Pillow's decoders raise on damaged files."""

_ORIENTATION = 0x0112
"""The EXIF tag that says how to turn a picture upright; from 5 on, width and height change places."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Pillow.Image]:
    """A picture file, nothing of which is unpacked yet.

    Raises InvalidInput, also for what goes wrong with it while it is open: it is no picture, damaged or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's: about sizes above our limit, and about tags that are skipped
            Pillow.init()
            with Pillow.open(path, formats=[each for each in FORMATS if each in Pillow.OPEN]) as file:
                yield file
    except Pillow.DecompressionBombError as error:
        raise _too_large(path, str(error)) from error
    except UnidentifiedImageError as error:
        empty = path.stat().st_size == 0
        reason = "the file is empty" if empty else "it is no picture, or of a kind that is not known"
        raise InvalidInput("file", path.name, reason, "use PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF") from error
    except _DAMAGED as error:
        reason = f"the picture is damaged or cut off ({error})"
        raise InvalidInput("file", path.name, reason, "get the file again") from error


def frames_of(path: Path, file: Pillow.Image, *, every: bool) -> Iterator[Pillow.Image]:
    """The file at each of its pictures in turn, only at the first unless `every`; their pixels are not unpacked.

    Raises InvalidInput where they are too large, or of several sizes.
    """
    count = getattr(file, "n_frames", 1) if every else 1
    size = file.size
    if file.width * file.height * count > MAX_PIXELS:
        raise _too_large(path, f"{file.width} x {file.height} x {count} frames")
    for index in range(count):
        if index:
            file.seek(index)
        if file.size != size:  # known before the pixels are unpacked, and pages of a TIFF may promise any size
            first, this = ("{} x {}".format(*each) for each in (size, file.size))
            reason = f"its pictures differ in size: {first}, but number {index + 1} is {this}"
            raise InvalidInput("file", path.name, reason, "load the first alone, or save them as files of their own")
        yield file


def picture_size(path: Path, *, every: bool) -> tuple[int, int, int]:
    """How many pictures there are in a file, and their height and width when they are turned upright.

    Raises InvalidInput for what can be seen without unpacking.
    """
    with opened(path) as file:
        count = sum(1 for _ in frames_of(path, file, every=every))
        file.seek(0)
        turned = file.getexif().get(_ORIENTATION, 1) >= 5
        width, height = file.size
        return (count, width, height) if turned else (count, height, width)


def _too_large(path: Path, size: str) -> InvalidInput:
    limit = f"{MAX_PIXELS // 1_000_000} million pixels"
    return InvalidInput("file", path.name, f"it has more than {limit} ({size})", "make it smaller first")
