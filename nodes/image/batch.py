"""Putting pictures together into a batch."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from nodegraph import node

from ..types import Image
from . import specs
from .pixels import with_channels
from .specs import batch_channels


@node(category="image", lane="cpu", spec=specs.batch_images)
def batch_images(images: Annotated[list[Image], Field(min_length=1)]) -> Image:
    """Put pictures of one size into one batch

    images: in this order, such as the pictures that a loop gave. Where only some have colours or transparency, all get
        them.
    """
    channels = batch_channels(images)
    return Image(pixels=torch.cat([with_channels(each.pixels, channels) for each in images]))
