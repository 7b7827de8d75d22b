"""Choosing between branches, holding one back, and going on without it."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

from nodegraph import Blocked, Lazy, node

from . import specs
from .specs import check_index

T = TypeVar("T")


@node(category="control", spec=specs.switch)
def switch(condition: bool, on_true: Lazy[T], on_false: Lazy[T]) -> T:
    """Take one of two branches

    Only the branch that is taken is computed, and changing the other one recomputes nothing.

    condition: decides.
    on_true: taken when the condition is true.
    on_false: taken when it is false.
    """
    return on_true() if condition else on_false()


@node(category="control", spec=specs.select)
def select(items: list[Lazy[T]], index: Annotated[int, Field(ge=0)] = 0) -> T:
    """Take one of many by its number

    Only that one is computed, where the items are wired one by one.

    items: what to choose from.
    index: counts from 0.
    """
    check_index(index, len(items))
    return items[index]()


@node(category="control", spec=specs.gate)
def gate(value: Lazy[T], open: bool = True, reason: str = "the gate is shut") -> T | Blocked:
    """Let a value through, or block everything that needs it

    While it is shut the value is not computed. Nodes that need a blocked value do not run, and write nothing.

    value: passed on unchanged.
    open: whether it is passed on.
    reason: what blocked nodes say.
    """
    return value() if open else Blocked(reason)


@node(category="control", spec=specs.nothing)
def nothing(reason: str = "nothing is here") -> Blocked:
    """Stand where a value would be

    It fits every input; nodes that need it do not run, and write nothing.

    reason: what blocked nodes say.
    """
    return Blocked(reason)


@node(category="control", spec=specs.fallback)
def fallback(value: T | Blocked, otherwise: Lazy[T]) -> T:
    """Go on with something else where a value is blocked

    value: passed on unless it is blocked.
    otherwise: computed and taken when it is.
    """
    return otherwise() if isinstance(value, Blocked) else value


@node(category="control", spec=specs.collect)
def collect(items: list[T | Blocked]) -> list[T]:
    """Make a list of what is there

    items: those that are blocked are left out.
    """
    return [item for item in items if not isinstance(item, Blocked)]
