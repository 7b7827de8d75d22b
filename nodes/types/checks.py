"""What the constructors of wire types check, so that no node needs to check its inputs again."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from nodegraph import NodegraphError


class BrokenContract(NodegraphError):
    """A value was built that breaks the contract of its wire type."""

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        self.field, self.reason, self.remedy = field, reason, remedy
        super().__init__(f"{field}: {reason}; {remedy}")


def check_tensor(field: str, value: Tensor, dtype: torch.dtype, axes: str) -> None:
    """`value` is a dense CPU tensor of `dtype` with the given axes, none of them empty, and carries no gradient.

    axes: names divided by spaces, such as "batch channels height width".
    """
    if not isinstance(value, Tensor):
        raise BrokenContract(field, f"it is {type(value).__name__}, no tensor", "convert it with torch.as_tensor")
    names = axes.split()
    if value.dtype is not dtype:
        wanted = str(dtype).removeprefix("torch.")
        raise BrokenContract(field, f"its dtype is {value.dtype}, not {wanted}", f"convert it to {wanted}")
    if value.ndim != len(names):
        shape = tuple(value.shape)
        raise BrokenContract(field, f"its shape {shape} has {value.ndim} axes", f"the axes are ({', '.join(names)})")
    if 0 in value.shape:
        raise BrokenContract(field, f"its shape {tuple(value.shape)} has an empty axis", "give it at least one element")
    if value.device.type != "cpu":
        raise BrokenContract(
            field, f"it lies on {value.device}", "wires carry CPU tensors; call .cpu() at the node's end"
        )
    if value.requires_grad:
        raise BrokenContract(field, "it carries a gradient", "call .detach() at the node's end")


def check_range(field: str, value: Tensor, low: float, high: float, remedy: str) -> None:
    """Every element is a finite number in [low, high]."""
    smallest, largest = (float(each) for each in torch.aminmax(value))
    if not (math.isfinite(smallest) and math.isfinite(largest)):
        count = int((~value.isfinite()).sum())
        raise BrokenContract(
            field, f"{count} of {value.numel()} elements are NaN or infinite", "find the node that diverged"
        )
    if smallest < low or largest > high:
        raise BrokenContract(field, f"its values span [{smallest:g}, {largest:g}], not [{low:g}, {high:g}]", remedy)


def check_finite(field: str, value: Tensor) -> None:
    """No element is NaN or infinite."""
    check_range(field, value, -math.inf, math.inf, "")


def check_one_of(field: str, value: int, allowed: Iterable[int], remedy: str) -> None:
    """`value` is one of `allowed`."""
    options = tuple(allowed)
    if value not in options:
        raise BrokenContract(field, f"{value} is none of {', '.join(map(str, options))}", remedy)
