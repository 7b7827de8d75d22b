"""Pictures to files, with the recipe inside."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from pydantic import Field, JsonValue

from nodegraph import Context, NodegraphError, Slider, node
from nodegraph.files import write_atomically
from nodegraph.recipe import COMMENT_PREFIX, EXIF_IFD, METADATA_KEY, USER_COMMENT, recipe_text

from ..types import Image
from . import specs
from .pixels import to_pillow
from .specs import check_saving

_SUFFIX = {"png": ".png", "webp": ".webp", "jpeg": ".jpg"}
_EXIF_LIMIT = 65_000

Format = Literal["png", "webp", "jpeg"]


class ImageNotWritten(NodegraphError):
    """A picture could not be written; nothing was left behind."""


class SavedImage(NamedTuple):
    """What `save_image` gives."""

    image: Image
    files: list[str]


def recipe_fits(kind: Format, recipe: Mapping[str, JsonValue]) -> bool:
    """Whether a file of this kind can hold the recipe; EXIF in a JPEG ends at 64 KiB."""
    return kind != "jpeg" or len(recipe_text(recipe)) <= _EXIF_LIMIT


def encode_picture(picture: Pillow.Image, kind: Format, quality: int, recipe: Mapping[str, JsonValue]) -> bytes:
    """The bytes of a file; the same arguments give the same bytes (no times are written).

    recipe: goes into the text chunk `nodegraph` of a PNG, into the EXIF user comment of the others; it is left out
        where it is too long for EXIF in a JPEG (64 KiB).
    """
    text = recipe_text(recipe)
    target = BytesIO()
    if kind == "png":
        info = PngInfo()
        info.add_text(METADATA_KEY, text)
        picture.save(target, "PNG", pnginfo=info)
    else:
        exif = Pillow.Exif()
        exif.get_ifd(EXIF_IFD)[USER_COMMENT] = COMMENT_PREFIX + text.encode("ascii")
        picture.save(target, kind.upper(), quality=quality, exif=exif.tobytes() if recipe_fits(kind, recipe) else b"")
    return target.getvalue()


def write_picture(ctx: Context, stem: str, kind: Format, content: bytes) -> Path:
    """A picture in the output folder, whole or not at all; where it was written."""
    try:
        path = ctx.output_file(stem, _SUFFIX[kind])
    except OSError as error:
        raise _not_written(error.filename or stem, error) from error
    try:
        write_atomically(path, content)
    except OSError as error:
        raise _not_written(path, error) from error
    return path


def _not_written(path: Path | str, error: OSError) -> ImageNotWritten:
    return ImageNotWritten(
        f"{path} could not be written: {error.strerror or error}; nothing was left behind; "
        "free some space or choose another output folder"
    )


@node(category="image", effect=True, lane="io", spec=specs.save_image)
def save_image(
    image: Image,
    ctx: Context,
    name: Annotated[str, Field(min_length=1, max_length=150)] = "image",
    format: Format = "png",
    quality: Annotated[int, Field(ge=1, le=100), Slider(step=1)] = 90,
) -> SavedImage:
    """Save pictures with the recipe inside

    Files lie in the output folder and are named after `name` and the recipe, so the same recipe rewrites the same
    files. A file is complete or not there. Levels are rounded to the nearest of 256. Dropping a PNG or WebP on the
    editor brings back the graph that made it.

    image: a batch gives one file each, numbered from 000; it is passed on unchanged.
    name: the beginning of the file's name; may hold folders divided by / and values, such as {prompt}-{sample.seed}.
    format: png is exact; webp and jpeg are smaller. jpeg cannot be transparent.
    quality: of webp and jpeg, 1 to 100.
    files: where they were written.
    """
    check_saving(image, name, format)
    recipe = ctx.provenance()
    if not recipe_fits(format, recipe):
        ctx.log("the recipe is too long for a JPEG and is left out; PNG and WebP can hold it")
    files = []
    for number, pixels in enumerate(image.pixels):
        ctx.check_cancelled()
        stem = name if len(image) == 1 else f"{name}-{number:03d}"
        content = encode_picture(to_pillow(pixels), format, quality, {**recipe, "item": number})
        files.append(str(write_picture(ctx, stem, format, content)))
    return SavedImage(image=image, files=files)
