"""Plain values for loops and conditions: lists to go through, comparisons, texts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from nodegraph import InvalidInput, Multiline, node

from . import specs

T = TypeVar("T")

MOST = 100_000
"""Items of a list that a node makes."""

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
_OPERATIONS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "x": operator.mul,
    ":": operator.truediv,
    "min": min,
    "max": max,
}


@node(category="values", spec=specs.value)
def value(value: T) -> T:
    """A value that several inputs share

    value: written, or wired; passed on as it is.
    """
    return value


@node(category="values", spec=specs.integers)
def integers(first: int = 0, count: Annotated[int, Field(ge=0, le=MOST)] = 4, step: int = 1) -> list[int]:
    """Count: first, first + step, ...

    first: the first number; a list of seeds may begin anywhere.
    count: how many.
    step: from one to the next.
    """
    return [first + step * index for index in range(count)]


@node(category="values", spec=specs.numbers)
def numbers(first: float = 0.0, last: float = 1.0, count: Annotated[int, Field(ge=1, le=MOST)] = 5) -> list[float]:
    """Numbers at equal distances, both ends among them

    first: the first number.
    last: the last one.
    count: how many; one alone is the first.
    """
    return [first + (last - first) * index / max(1, count - 1) for index in range(count)]


@node(category="values", spec=specs.lines)
def lines(text: Annotated[str, Multiline()]) -> list[str]:
    """The lines of a text, such as one prompt each

    text: spaces at the ends of lines and empty lines are left out.
    """
    return [line.strip() for line in text.splitlines() if line.strip()]


@node(category="values", spec=specs.item)
def item(items: list[T], index: int = 0) -> T:
    """One item of a list

    items: the list.
    index: counts from 0; -1 is the last.
    """
    if not -len(items) <= index < len(items):
        raise InvalidInput("index", index, f"the list has {len(items)} items", "count from 0, or from the end with -1")
    return items[index]


@node(category="values", spec=specs.length)
def length(items: list[T]) -> int:
    """How many items a list has

    items: the list.
    """
    return len(items)


@node(category="values", spec=specs.compare)
def compare(a: float, b: float, how: Literal["<", "<=", "=", "!=", ">=", ">"] = "<") -> bool:
    """Whether a comparison holds

    a: the left side.
    b: the right side.
    how: what must hold between them.
    """
    return _COMPARISONS[how](a, b)


@node(category="values", spec=specs.calculate)
def calculate(a: float, b: float, how: Literal["+", "-", "x", ":", "min", "max"] = "+") -> float:
    """Calculate with two numbers

    a: the left side.
    b: the right side.
    how: the operation; x multiplies, : divides.
    """
    if how == ":" and b == 0:
        raise InvalidInput("b", b, "nothing is divided by zero", "give another number")
    return float(_OPERATIONS[how](a, b))


@node(category="values", output="text", spec=specs.join_texts)
def join_texts(texts: list[str], separator: str = ", ") -> str:
    """Join texts

    texts: in this order; empty ones are left out.
    separator: goes between them.
    """
    return separator.join(text for text in texts if text)
