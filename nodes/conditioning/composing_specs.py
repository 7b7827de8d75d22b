"""What composed conditionings will be, and the checks that nodes share with their specs. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nodegraph import InvalidInput
from nodegraph.spec import Predicted

from ..specs.image import MaskSpec
from ..specs.sampling import ConditioningSpec


def limit_to_range(conditioning: ConditioningSpec, start: float, end: float) -> Predicted:
    """The same tokens."""
    check_range(start, end)
    limited = conditioning.limited or start > 0.0 or end < 1.0
    return Predicted({"conditioning": replace(conditioning, limited=limited)})


def limit_to_region(conditioning: ConditioningSpec, mask: MaskSpec, strength: float) -> Predicted:
    """The same tokens and, for each entry, the mask."""
    check_masks(mask.batch, conditioning.batch)
    check_one_mask(conditioning.masks > 0)
    count = max(mask.batch, conditioning.batch)
    numbers = conditioning.entries * mask.batch * mask.height * mask.width
    return Predicted({"conditioning": replace(conditioning, batch=count, limited=True, masks=numbers)})


def limit_to_rectangle(
    conditioning: ConditioningSpec,
    left: float,
    top: float,
    right: float,
    bottom: float,
    strength: float,
    alone: bool,
) -> Predicted:
    """The same tokens."""
    check_rectangle(top, left, bottom, right)
    limited = conditioning.limited or (top, left, bottom, right) != (0.0, 0.0, 1.0, 1.0) or strength == 0.0
    return Predicted({"conditioning": replace(conditioning, limited=limited)})


def check_range(start: float, end: float) -> None:
    """InvalidInput where nothing lies between two parts of the training times."""
    if start >= end:
        raise InvalidInput("start", start, f"it is not below the end, {end:g}", "lower it or raise the end")


def check_rectangle(top: float, left: float, bottom: float, right: float) -> None:
    """InvalidInput where a rectangle is empty."""
    for name, low, other, high in (("left", left, "right", right), ("top", top, "bottom", bottom)):
        if low >= high:
            raise InvalidInput(name, low, f"it is not below {other}, {high:g}", "nothing would be left; move an edge")


def check_masks(masks: int, prompts: int) -> None:
    """InvalidInput where masks cannot be shared out among prompts."""
    if masks != prompts and 1 not in (masks, prompts):
        raise InvalidInput("mask", f"{masks} masks", f"there are {prompts} prompts", "give one for all or one for each")


def check_one_mask(there: bool) -> None:
    """InvalidInput where a conditioning has a mask already."""
    if there:
        raise InvalidInput("conditioning", None, "it is limited by a mask already", "combine the masks before")


def combine_conditionings(conditionings: list[ConditioningSpec], weights: list[float] | None) -> Predicted:
    """All entries."""
    batch = check_list([(each.batch, each.width) for each in conditionings])
    check_weights(weights, len(conditionings))
    given = weights or [1.0] * len(conditionings)
    nothing = [each.unconditional for each in conditionings if each.unconditional is not None]
    combined = ConditioningSpec(
        batch=batch,
        length=max(each.length for each in conditionings),
        width=conditionings[0].width,
        entries=sum(each.entries for each in conditionings),
        unconditional=nothing[0] if nothing else None,
        limited=all(each.limited or weight == 0.0 for each, weight in zip(conditionings, given, strict=True)),
        masks=sum(each.masks for each in conditionings),
    )
    return Predicted({"conditioning": combined})


def check_list(parts: Sequence[tuple[int, int]]) -> int:
    """The batch size of conditionings with these batch sizes and widths; InvalidInput where they do not go together."""
    if not parts:
        raise InvalidInput("conditionings", 0, "the list is empty", "wire at least one")
    batch = max(count for count, _ in parts)
    for count, width in parts:
        if count not in (1, batch):
            reason = f"they hold {count} and {batch} prompts"
            raise InvalidInput("conditionings", count, reason, "give one prompt for all, or one for each picture")
        if width != parts[0][1]:
            reason = f"their tokens have {parts[0][1]} and {width} numbers"
            raise InvalidInput("conditionings", width, reason, "encode them with the text encoder of one model")
    return batch


def check_weights(weights: Sequence[float] | None, count: int) -> None:
    """InvalidInput where there is not one weight of at least 0 for each of `count` conditionings."""
    if weights is None:
        return
    if len(weights) != count:
        raise InvalidInput("weights", len(weights), f"there are {count} conditionings", "give one weight for each")
    if min(weights) < 0.0 or max(weights) == 0.0:
        raise InvalidInput("weights", str(weights), "weights are at least 0 and not all 0", "choose others")


def concat_conditionings(first: ConditioningSpec, second: ConditioningSpec) -> Predicted:
    """As many entries as the first has, each longer."""
    check_single(second.entries)
    batch = check_pair(first.batch, second.batch, first.width, second.width)
    return Predicted({"conditioning": replace(first, batch=batch, length=first.length + second.length)})


def average_conditionings(first: ConditioningSpec, second: ConditioningSpec, amount: float) -> Predicted:
    """As many entries as the first has."""
    check_single(second.entries)
    batch = check_pair(first.batch, second.batch, first.width, second.width)
    length = {0.0: first.length, 1.0: second.length}.get(amount, max(first.length, second.length))
    return Predicted({"conditioning": replace(first, batch=batch, length=length)})


def check_single(entries: int) -> None:
    """InvalidInput where the second of two conditionings says several things."""
    if entries != 1:
        raise InvalidInput(
            "second", f"{entries} entries", "it is put to each entry of the first", "give one of one entry"
        )


def check_pair(first: int, second: int, width: int, other: int) -> int:
    """The batch size of two; InvalidInput where their numbers of prompts, or the widths of their tokens, differ."""
    if first != second and 1 not in (first, second):
        reason = f"the first holds {first} prompts"
        raise InvalidInput("second", f"{second} prompts", reason, "give one prompt, or as many")
    if width != other:
        reason = f"its tokens have {other} numbers, those of the first {width}"
        raise InvalidInput("second", other, reason, "encode both with the text encoder of one model")
    return max(first, second)


def set_picture_size(
    conditioning: ConditioningSpec,
    width: int,
    height: int,
    left: int,
    top: int,
    target_width: int,
    target_height: int,
) -> Predicted:
    """The same tokens."""
    return Predicted({"conditioning": replace(conditioning)})
