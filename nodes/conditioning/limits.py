"""What is said of a part of the picture only, or at some noise levels only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodegraph import Slider, node

from ..types import Conditioning, Entry, Mask
from . import composing_specs as specs
from .composing_specs import check_masks, check_one_mask, check_range, check_rectangle
from .encodings import repeated

Part = Annotated[float, Field(ge=0, le=1), Slider(step=0.01)]
Strength = Annotated[float, Field(ge=0, le=10), Slider(step=0.05)]


@node(category="conditioning", spec=specs.limit_to_range)
def limit_to_range(conditioning: Conditioning, start: Part = 0.0, end: Part = 1.0) -> Conditioning:
    """Say something in a part of the sampling only

    Before and after it the other entries count that it is combined with; where none does, the empty prompt. Parts are
    those of the model's training times, from pure noise, which for a grid that is even in time are those of the steps.

    conditioning: what is said; a range that it has already is cut down.
    start: when it begins to count; 0 is pure noise.
    end: when it ceases to; 1 is the clean picture.
    """

    def cut(entry: Entry) -> Entry:
        found = max(start, entry.start), min(end, entry.end)
        check_range(*found)
        return replace(entry, start=found[0], end=found[1])

    return _each(conditioning, cut)


@node(category="conditioning", spec=specs.limit_to_region)
def limit_to_region(conditioning: Conditioning, mask: Mask, strength: Strength = 1.0) -> Conditioning:
    """Say something of a region only

    Combine it with what is said of the rest: at each pixel the predictions are averaged by strength times mask; where
    nothing is said, the empty prompt counts. The model sees the whole picture for each region, and only the
    predictions are cut; so a region shows best what fits the picture around it.

    conditioning: what is said.
    mask: 1 where it is said; values between count in part. Any size; it is stretched over the picture. Several masks
        are for as many pictures.
    strength: beside what else is said of the same place.
    """
    check_masks(len(mask), len(conditioning))
    count = max(len(mask), len(conditioning))

    def cut(entry: Entry) -> Entry:
        check_one_mask(entry.mask is not None)
        encoding = repeated(entry.encoding, count)
        return replace(entry, encoding=encoding, mask=mask.values, strength=strength * entry.strength)

    return _each(conditioning, cut)


@node(category="conditioning", spec=specs.limit_to_rectangle)
def limit_to_rectangle(
    conditioning: Conditioning,
    left: Part = 0.0,
    top: Part = 0.0,
    right: Part = 1.0,
    bottom: Part = 1.0,
    strength: Strength = 1.0,
    alone: bool = False,
) -> Conditioning:
    """Say something of a rectangle only

    As limit_to_region, without a mask. Rectangles that adjoin neither overlap nor leave a gap.

    conditioning: what is said; of a rectangle that it has already the common part is left.
    left: edge, as a part of the picture's width from the left.
    top: edge, as a part of the picture's height from the top.
    right: edge, above left.
    bottom: edge, above top.
    strength: beside what else is said of the same place.
    alone: the model is shown the rectangle only, as if it were a picture of its own. Costs less, and pictures can be
        larger than the model knows; but nothing ties the rectangle to the rest. Limit the negative prompt likewise.
    """

    def cut(entry: Entry) -> Entry:
        old = entry.area or (0.0, 0.0, 1.0, 1.0)
        area = max(top, old[0]), max(left, old[1]), min(bottom, old[2]), min(right, old[3])
        check_rectangle(*area)
        found = None if area == (0.0, 0.0, 1.0, 1.0) else area
        return replace(
            entry, area=found, alone=(alone or entry.alone) and found is not None, strength=strength * entry.strength
        )

    return _each(conditioning, cut)


def _each(conditioning: Conditioning, change: Callable[[Entry], Entry]) -> Conditioning:
    return replace(conditioning, entries=tuple(map(change, conditioning.entries)))
