"""What control flow looks like in a node's signature: inputs that are asked for, and results that are not there."""

from __future__ import annotations

import collections.abc
import functools
import operator
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from .wire import wire

T = TypeVar("T")

Lazy: TypeAlias = Callable[[], T]
"""An input that is computed when the node calls it, and not at all when it never does."""


@wire(portable=True, id="nodegraph.Blocked")
@dataclass(frozen=True)
class Blocked:
    """Stands where a result would be and says why there is none; whatever needs the result is blocked as well.

    A node whose input's type admits `Blocked` gets it as a value instead.
    """

    reason: str = ""


Laziness: TypeAlias = Literal["", "whole", "items"]
"""How an input is computed: before the node runs, when the node asks, or item by item when it asks."""


def without_lazy(annotation: Any) -> tuple[Any, Laziness]:
    """What an input is of, and how it is lazy: `Lazy[T]`, `Lazy[T] | None` or `list[Lazy[T]]`."""
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        inner, lazy = without_lazy(base)
        return (Annotated[(inner, *metadata)], lazy) if lazy else (annotation, "")
    if _is_lazy(annotation):
        return get_args(annotation)[1], "whole"
    if get_origin(annotation) is list and _is_lazy(get_args(annotation)[0]):
        return list[get_args(get_args(annotation)[0])[1]], "items"  # type: ignore[misc]
    if _is_union(annotation) and any(map(_is_lazy, get_args(annotation))):
        return _union(get_args(each)[1] if _is_lazy(each) else each for each in get_args(annotation)), "whole"
    return annotation, ""


def without(annotation: Any, outcome: type) -> tuple[Any, bool]:
    """An output's type without one member of its union, and whether that was there: `Image | Blocked`."""
    if not _is_union(annotation) or outcome not in get_args(annotation):
        return annotation, False
    return _union(each for each in get_args(annotation) if each is not outcome), True


def _is_lazy(annotation: Any) -> bool:
    """Whether an annotation is a function without arguments."""
    is_function = get_origin(annotation) is collections.abc.Callable
    return is_function and get_args(annotation)[0] == []


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _union(members: collections.abc.Iterable[Any]) -> Any:
    return functools.reduce(operator.or_, members)
