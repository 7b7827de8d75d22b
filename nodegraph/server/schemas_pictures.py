"""What the routes of pictures that workflows read take and tell."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue

from .schemas import _Document

UploadKind: TypeAlias = Literal["image", "mask"]

ThumbnailSize: TypeAlias = Annotated[int, Field(ge=16, le=1024)]


class UploadQuery(_Document):
    """name: what the sender calls the picture; it becomes a part of the file's name. kind: what it is for."""

    name: Annotated[str, Field(max_length=1000)] = ""
    kind: UploadKind = "image"


class Upload(_Document):
    """A picture that was kept. file: what a workflow writes to read it. width, height: the right way up."""

    file: str
    width: int
    height: int
    bytes: int
    sha256: str


class InputFile(_Document):
    """A picture that workflows may read. file: what a workflow writes. width, height: the right way up."""

    file: str
    width: int
    height: int
    bytes: int
    modified: datetime


class InputList(_Document):
    """Pictures that workflows may read, the newest first; those that come with packs last."""

    files: list[InputFile]


class ThumbnailQuery(_Document):
    """size: of the longer side, in pixels."""

    size: ThumbnailSize = 256


class FoundRecipe(_Document):
    """What made a picture.

    workflow: with the values it was made with. node, item: which node wrote it, and which picture of its batch.
    nodegraph: the version that wrote it. files: SHA-256 of the files that were read, by "kind/name". versions: of
    packages that change results. computed_on: the device and the precision. fields: what its name mentions beside.
    """

    workflow: dict[str, JsonValue]
    node: str
    item: int
    nodegraph: str
    files: dict[str, str]
    versions: dict[str, str]
    computed_on: str
    fields: dict[str, JsonValue]
