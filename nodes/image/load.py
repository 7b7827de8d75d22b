"""Pictures from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float
from PIL import ImageOps
from torch import Tensor

from nodegraph import PathOf, node

from ..types import Image, Mask
from . import specs
from .files import frames_of, opened
from .pixels import from_pillow, with_channels


class LoadedImage(NamedTuple):
    """What `load_image` gives."""

    image: Image
    mask: Mask


def read_frames(path: Path, *, every: bool) -> list[Float[Tensor, "channels height width"]]:
    """The pictures in a file, the right way up, all of one size; only the first unless `every`.

    Raises InvalidInput where the file is no picture, is damaged or too large, or holds pictures of several sizes.
    """
    with opened(path) as file:
        return [from_pillow(ImageOps.exif_transpose(each)) for each in frames_of(path, file, every=every)]


@node(category="image", lane="io", spec=specs.load_image)
def load_image(
    file: Annotated[Path, PathOf("image")],
    channels: Literal["rgb", "rgba", "grey"] = "rgb",
    frames: Literal["first", "all"] = "first",
) -> LoadedImage:
    """Load a picture

    Turned upright as its EXIF data say; palettes, CMYK, 16-bit grey and embedded colour profiles are read correctly and
    become sRGB. 16-bit colour is read with 8 bits. More than 64 million pixels are refused.

    file: PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF.
    channels: rgb lays transparent pictures on white; rgba keeps the transparency; grey is one channel.
    frames: of an animation the first picture only, or all as a batch.
    image: the picture.
    mask: 1 where the picture is transparent, to be filled anew; 0 everywhere for opaque pictures.
    """
    found = [frame[None] for frame in read_frames(file, every=frames == "all")]
    count = {"rgb": 3, "rgba": 4, "grey": 1}[channels]
    pixels = torch.cat([with_channels(frame, count) for frame in found])
    holes = [1.0 - frame[:, 3:] if frame.shape[1] == 4 else torch.zeros_like(frame[:, :1]) for frame in found]
    return LoadedImage(image=Image(pixels=pixels), mask=Mask(values=torch.cat(holes)))
