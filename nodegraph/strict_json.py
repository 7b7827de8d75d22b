"""What `json.loads` is given to refuse what it would read: numbers that are not finite, and names that occur twice."""

from __future__ import annotations

import math
from typing import Any, NoReturn


def finite(text: str) -> float:
    """The number that a text is; ValueError where it is too large to be one."""
    value = float(text)
    return value if math.isfinite(value) else refuse_constant(text)


def refuse_constant(name: str) -> NoReturn:
    """ValueError for NaN and infinity."""
    raise ValueError(f"{name} is no JSON value; numbers must be finite")


def unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object; ValueError where two have the same name."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} occurs twice in one object")
    return found
