"""Values written by hand in a workflow: checked against a port type, without node code and without coercion.

One normalisation exists, because JSON has one kind of number: a whole number written for a float is that float.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from .types import (
    AnyType,
    ChoiceType,
    Limits,
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

MAX_DEPTH = 200
"""Lists and objects inside one another; files with more are refused when they are read."""

_PYTHON = {"int": int, "float": float, "bool": bool, "str": str}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a written value does not do; `where` is its place inside the value, such as `[2].size`."""

    reason: str
    remedy: str = ""
    where: str = ""

    def inside(self, place: str) -> Problem:
        """The same problem seen from the value around it."""
        return Problem(self.reason, self.remedy, place + self.where)


def problems(port: PortType, value: JsonValue) -> list[Problem]:
    """Everything that is wrong with `value` for `port`; empty when it fits."""
    return list(_problems(port, value))


def normalise(port: PortType, value: JsonValue) -> JsonValue:
    """`value` as the port's type spells it: whole numbers written for a float become floats, recursively.

    The value must fit (`problems` is empty).
    """
    match port:
        case ScalarType(kind="float") if type(value) is int:
            return float(value)
        case ListType(item=item) if isinstance(value, list):
            return [normalise(item, each) for each in value]
        case MapType(item=item) if isinstance(value, dict):
            return {name: normalise(item, each) for name, each in value.items()}
        case ModelType(fields=fields) if isinstance(value, dict):
            return {field.name: normalise(field.type, value.get(field.name, field.default)) for field in fields}
        case UnionType(members=members):
            fitting = (member for member in by_exactness(members, value) if not problems(member, value))
            return normalise(next(fitting, NoneType()), value)
        case _:
            return value


def scalar_problem(port: ScalarType, value: object) -> Problem | None:
    """Why a value of the port's Python type does not do: its limits, or a number that no finite float holds."""
    if port.kind == "float" and isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
        return Problem("it is not a finite number", "give a finite number")
    if isinstance(value, str) and not _is_text(value):
        return Problem("it holds half a character (a lone surrogate)", "write it as UTF-8")
    return limit_problem(port.limits, value)


def limit_problem(limits: Limits | None, value: object) -> Problem | None:
    """How a number, text or list breaks `limits`, or None."""
    if limits is None:
        return None
    if isinstance(value, int | float):
        return _number_problem(limits, value)
    if isinstance(value, str | list):
        return _length_problem(limits, value)
    return None


def _number_problem(limits: Limits, value: float) -> Problem | None:
    broken = (
        (limits.ge is not None and value < limits.ge)
        or (limits.gt is not None and value <= limits.gt)
        or (limits.le is not None and value > limits.le)
        or (limits.lt is not None and value >= limits.lt)
    )
    if broken:
        return Problem("it is out of range", f"give a number {_range(limits)}")
    if limits.multiple_of is not None and not _is_multiple(value, limits.multiple_of):
        return Problem(f"it is no multiple of {limits.multiple_of}", f"give a multiple of {limits.multiple_of}")
    return None


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    return abs(math.remainder(value, step)) <= abs(value) * 1e-9  # 0.3 is three times 0.1


def _range(limits: Limits) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    parts = [f"{word} {getattr(limits, name)}" for name, word in words.items() if getattr(limits, name) is not None]
    return " and ".join(parts)


def _length_problem(limits: Limits, value: str | list[object]) -> Problem | None:
    noun = "characters" if isinstance(value, str) else "items"
    if limits.min_length is not None and len(value) < limits.min_length:
        return Problem(f"it has {len(value)} {noun}", f"give at least {limits.min_length}")
    if limits.max_length is not None and len(value) > limits.max_length:
        return Problem(f"it has {len(value)} {noun}", f"give at most {limits.max_length}")
    if limits.pattern is not None and isinstance(value, str) and not re.search(limits.pattern, value):
        return Problem("it does not have the form asked for", f"it must match {limits.pattern}")
    return None


