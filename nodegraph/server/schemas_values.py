"""What is told of values: what nodes show while they run, and what is stored of them."""

from __future__ import annotations

import struct
from typing import Annotated, Literal

from pydantic import Field

from ..ports.glimpse import Glimpse
from .schemas import _Document

_LENGTH = struct.Struct("!I")


class FileQuery(_Document):
    """download: whether a browser is to save it whatever it is."""

    download: bool = False


class ValueGlimpses(_Document):
    """What is stored under a key. outputs: what is told of each output of the node."""

    key: str
    outputs: dict[str, Glimpse]


class PictureQuery(_Document):
    """Which of a value's pictures. size: of the longer side in pixels; without it a PNG of the whole size."""

    item: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    size: Annotated[int, Field(ge=16, le=4096)] | None = None


class Preview(_Document):
    """What a node shows while it runs. step: how many of its steps were done. type: the picture's media type.

    A binary message of the WebSocket holds the length of this document in four bytes, big end first, the document, and
    the picture.
    """

    kind: Literal["preview"] = "preview"
    job: str
    node: str
    step: int | None
    width: int
    height: int
    type: str


def preview_message(preview: Preview, picture: bytes) -> bytes:
    """What is sent to those who look."""
    document = preview.model_dump_json().encode()
    return _LENGTH.pack(len(document)) + document + picture


def read_preview(message: bytes) -> tuple[Preview, bytes]:
    """A message back into what it holds; raises ValueError for what is none."""
    if len(message) < _LENGTH.size:
        raise ValueError(f"a message of {len(message)} bytes")
    (length,) = _LENGTH.unpack_from(message)
    end = _LENGTH.size + length
    return Preview.model_validate_json(message[_LENGTH.size : end]), message[end:]
