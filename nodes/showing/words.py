"""Numbers, sizes and settings in words."""

from __future__ import annotations

import dataclasses
import re

from torch import nn

from nodegraph.ports.glimpse import Number

KINDS = {1: "grey", 3: "RGB", 4: "RGBA"}


def counted(number: int, name: str) -> str:
    """`1 picture`, `2 pictures`."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def parameters(count: int) -> str:
    """`3.2 M parameters`."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= limit:
            return f"{count / limit:.3g} {unit} parameters"
    return f"{count} parameters"


def class_words(value: object) -> str:
    """The name of a value's class in words: `Euler ancestral`; names with abbreviations, such as `DiT`, stay."""
    name = type(value).__name__
    words = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    return words.capitalize() if words != name else name


def settings_of(value: object) -> dict[str, Number]:
    """The plain fields of a dataclass."""
    if not dataclasses.is_dataclass(value):
        return {}
    found = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return {name: each for name, each in found.items() if isinstance(each, bool | int | float | str) and each != ""}


def in_words(value: object) -> str:
    """A dataclass by its class and plain fields: `Free U (b1 1.3, b2 1.4)`."""
    settings = ", ".join(f"{name} {each}" for name, each in settings_of(value).items())
    return f"{class_words(value)} ({settings})" if settings else class_words(value)


def networks_in(value: object, depth: int = 3) -> list[nn.Module]:
    """The networks that a dataclass holds, also within tuples and other dataclasses; each once."""
    found: dict[int, nn.Module] = {}
    waiting: list[tuple[object, int]] = [(value, depth)]
    while waiting:
        each, left = waiting.pop(0)
        if isinstance(each, nn.Module):
            found[id(each)] = each
        elif isinstance(each, tuple | list):
            waiting += [(one, left) for one in each]
        elif dataclasses.is_dataclass(each) and left:
            waiting += [(getattr(each, field.name), left - 1) for field in dataclasses.fields(each)]
    return list(found.values())
