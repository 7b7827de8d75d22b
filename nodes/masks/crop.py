"""The part of a picture that a mask shows, cut out to be worked on."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from nodegraph import InvalidInput, node

from ..image.sizes import common_batch, size_of
from ..types import Image, Mask
from . import specs
from .specs import Frame, check_mask_of


class CroppedToMask(NamedTuple):
    """What `crop_to_mask` gives."""

    image: Image
    mask: Mask
    left: int
    top: int
    width: int
    height: int


def masked_span(values: Float[Tensor, "batch 1 height width"], axis: int) -> tuple[int, int] | None:
    """Along an axis, the first position with a value above 0 in any mask and the one after the last; None without."""
    others = [each for each in range(4) if each != axis]
    found = values.amax(dim=others).nonzero().flatten()
    return (int(found[0]), int(found[-1]) + 1) if found.numel() else None


def widened(start: int, end: int, size: int, margin: int, multiple: int) -> tuple[int, int]:
    """A span with a margin on both ends, then so long that `multiple` divides it, as far as there is room in `size`."""
    start, end = max(0, start - margin), min(size, end + margin)
    length = min(size, -(-(end - start) // multiple) * multiple)
    start = min(max(0, start - (length - (end - start)) // 2), size - length)
    return start, start + length


@node(category="mask", lane="cpu", spec=specs.crop_to_mask)
def crop_to_mask(
    image: Image,
    mask: Mask,
    margin: Annotated[int, Field(ge=0, le=4_096)] = 32,
    multiple: Annotated[int, Field(ge=1, le=1_024)] = 8,
) -> CroppedToMask:
    """Cut out what a mask shows, to work on it alone

    One rectangle around all that is above 0 in any mask of the batch. `composite_images` puts the result back: the
    crop is its overlay, with `left`, `top` and the cropped mask; resize it to `width` and `height` before if it was
    made larger in between.

    image: what to cut.
    mask: of the same size, above 0 somewhere.
    margin: pixels around the masked part, where the picture has as many.
    multiple: sides are made longer until this divides them, where the picture has room; models want 8 or 64.
    left: where the crop begins in the picture.
    top: where the crop begins in the picture.
    width: of the crop.
    height: of the crop.
    """
    check_mask_of(image, mask)
    common_batch(image=image, mask=mask)
    down, across = masked_span(mask.values, 2), masked_span(mask.values, 3)
    if down is None or across is None:
        raise InvalidInput("mask", size_of(mask), "it is 0 everywhere", "mask what the crop should show")
    top, bottom = widened(*down, image.height, margin, multiple)
    left, right = widened(*across, image.width, margin, multiple)
    part = (slice(None), slice(None), slice(top, bottom), slice(left, right))
    frame = Frame(left, top, right - left, bottom - top)
    return CroppedToMask(
        Image(pixels=image.pixels[part].contiguous()), Mask(values=mask.values[part].contiguous()), *frame
    )