def _problems(port: PortType, value: JsonValue) -> Iterator[Problem]:
    match port:
        case ScalarType(kind=kind):
            if not _is_a(kind, value):
                yield Problem(f"it is {_json_name(value)}, not {kind}", f"write {_example(kind)}")
            elif problem := scalar_problem(port, value):
                yield problem
        case NoneType():
            if value is not None:
                yield Problem(f"it is {_json_name(value)}, not null")
        case VariableType(bound=bound) if bound is not None:
            yield from _problems(bound, value)
        case AnyType() | VariableType():
            if not _is_json(value, MAX_DEPTH):
                yield Problem(
                    "it holds a number that is not finite, a text that is no UTF-8, or too many lists in one another",
                    "give what a workflow file can hold",
                )
        case ChoiceType():
            if not port.offers(value):
                yield Problem("it is not offered", f"choose {describe(port)}")
        case PathType(of=kind):
            yield from _path_problems(kind, value)
        case WireType():
            yield Problem(f"{describe(port)} cannot be written by hand", "wire it from a node that makes one")
        case _:
            yield from _nested_problems(port, value)


def _nested_problems(port: PortType, value: JsonValue) -> Iterator[Problem]:
    match port:
        case ListType(item=item, limits=limits):
            if not isinstance(value, list):
                yield Problem(f"it is {_json_name(value)}, not a list", "write it in [ ]")
                return
            if problem := limit_problem(limits, value):
                yield problem
            for index, each in enumerate(value):
                yield from (problem.inside(f"[{index}]") for problem in _problems(item, each))
        case MapType(item=item):
            if not isinstance(value, dict):
                yield Problem(f"it is {_json_name(value)}, not an object", 'write it as {"value": {...}}')
                return
            for name, each in value.items():
                yield from (problem.inside(f".{name}") for problem in _problems(item, each))
        case ModelType():
            yield from _model_problems(port, value)
        case UnionType(members=members):
            found = [problems(member, value) for member in by_exactness(members, value)]
            if all(found):
                same_kind = [
                    each
                    for member, each in zip(by_exactness(members, value), found, strict=True)
                    if isinstance(member, ScalarType) and _is_a(member.kind, value)
                ]
                yield same_kind[0][0] if same_kind else Problem(f"it is not {describe(port)}", found[0][0].remedy)


def _model_problems(port: ModelType, value: JsonValue) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(f"it is {_json_name(value)}, not an object", 'write it as {"value": {...}}')
        return
    known = {field.name: field for field in port.fields}
    for name in value.keys() - known.keys():
        yield Problem("there is no such field", f"the fields are {', '.join(known)}", f".{name}")
    for name, field in known.items():
        if name in value:
            yield from (problem.inside(f".{name}") for problem in _problems(field.type, value[name]))
        elif field.required:
            yield Problem("the field is missing", f"give it as {describe(field.type)}", f".{name}")


def _path_problems(kind: str, value: JsonValue) -> Iterator[Problem]:
    if not isinstance(value, str) or not value:
        yield Problem(f"it is {_json_name(value)}, not a file name", f"name a {kind} file")
        return
    parts = re.split(r"[/\\]", value)
    if value[0] in "/\\" or re.match(r"[A-Za-z]:[/\\]", value):
        yield Problem("absolute paths are not allowed in a workflow", f"name a file inside the {kind} folders")
    elif not _is_text(value):
        yield Problem("the name is no UTF-8", f"name a {kind} file in UTF-8")
    elif ".." in parts or "\0" in value:
        yield Problem("the name leaves its folder", f"name a file inside the {kind} folders, without '..'")


def _is_json(value: JsonValue, depth: int) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case str():
            return _is_text(value)
        case list():
            return depth > 0 and all(_is_json(each, depth - 1) for each in value)
        case dict():
            return depth > 0 and all(_is_json(each, depth - 1) for each in (*value, *value.values()))
        case _:
            return True


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_a(kind: str, value: JsonValue) -> bool:
    return type(value) is _PYTHON[kind] or (kind == "float" and type(value) is int)


def by_exactness(members: tuple[PortType, ...], value: JsonValue) -> list[PortType]:
    """The members, those first whose Python type is exactly the value's (so that 1 in `float | int` is an int)."""
    return sorted(
        members, key=lambda member: not (isinstance(member, ScalarType) and type(value) is _PYTHON[member.kind])
    )


def _json_name(value: JsonValue) -> str:
    names = {type(None): "null", bool: "a truth value", int: "a whole number", float: "a number", str: "a text"}
    return names.get(type(value), "a list" if isinstance(value, list) else "an object")


def _example(kind: str) -> str:
    return {"int": "a whole number", "float": "a number", "bool": "true or false", "str": 'a text in " "'}[kind]
