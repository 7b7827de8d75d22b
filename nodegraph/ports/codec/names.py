"""Classes by name, and what the fields of a structured value are."""

import dataclasses
import importlib
import sys
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING

from .errors import Undecodable

if TYPE_CHECKING:
    from pydantic import BaseModel

DEEPEST = 200
"""Values nested deeper than this are refused. It also catches values that contain themselves."""


def class_name(kind: type) -> str:
    """Return the name under which stored data cite a class."""
    return f"{kind.__module__}:{kind.__qualname__}"


def is_importable(kind: type) -> bool:
    """Whether another process finds exactly this class under its name."""
    if kind.__module__ == "__main__":
        return False
    found: object = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is kind


def import_class(name: str) -> type:
    """Import the module and return the class that stored data cite."""
    module, _, qualname = name.partition(":")
    if not module or not qualname or module == "__main__":
        raise Undecodable(f"{name!r} names no class of an importable module")
    try:
        found = reduce(getattr, qualname.split("."), importlib.import_module(module))
    except Exception as error:  # foreign code runs when its module is imported
        raise Undecodable(f"the class {name} cannot be imported: {error!r}") from error
    if not isinstance(found, type):
        raise Undecodable(f"{name} is {found!r}, not a class")
    return found


def is_named_tuple(kind: type) -> bool:
    """Whether a class was made by NamedTuple or namedtuple."""
    return issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)


def is_model(kind: type) -> bool:
    """Whether a class is a pydantic model. Where pydantic is not loaded there is none."""
    base = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    return base is not None and issubclass(kind, base)


def tag_of_class(kind: type) -> str | None:
    """Return the type tag of a class whose instances are values with named parts; None for every other class."""
    if issubclass(kind, Enum):
        return "enum"
    if dataclasses.is_dataclass(kind):
        return "dataclass"
    if is_model(kind):
        return "model"
    return "named" if is_named_tuple(kind) else None


def field_names(kind: type, tag: str) -> tuple[str, ...]:
    """Return the names of the parts of a dataclass, NamedTuple or pydantic model, in order."""
    if tag == "dataclass":
        return tuple(field.name for field in dataclasses.fields(kind))
    if tag == "model":
        return tuple(kind.model_fields)  # type: ignore[attr-defined]
    return tuple(kind._fields)  # type: ignore[attr-defined]


def model_state(model: "BaseModel") -> tuple[dict[str, object], object, list[str], object]:
    """Return a pydantic model's fields, extra values, names of the fields that were set, and private attributes."""
    state = model.__getstate__()
    values: dict[str, object] = state["__dict__"]
    fields = {name: values[name] for name in type(model).model_fields if name in values}
    names: set[str] = state["__pydantic_fields_set__"]
    return fields, state["__pydantic_extra__"], sorted(names), state["__pydantic_private__"]
