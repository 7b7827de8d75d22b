"""The recipe inside a written picture: the workflow, the digests of the files it read, versions and device."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from .errors import NodegraphError
from .workflow.model import Workflow

METADATA_KEY = "nodegraph"
"""The PNG text chunk that holds the recipe."""

USER_COMMENT, EXIF_IFD = 0x9286, 0x8769
"""Where the recipe lies in the EXIF data of other kinds of files."""

COMMENT_PREFIX = b"ASCII\0\0\0"


class NoRecipe(NodegraphError):
    """A file holds no recipe, or one that cannot be read."""


class Recipe(BaseModel):
    """What made a picture.

    nodegraph: the version that wrote it. workflow: with all values. files: SHA-256 by "kind/name". versions: of numeric
    packages. computed_on: the device policy. node: which node wrote the file. item: which picture of its batch. fields:
    what the file's name may mention beside the workflow's values.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    nodegraph: str
    workflow: Workflow
    files: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    computed_on: str = ""
    node: str = ""
    item: int = 0
    fields: dict[str, JsonValue] = Field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Recipe:
        """The recipe of a picture; raises NoRecipe saying why there is none."""
        return cls.read(path, source=str(path))

    @classmethod
    def read(cls, file: Path | BinaryIO, *, source: str) -> Recipe:
        """The recipe of a picture that `source` names in messages; raises NoRecipe saying why there is none."""
        found = read_recipe(file, source=source)
        if found is None:
            raise NoRecipe(f"{source} holds no recipe; pictures that save_image writes do, unless a program removed it")
        try:
            document = {**found, "workflow": Workflow.from_document(found.get("workflow"), source=source)}
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise NoRecipe(f"{source}: its recipe is wrong at {place}: {first['msg']}") from error


def recipe_text(recipe: Mapping[str, JsonValue]) -> str:
    """A recipe as text; equal recipes give equal text."""
    return json.dumps(recipe, separators=(",", ":"), sort_keys=True)


def read_recipe(file: Path | BinaryIO, *, source: str = "") -> dict[str, JsonValue] | None:
    """The recipe in a PNG, WebP or JPEG file as JSON; None where there is none. Raises NoRecipe for other files.

    source: what messages call the file; by default its path.
    """
    from PIL import Image, UnidentifiedImageError

    source = source or str(file)
    try:
        with Image.open(file) as picture:
            text = picture.info.get(METADATA_KEY) or getattr(picture, "text", {}).get(METADATA_KEY)
            if text is None:
                comment = picture.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT)
                if isinstance(comment, bytes):
                    text = comment.removeprefix(COMMENT_PREFIX).decode("ascii", "replace")
    except UnidentifiedImageError as error:
        raise NoRecipe(f"{source} cannot be read as a picture: it is none of a kind that is known here") from error
    except (OSError, SyntaxError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NoRecipe(f"{source} cannot be read as a picture: {reason}") from error
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
