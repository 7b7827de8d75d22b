"""What the nodes of this pack will give. Plain values that are known already are computed here and now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodegraph import InvalidInput
from nodegraph.ports.flow import Blocked
from nodegraph.spec import Predicted, Unknown, has_unknown


def switch(condition: bool, on_true: object, on_false: object) -> Predicted:
    """The branch that is taken."""
    taken = on_true if condition else on_false
    return Predicted({"result": taken}, asks=("on_true" if condition else "on_false",))


def select(items: object, index: int) -> Predicted:
    """The item that is taken."""
    if not isinstance(items, list):
        return Predicted({"result": items})
    check_index(index, len(items))
    return Predicted({"result": items[index]}, asks=(f"items[{index}]",))


def check_index(index: int, count: int) -> None:
    """InvalidInput where there is no item of that number."""
    if index >= count:
        raise InvalidInput("index", index, f"there are {count} items", "count from 0 and stay below that")


def gate(value: object, open: bool, reason: str) -> Predicted:
    """The value, or what stands for it while the gate is shut."""
    return Predicted({"result": value if open else Blocked(reason)}, asks=("value",) if open else ())


def nothing(reason: str) -> Predicted:
    """What stands for it."""
    return Predicted({"result": Blocked(reason)})


def fallback(value: object, otherwise: object) -> Predicted:
    """The value, unless it is blocked."""
    if isinstance(value, Unknown):  # it may turn out to be blocked
        return Predicted({"result": value})
    blocked = isinstance(value, Blocked)
    return Predicted({"result": otherwise if blocked else value}, asks=("otherwise",) if blocked else ())


def collect(items: object) -> Predicted:
    """What is there of the items."""
    if unknown := has_unknown(items):
        return Predicted({"result": unknown})
    assert isinstance(items, list)
    return Predicted({"result": [each for each in items if not isinstance(each, Blocked)]})


def value(value: object) -> Predicted:
    """The same."""
    return Predicted({"result": value})


def integers(first: int, count: int, step: int) -> Predicted:
    """The list."""
    return _computed("result", "integers", first=first, count=count, step=step)


def numbers(first: float, last: float, count: int) -> Predicted:
    """The list."""
    return _computed("result", "numbers", first=first, last=last, count=count)


def lines(text: str) -> Predicted:
    """The list."""
    return _computed("result", "lines", text=text)


def item(items: object, index: int) -> Predicted:
    """The item that is taken."""
    if isinstance(items, Unknown):
        return Predicted({"result": items})
    return _computed("result", "item", items=items, index=index)


def length(items: object) -> Predicted:
    """How many there are, also where it is not known which."""
    if isinstance(items, Unknown):
        return Predicted({"value": items})
    return _computed("value", "length", items=items)


def compare(a: float, b: float, how: str) -> Predicted:
    """The answer."""
    return _computed("value", "compare", a=a, b=b, how=how)


def calculate(a: float, b: float, how: str) -> Predicted:
    """The number."""
    return _computed("value", "calculate", a=a, b=b, how=how)


def join_texts(texts: list[str], separator: str) -> Predicted:
    """The text."""
    return _computed("text", "join_texts", texts=texts, separator=separator)


def _computed(output: str, name: str, **inputs: Any) -> Predicted:
    """What the node of that name gives: it needs nothing but its inputs and no time."""
    from . import values

    function: Callable[..., object] = getattr(values, name)
    return Predicted({output: function(**inputs)})
