"""The size of pictures as numbers."""

from __future__ import annotations

from typing import NamedTuple

from nodegraph import node

from ..types import Image
from . import specs


class ImageSize(NamedTuple):
    """What `image_size` gives."""

    width: int
    height: int
    pictures: int


@node(category="image", lane="cpu", spec=specs.image_size)
def image_size(image: Image) -> ImageSize:
    """Tell how wide and high pictures are

    To be wired to where another picture, a mask or a latent should get the same size.

    image: what is measured.
    width: in pixels.
    height: in pixels.
    pictures: how many there are in the batch.
    """
    return ImageSize(width=image.width, height=image.height, pictures=len(image))
