"""Small pictures of large ones, kept in the cache folder as long as there is room."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import threading
from pathlib import Path
from typing import BinaryIO

from ..files import write_atomically
from ..pictures import as_webp
from .defects import NotAPicture
from .picture_checks import open_picture

MOST_FILES = 20_000
CHECK_EVERY = 200
"""Thumbnails that are made between two looks at how many there are."""


class Thumbnails:
    """Makes thumbnails when they are first asked for."""

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "thumbnails"
        self._lock = threading.Lock()
        self._made = itertools.count(1)

    def get(self, identity: str, size: int, file: BinaryIO) -> bytes:
        """A WebP whose longer side has at most `size` pixels.

        identity: changes with the picture's content. file: the picture. Raises NotAPicture or PictureTooLarge.
        """
        path = self._folder / f"{hashlib.sha256(f'{identity}/{size}'.encode()).hexdigest()[:40]}.webp"
        with contextlib.suppress(OSError):
            return path.read_bytes()
        with self._lock:  # one at a time: decoding takes memory
            content = thumbnail(file, size)
        if write_atomically(path, content, best_effort=True) and next(self._made) % CHECK_EVERY == 0:
            self._forget_oldest()
        return content

    def _forget_oldest(self) -> None:
        with contextlib.suppress(OSError):
            kept = sorted(self._folder.glob("*.webp"), key=lambda each: each.stat().st_mtime_ns)
            for each in kept[:-MOST_FILES]:
                each.unlink(missing_ok=True)


def thumbnail(file: BinaryIO, size: int) -> bytes:
    """A WebP of a picture, the right way up. Raises NotAPicture or PictureTooLarge."""
    from PIL import ImageOps

    with open_picture(file) as picture:
        try:
            picture.draft("RGB", (size, size))
            return as_webp(ImageOps.exif_transpose(picture), size).content
        except Exception as error:  # a decoder may raise anything
            raise NotAPicture(f"the picture is damaged: {error}") from error
