"""Several conditionings made into one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from nodegraph import InvalidInput, Slider, node

from ..types import Conditioning, Encoding, Entry
from . import composing_specs as specs
from .composing_specs import check_list, check_pair, check_single, check_weights
from .encodings import padded, repeated

Pixels = Annotated[int, Field(ge=0, le=16_384)]


@node(category="conditioning", spec=specs.combine_conditionings)
def combine_conditionings(conditionings: list[Conditioning], weights: list[float] | None = None) -> Conditioning:
    """Say several things at once

    Each is evaluated on its own, and the predictions are averaged at each pixel; so every one costs an evaluation.
    Regions and ranges stay. Liu et al. 2022.

    conditionings: what is said; of one model.
    weights: of each, at least 0; only their proportions count. By default all are equal.
    """
    batch = check_list([(len(each), int(each.entries[0].encoding.tokens.shape[2])) for each in conditionings])
    check_weights(weights, len(conditionings))
    entries = [
        replace(entry, encoding=repeated(entry.encoding, batch), strength=entry.strength * weight)
        for each, weight in zip(conditionings, weights or [1.0] * len(conditionings), strict=True)
        for entry in each.entries
    ]
    nothing = [each.unconditional for each in conditionings if each.unconditional is not None]
    return Conditioning(entries=tuple(entries), unconditional=nothing[0] if nothing else None)


@node(category="conditioning", spec=specs.concat_conditionings)
def concat_conditionings(first: Conditioning, second: Conditioning) -> Conditioning:
    """Put the tokens of one prompt behind those of another

    The model attends to both as to one long prompt; costs no further evaluation.

    first: what comes first; its regions, ranges and pooled text stay.
    second: what is put behind each entry of the first; one entry.
    """
    behind, batch = _single(first, second)

    def joined(entry: Entry) -> Entry:
        front, back = repeated(entry.encoding, batch), repeated(behind, batch)
        tokens, mask = torch.cat([front.tokens, back.tokens], 1), torch.cat([front.mask, back.mask], 1)
        return replace(entry, encoding=replace(front, tokens=tokens, mask=mask))

    return replace(first, entries=tuple(map(joined, first.entries)))


@node(category="conditioning", spec=specs.average_conditionings)
def average_conditionings(
    first: Conditioning, second: Conditioning, amount: Annotated[float, Field(ge=0, le=1), Slider(step=0.01)] = 0.5
) -> Conditioning:
    """Blend two prompts

    The vectors of their tokens are interpolated one by one, and so is the pooled text. Of prompts of unequal length
    the shorter counts as zeros where it has ended.

    first: with amount 0 the result; its regions, ranges and sizes stay.
    second: with amount 1 the result; one entry.
    amount: of the second.
    """
    other, batch = _single(first, second)
    if amount == 0.0 and batch == len(first):
        return first

    def blended(entry: Entry) -> Entry:
        return replace(entry, encoding=_between(repeated(entry.encoding, batch), repeated(other, batch), amount))

    return replace(first, entries=tuple(map(blended, first.entries)))


@node(category="conditioning", spec=specs.set_picture_size)
def set_picture_size(
    conditioning: Conditioning,
    width: Annotated[int, Field(ge=1, le=16_384)] = 1024,
    height: Annotated[int, Field(ge=1, le=16_384)] = 1024,
    left: Pixels = 0,
    top: Pixels = 0,
    target_width: Pixels = 0,
    target_height: Pixels = 0,
) -> Conditioning:
    """Tell a model such as SDXL of which size its picture is

    Models that are told no sizes are not affected. Also what counts as no prompt is told so. Without this node models
    are told the size that the picture has. Podell et al. 2023, section 2.2.

    conditioning: what is said.
    width: in pixels, of the picture that it counts as scaled from; small values give blur.
    height: in pixels, likewise.
    left: pixels cut off at the left; above 0 the picture looks cut.
    top: pixels cut off at the top.
    target_width: in pixels, of the picture after scaling; 0 is `width`.
    target_height: in pixels, of the picture after scaling; 0 is `height`.
    """
    numbers = torch.tensor([[height, width, top, left, target_height or height, target_width or width]]).float()

    def sized(encoding: Encoding) -> Encoding:
        return replace(encoding, sizes=numbers.expand(len(encoding), -1))

    entries = tuple(replace(entry, encoding=sized(entry.encoding)) for entry in conditioning.entries)
    nothing = conditioning.unconditional
    return Conditioning(entries=entries, unconditional=None if nothing is None else sized(nothing))


def _single(first: Conditioning, second: Conditioning) -> tuple[Encoding, int]:
    """What the second says, and the batch size of both."""
    check_single(len(second.entries))
    encoding = second.entries[0].encoding
    width = int(first.entries[0].encoding.tokens.shape[2])
    return encoding, check_pair(len(first), len(second), width, int(encoding.tokens.shape[2]))


def _between(a: Encoding, b: Encoding, amount: float) -> Encoding:
    if (a.pooled is None) != (b.pooled is None):
        raise InvalidInput("second", None, "only one of the two has a pooled text", "encode both with one encoder")
    length = max(a.tokens.shape[1], b.tokens.shape[1])
    pooled = None if a.pooled is None or b.pooled is None else _mixed(a.pooled, b.pooled, amount)
    if amount in (0.0, 1.0):
        chosen = a if amount == 0.0 else b
        return replace(chosen, pooled=pooled, sizes=a.sizes)
    return Encoding(
        tokens=_mixed(padded(a.tokens, length), padded(b.tokens, length), amount),
        mask=padded(a.mask, length) | padded(b.mask, length),
        pooled=pooled,
        sizes=a.sizes,
    )


def _mixed(a: Tensor, b: Tensor, amount: float) -> Tensor:
    """(1 - amount) a + amount b, exact at both ends."""
    return a if amount == 0.0 else b if amount == 1.0 else (1.0 - amount) * a + amount * b
