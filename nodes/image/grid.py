"""Contact sheets."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Annotated

import torch
from jaxtyping import Float
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from pydantic import Field
from torch import Tensor

from nodegraph import node

from ..types import Image
from . import specs
from .pixels import from_pillow, to_rgb
from .specs import sheet_layout


def sheet(
    pixels: Float[Tensor, "batch 3 height width"], columns: int, gap: int, captions: list[str], caption_height: int
) -> Float[Tensor, "1 3 sheet_height sheet_width"]:
    """Rows of pictures on white, each with its caption below where there are any."""
    count, _, height, width = pixels.shape
    rows, below = math.ceil(count / columns), caption_height if captions else 0
    down, across = height + below + gap, width + gap
    paper = torch.ones(1, 3, rows * down + gap, columns * across + gap)
    for index in range(count):
        top, left = gap + index // columns * down, gap + index % columns * across
        paper[0, :, top : top + height, left : left + width] = pixels[index]
        if captions:
            strip = _caption(captions[index], width, below)
            paper[0, :, top + height : top + height + below, left : left + width] = strip
    return paper


def _caption(text: str, width: int, height: int) -> Float[Tensor, "3 height width"]:
    """Black on white, one line, cut with an ellipsis where it is too long."""
    strip = Pillow.new("RGB", (width, height), "white")
    font = ImageFont.load_default(size=max(8.0, height * 0.7))
    line = " ".join(text[:1_000].split())
    shown = line
    if font.getlength(line) > width:
        lengths = range(len(line))  # by how much of the line is kept
        kept = bisect_right(lengths, float(width), key=lambda count: float(font.getlength(f"{line[:count]}…")))
        shown = f"{line[: max(0, kept - 1)]}…"
    ImageDraw.Draw(strip).text((width / 2, height / 2), shown, fill="black", font=font, anchor="mm")
    return from_pillow(strip)


@node(category="image", lane="cpu", spec=specs.image_grid)
def image_grid(
    image: Image,
    columns: Annotated[int, Field(ge=0, le=1_000)] = 0,
    gap: Annotated[int, Field(ge=0, le=256)] = 4,
    captions: list[str] | None = None,
    caption_height: Annotated[int, Field(ge=8, le=256)] = 16,
) -> Image:
    """Put the pictures of a batch on one sheet

    Transparent pictures are laid on white.

    image: the batch; row by row, from the left.
    columns: pictures in a row; 0 makes the sheet about square.
    gap: white pixels between the pictures and around them.
    captions: one line of text under each picture.
    caption_height: room for a caption in pixels; the letters fill about two thirds of it.
    """
    across, _ = sheet_layout(image, columns, gap, captions, caption_height)
    return Image(pixels=sheet(to_rgb(image.pixels), across, gap, captions or [], caption_height))
