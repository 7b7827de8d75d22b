"""The pictures that workflows may read: those of the input folders, and those that come with packs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from ..errors import FileMissing, FileNotAllowed, shorten
from .defects import NotAPicture, PictureTooLarge, UnknownInput
from .picture_checks import open_picture, upright_size
from .schemas_pictures import InputFile
from .thumbnails import Thumbnails

if TYPE_CHECKING:
    from .definitions import Definitions

KIND = "image"
BUNDLED = "bundled:"


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture's file, open. tag: changes with its content."""

    file: BinaryIO
    name: str
    bytes: int
    modified: float
    tag: str


class InputPictures:
    """Lists and opens pictures; remembers the sizes of those that did not change."""

    def __init__(self, definitions: Definitions, thumbnails: Thumbnails) -> None:
        self._definitions, self._thumbnails = definitions, thumbnails
        self._seen: dict[str, tuple[str, InputFile | None]] = {}

    def entries(self) -> list[InputFile]:
        """All pictures, the newest first and those of packs last. What is none is left out."""
        seen: dict[str, tuple[str, InputFile | None]] = {}
        for name in self._definitions.files().names(KIND):
            try:
                opened = self.open(name)
            except UnknownInput:  # it was removed meanwhile, or is a link that leaves its folder
                continue
            with opened.file:
                before = self._seen.get(name)
                known = before is not None and before[0] == opened.tag
                seen[name] = before if before is not None and known else (opened.tag, _entry(name, opened))
        self._seen = seen
        found = [each for _, each in seen.values() if each is not None]
        return sorted(found, key=lambda each: (each.file.startswith(BUNDLED), -each.modified.timestamp(), each.file))

    def open(self, name: str) -> Opened:
        """A picture's file. Raises UnknownInput."""
        try:
            path = self._definitions.files().resolve(KIND, name)
            file = path.open("rb")
        except (FileMissing, FileNotAllowed, OSError, ValueError) as error:
            raise UnknownInput(f"there is no picture {shorten(name)} to read") from error
        found = os.fstat(file.fileno())
        tag = f"{found.st_size:x}-{found.st_mtime_ns:x}-{found.st_ino:x}"
        return Opened(file, path.name, found.st_size, found.st_mtime, tag)

    def thumbnail(self, name: str, size: int) -> tuple[bytes, str]:
        """A small WebP of a picture, and its tag. Raises UnknownInput, NotAPicture or PictureTooLarge."""
        opened = self.open(name)
        with opened.file:
            return self._thumbnails.get(f"{name}/{opened.tag}", size, opened.file), f"{opened.tag}-{size}"


def _entry(name: str, opened: Opened) -> InputFile | None:
    try:
        with open_picture(opened.file) as picture:
            width, height = upright_size(picture)
    except (NotAPicture, PictureTooLarge):
        return None
    modified = datetime.fromtimestamp(opened.modified, UTC)
    return InputFile(file=name, width=width, height=height, bytes=opened.bytes, modified=modified)
