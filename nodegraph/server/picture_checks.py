"""Is it a picture? Told by decoding all of it within limits, never by a name or by what the sender says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from .defects import NotAPicture, PictureTooLarge

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 64_000_000
"""As many as `load_image` takes."""

TAKEN = ("PNG", "JPEG", "WEBP")
ENDINGS = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "WEBP": "webp"}
"""Of files, by Pillow's names of formats. MPO is a JPEG with others behind it."""

OTHERS = {b"GIF8": "a GIF", b"BM": "a BMP", b"II*\0": "a TIFF", b"MM\0*": "a TIFF", b"%PDF": "a PDF", b"PK": "a ZIP"}
"""Beginnings of files that people take for pictures, for messages."""

ROTATED = (5, 6, 7, 8)
"""EXIF orientations of pictures that lie on their side."""

ORIENTATION = 0x0112

PLUGINS = {
    "PNG": "Png",
    "JPEG": "Jpeg",
    "WEBP": "WebP",
    "GIF": "Gif",
    "BMP": "Bmp",
    "TIFF": "Tiff",
    "AVIF": "Avif",
}
"""Modules of Pillow by the formats that they read. Others are not loaded: some of them run programs."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A picture that was decoded completely. ending: of its file's name. content: without what cameras put behind it.

    width, height: the right way up.
    """

    ending: str
    width: int
    height: int
    content: bytes


def check_picture(content: bytes) -> Checked:
    """Decode a PNG, JPEG or WebP. Raises NotAPicture or PictureTooLarge saying what is wrong with it."""
    with open_picture(BytesIO(content), TAKEN) as picture:
        kind = picture.format or ""
        if kind != "MPO" and getattr(picture, "is_animated", False):
            raise NotAPicture("it is an animation; send one picture of it")
        try:
            picture.load()
        except Exception as error:  # a decoder may raise anything
            raise NotAPicture(f"it begins as a {kind} picture, but it is damaged or ends too early: {error}") from error
        width, height = upright_size(picture)
    return Checked(ENDINGS[kind], width, height, _alone(content, ENDINGS[kind]))


def open_picture(file: BinaryIO, formats: Iterable[str] = PLUGINS) -> Image.Image:
    """A picture of which only the beginning is read yet. Raises NotAPicture or PictureTooLarge."""
    from PIL import Image

    for each in formats:
        import_module(f"PIL.{PLUGINS[each]}ImagePlugin")
    try:
        picture = Image.open(file, formats=[each for each in formats if each in Image.OPEN])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"it has more than {MOST_PIXELS:,} pixels; make it smaller") from error
    except Exception as error:  # a decoder may raise anything
        file.seek(0)
        raise NotAPicture(f"it is no picture of a kind that is taken: {_looks_like(file.read(1000))}") from error
    if picture.width * picture.height > MOST_PIXELS:
        size = f"{picture.width:,} x {picture.height:,}"
        picture.close()
        raise PictureTooLarge(f"it has {size} pixels; at most {MOST_PIXELS:,} are taken; make it smaller")
    return picture


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height as people see it."""
    try:
        rotated = picture.getexif().get(ORIENTATION) in ROTATED
    except Exception:  # EXIF data that nobody can read turn nothing  # noqa: BLE001
        rotated = False
    return (picture.height, picture.width) if rotated else (picture.width, picture.height)


def _looks_like(content: bytes) -> str:
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content:
        return "it is empty"
    if b"<svg" in start:
        return "it is an SVG drawing; send PNG, JPEG or WebP"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")):
        return "it is a web page; send PNG, JPEG or WebP"
    for magic, name in OTHERS.items():
        if content.startswith(magic):
            return f"it is {name}; send PNG, JPEG or WebP"
    return "send PNG, JPEG or WebP"


def _alone(content: bytes, ending: str) -> bytes:
    """The picture without the films, smaller pictures and notes that cameras put behind a JPEG.

    Raises NotAPicture where something else is behind it: to other programs such a file may be an archive or a web page.
    """
    end = {"png": _end_of_png, "jpg": _end_of_jpeg, "webp": _end_of_webp}[ending](content)
    rest = content[end:]
    if not rest.strip(b"\0"):
        return content[:end]
    if ending == "jpg" and (rest.startswith(b"\xff\xd8") or rest[4:8] == b"ftyp" or rest.endswith(b"SEFT")):
        return content[:end]
    raise NotAPicture(f"{len(rest):,} bytes that are no part of it follow the picture; save it anew and send that")


def _end_of_png(content: bytes) -> int:
    place = 8
    while place + 8 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        place += 12 + length
        if kind == b"IEND":
            break
    return place


def _end_of_webp(content: bytes) -> int:
    return 8 + int.from_bytes(content[4:8], "little")


_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""What begins a part of a JPEG; in the picture's own data FF is followed by 0 or a restart marker."""


def _end_of_jpeg(content: bytes) -> int:
    place = 2
    while (found := _MARKER.search(content, place)) is not None:
        place = found.end()
        if found[1] == b"\xd9":
            return place
        if found[1] not in b"\x01\xd8":
            place += int.from_bytes(content[place : place + 2], "big")
    return len(content)
