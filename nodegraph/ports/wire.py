"""`@wire`: makes a class a type that may travel on a wire."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

C = TypeVar("C", bound=type)

_NOTE = "__wire__"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WireClass:
    """What `@wire` notes on a class."""

    id: str
    portable: bool
    shown: str = ""


def wire(*, portable: bool, id: str | None = None, shown: str = "") -> Callable[[C], C]:
    """Declare a class as a wire type.

    portable: True for values that are stored and sent bit-exactly (images, latents); the class must then be a frozen
        dataclass. False for residents (models, guiders), which are rebuilt from their recipe where needed.
    id: the name under which types are compared; by default the top-level package and the class name.
    shown: `module:Class` of what shows values to people; it is made of a value and has `glimpse` and, where there is
        something to see, `picture`. The class itself may have these, too; but what is elsewhere may change without
        making stored results stale. It is imported when somebody looks.
    """

    def mark(cls: C) -> C:
        parameters = getattr(cls, "__dataclass_params__", None)
        if portable and not getattr(parameters, "frozen", False):
            raise TypeError(f"{cls.__qualname__} is declared portable, so it must be a dataclass with frozen=True")
        name = id or f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"
        setattr(cls, _NOTE, WireClass(id=name, portable=portable, shown=shown))
        return cls

    return mark


def wire_class(cls: object) -> WireClass | None:
    """What `@wire` noted on exactly this class, or None."""
    found = vars(cls).get(_NOTE) if isinstance(cls, type) else None
    return found if isinstance(found, WireClass) else None


def wire_bases(cls: type) -> tuple[str, ...]:
    """The ids of the wire classes that `cls` extends, nearest first."""
    notes = (wire_class(base) for base in cls.__mro__[1:])
    return tuple(note.id for note in notes if note is not None)
