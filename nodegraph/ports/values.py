"""Values at run time: from what a workflow says to Python arguments, and what a node returned against its ports."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue

from .literals import by_exactness, limit_problem, problems, scalar_problem
from .types import (
    AnyType,
    ChoiceType,
    ListType,
    MapType,
    ModelType,
    NoneType,
    PathType,
    PortType,
    ScalarType,
    UnionType,
    VariableType,
    WireType,
    describe,
)
from .wire import wire_class

ResolveFile = Callable[[str, str], Path]
"""From kind and name to an existing file."""

_PYTHON: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (float, int), "bool": (bool,), "str": (str,)}


def to_argument(port: PortType, value: JsonValue, resolve: ResolveFile) -> Any:
    """The Python value that a node function receives for a normalised written value."""
    match port:
        case ChoiceType(enum=str(name)):
            return _class(name)(value)
        case PathType(of=kind) if isinstance(value, str):
            return resolve(kind, value)
        case ListType(item=item) if isinstance(value, list):
            return [to_argument(item, each, resolve) for each in value]
        case MapType(item=item) if isinstance(value, dict):
            return {name: to_argument(item, each, resolve) for name, each in value.items()}
        case ModelType(id=name, fields=fields) if isinstance(value, dict):
            types = {field.name: field.type for field in fields}
            return _class(name)(**{each: to_argument(types[each], value[each], resolve) for each in value})
        case UnionType(members=members):
            fitting = (member for member in by_exactness(members, value) if not problems(member, value))
            return to_argument(next(fitting), value, resolve)
        case _:
            return value


def misfit(port: PortType, value: object) -> str | None:
    """Why a run-time value does not belong to a port, or None when it does."""
    match port:
        case ScalarType(kind=kind):
            if type(value) not in _PYTHON[kind]:
                return f"it is {_class_name(value)}, not {kind}"
            problem = scalar_problem(port, value)
            return f"{problem.reason}; {problem.remedy}" if problem else None
        case AnyType():
            return None
        case VariableType(bound=bound):
            return misfit(bound, value) if bound is not None else None
        case NoneType():
            return None if value is None else f"it is {_class_name(value)}, not None"
        case ListType(item=item, limits=limits):
            if not isinstance(value, list):
                return f"it is {_class_name(value)}, not a list"
            if problem := limit_problem(limits, value):
                return f"{problem.reason}; {problem.remedy}"
            reasons = ((index, misfit(item, each)) for index, each in enumerate(value))
            return next((f"item {index}: {reason}" for index, reason in reasons if reason), None)
        case MapType(item=item):
            if not isinstance(value, dict):
                return f"it is {_class_name(value)}, not a dict"
            named = ((name, misfit(item, each)) for name, each in value.items())
            return next((f"{name!r}: {reason}" for name, reason in named if reason), None)
        case UnionType(members=members):
            return None if any(misfit(each, value) is None for each in members) else _not(port, value)
        case _:
            return None if _belongs(port, value) else _not(port, value)


def _belongs(port: PortType, value: object) -> bool:
    match port:
        case ChoiceType(enum=None):
            return port.offers(value)
        case ChoiceType(enum=name):
            return isinstance(value, enum.Enum) and _path_of(type(value)) == name
        case PathType():
            return isinstance(value, Path)
        case WireType(id=name):
            notes = (wire_class(base) for base in type(value).__mro__)
            return any(note is not None and note.id == name for note in notes)
        case ModelType(id=name):
            return isinstance(value, BaseModel) and any(_path_of(base) == name for base in type(value).__mro__)
        case _:
            return False


def _not(port: PortType, value: object) -> str:
    return f"it is {_class_name(value)}, not {describe(port)}"


def _class_name(value: object) -> str:
    return type(value).__name__


def _path_of(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _class(path: str) -> Any:
    module, _, qualname = path.partition(":")
    found: Any = import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found
