"""Pictures on their way to people: made smaller, and written as files of some kind."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

JPEG_QUALITY = 88
WEBP_QUALITY = 86


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as a file. type: its media type."""

    content: bytes
    type: str
    width: int
    height: int


def smaller(picture: Image, size: int) -> Image:
    """A picture whose longer side has at most `size` pixels; the same where it is no longer."""
    longer = max(picture.size)
    if longer <= size:
        return picture
    width, height = (max(1, round(side * size / longer)) for side in picture.size)
    return picture.resize((width, height), reducing_gap=2.0)


def as_preview(picture: Image, size: int) -> Encoded:
    """A small picture, written quickly: JPEG, or WebP where it is transparent."""
    small = smaller(picture, size)
    if small.mode in ("RGBA", "LA", "PA"):
        return as_webp(small)
    if small.mode not in ("L", "RGB"):
        small = small.convert("RGB")
    content = io.BytesIO()
    small.save(content, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return Encoded(content.getvalue(), "image/jpeg", *small.size)


def as_webp(picture: Image, size: int | None = None) -> Encoded:
    """A picture as WebP. size: pixels of its longer side at most."""
    small = picture if size is None else smaller(picture, size)
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert("RGBA" if "A" in small.mode or "transparency" in small.info else "RGB")
    content = io.BytesIO()
    small.save(content, "WEBP", quality=WEBP_QUALITY, method=2)
    return Encoded(content.getvalue(), "image/webp", *small.size)


def as_png(picture: Image) -> Encoded:
    """A picture as PNG, pixel by pixel as it is."""
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=3)
    return Encoded(content.getvalue(), "image/png", *picture.size)
