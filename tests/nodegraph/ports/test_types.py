"""Port types: the one rule of what may flow where, and values that keep it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from nodegraph import wire
from nodegraph.ports.annotations import port_type
from nodegraph.ports.literals import normalise, problems
from nodegraph.ports.types import (
    AnyType,
    Bindings,
    ChoiceType,
    Limits,
    ListType,
    MapType,
    NoneType,
    PathType,
    PortType,
    ScalarType,
    UnionType,
    describe,
    has_variable,
    path_kinds,
    substitute,
    union,
    why_not,
)
from nodegraph.ports.values import misfit, to_argument

T = TypeVar("T")


@wire(portable=True, id="test.Base")
@dataclass(frozen=True)
class Base:
    value: int = 0


@wire(portable=True, id="test.Child")
@dataclass(frozen=True)
class Child(Base):
    pass


@wire(portable=False, id="test.Other")
class Other:
    pass


class Colour(Enum):
    RED = "red"
    BLUE = 2


class Size(BaseModel):
    width: float
    height: int | None = None


INT, FLOAT, BOOL, STR = (ScalarType(kind=kind) for kind in ("int", "float", "bool", "str"))  # type: ignore[arg-type]
BASE, CHILD, OTHER = map(port_type, (Base, Child, Other))
json_scalars = st.sampled_from([0, 1, True, False, 0.0, 1.0, 2.5, -3, "", "1", "a", "red"])
leaves = st.sampled_from([INT, FLOAT, BOOL, STR, NoneType(), port_type(Colour), port_type(Size), PathType(of="note")])
choices = st.builds(ChoiceType, values=st.lists(json_scalars, min_size=1, max_size=3).map(tuple))
wires = st.sampled_from([BASE, CHILD, OTHER, AnyType()])


def nested(inner: st.SearchStrategy[PortType]) -> st.SearchStrategy[PortType]:
    unions = st.lists(inner, min_size=2, max_size=3).map(union)
    return st.builds(ListType, item=inner) | st.builds(MapType, item=inner) | unions


writable = st.recursive(leaves | choices, nested, max_leaves=4)
types = st.recursive(leaves | choices | wires, nested, max_leaves=4)
json_values = st.recursive(
    st.none() | json_scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "width"]), inner, max_size=2),
    max_leaves=4,
)


def written(port: PortType) -> st.SearchStrategy[Any]:
    """JSON values that fit a type."""
    match port:
        case ScalarType(kind="float"):
            return st.integers(-5, 5) | st.floats(-5, 5)
        case ScalarType(kind=kind):
            return {"int": st.integers(-5, 5), "bool": st.booleans(), "str": st.text(max_size=2)}[kind]
        case ChoiceType(values=values):
            return st.sampled_from(values)
        case PathType():
            return st.just("a.txt")
        case ListType(item=item):
            return st.lists(written(item), max_size=2)
        case MapType(item=item):
            return st.dictionaries(st.text(max_size=1), written(item), max_size=2)
        case UnionType(members=members):
            return st.one_of(*map(written, members))
        case NoneType():
            return st.none()
        case _:
            sizes = {"width": st.integers(0, 5) | st.floats(0, 5)}
            return st.fixed_dictionaries(sizes, optional={"height": st.integers(0, 5) | st.none()})


def at_run_time(port: PortType) -> st.SearchStrategy[Any]:
    """Python values that a node may return for a type."""
    match port:
        case ListType(item=item):
            return st.lists(at_run_time(item), max_size=2)
        case MapType(item=item):
            return st.dictionaries(st.text(max_size=1), at_run_time(item), max_size=2)
        case UnionType(members=members):
            return st.one_of(*map(at_run_time, members))
        case AnyType():
            return st.none() | json_scalars | st.builds(object)
        case _ if port in (BASE, CHILD, OTHER):
            return st.builds({BASE: Base, CHILD: Child, OTHER: Other}[port])  # type: ignore[index]
        case _:
            return written(port).map(lambda value: to_argument(port, normalise(port, value), find))


def find(kind: str, name: str) -> Path:
    return Path("/files", kind, name)


@given(types)
def test_every_type_flows_into_itself(port: PortType) -> None:
    assert why_not(port, port) is None
    assert why_not(port, port.model_copy(deep=True)) is None


@given(types)
def test_types_are_data(port: PortType) -> None:
    adapter: TypeAdapter[PortType] = TypeAdapter(PortType)
    again = adapter.validate_json(adapter.dump_json(port))
    assert again == port
    assert repr(again) == repr(port)
    assert describe(port)


@given(types, types)
def test_a_type_flows_into_every_union_with_it(port: PortType, other: PortType) -> None:
    both = union([port, other])
    assert why_not(port, both) is None
    assert why_not(other, both) is None
    assert (why_not(both, port) is None) == (why_not(other, port) is None)
    assert union([both, port]) == both


@given(types, types)
def test_containers_are_covariant(given_type: PortType, wanted: PortType) -> None:
    fits = why_not(given_type, wanted) is None
    assert (why_not(ListType(item=given_type), ListType(item=wanted)) is None) == fits
    assert (why_not(MapType(item=given_type), MapType(item=wanted)) is None) == fits


def samples() -> list[PortType]:
    """Types of every kind, many of which may flow into another."""
    literals = [
        port_type(each) for each in (Literal[1], Literal[True], Literal[1.5, 1], Literal["a"], Literal["a", "b"])
    ]
    plain = [INT, FLOAT, BOOL, STR, NoneType(), AnyType(), BASE, CHILD, OTHER, port_type(Colour), port_type(Size)]
    whole = [*literals, *plain, PathType(of="note")]
    unions = [union(pair) for pair in ((INT, STR), (FLOAT, NoneType()), (INT, NoneType()), (CHILD, INT), (BASE, FLOAT))]
    return [
        *whole,
        *unions,
        *(ListType(item=each) for each in [*whole, *unions]),
        MapType(item=INT),
        MapType(item=FLOAT),
    ]


SAMPLES = samples()
FITTING = [(source, target) for source, target in product(SAMPLES, SAMPLES) if why_not(source, target) is None]


def test_what_flows_on_may_also_flow_at_once() -> None:
    onward = {repr(source): [target for first, target in FITTING if first is source] for source in SAMPLES}
    assert len(FITTING) > 150
    for source, middle in FITTING:
        for target in onward[repr(middle)]:
            assert why_not(source, target) is None, (source, middle, target)


@settings(max_examples=400)
@given(st.sampled_from(FITTING), st.data())
def test_a_wire_that_is_allowed_carries_only_values_that_fit(
    wired: tuple[PortType, PortType], data: st.DataObject
) -> None:
    given_type, wanted = wired
    value = data.draw(at_run_time(given_type))
    assert misfit(given_type, value) is None
    assert misfit(wanted, value) is None


@given(st.data())
def test_a_written_value_that_fits_becomes_an_argument_that_fits(data: st.DataObject) -> None:
    port = data.draw(writable)
    value = data.draw(written(port))
    assert problems(port, value) == []
    normal = normalise(port, value)
    assert problems(port, normal) == []
    assert json.dumps(normalise(port, normal)) == json.dumps(normal)
    assert json.loads(json.dumps(normal)) == normal
    assert misfit(port, to_argument(port, normal, find)) is None


json_only = st.recursive(
    st.sampled_from([INT, FLOAT, BOOL, STR, NoneType()]) | choices,
    nested,
    max_leaves=4,
)


@given(json_only, json_values)
def test_written_and_wired_values_are_judged_alike(port: PortType, value: Any) -> None:
    assert (problems(port, value) == []) == (misfit(port, value) is None)


@given(writable, json_values)
def test_problems_never_raise_and_say_something(port: PortType, value: Any) -> None:
    for problem in problems(port, value):
        assert problem.reason


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        (INT, FLOAT, None),
        (FLOAT, INT, "float is not int"),
        (BOOL, INT, "bool is not int"),
        (INT, BOOL, "int is not bool"),
        (INT, STR, "int is not str"),
        (NoneType(), INT, "none is not int"),
        (CHILD, BASE, None),
        (BASE, CHILD, "Base is not Child"),
        (BASE, OTHER, "Base is not Other"),
        (BASE, AnyType(), None),
        (AnyType(), BASE, "nothing is known about it, and Base is needed"),
        (BASE, ListType(item=BASE), "a list is wanted; write [Base] as a list of one"),
        (ListType(item=CHILD), ListType(item=BASE), None),
        (ListType(item=BASE), ListType(item=CHILD), "its items do not fit: Base is not Child"),
        (MapType(item=BASE), MapType(item=CHILD), "its values do not fit: Base is not Child"),
        (INT, UnionType(members=(INT, STR)), None),
        (UnionType(members=(INT, STR)), INT, "it may be str, and str is not int"),
        (UnionType(members=(INT, NoneType())), UnionType(members=(NoneType(), FLOAT)), None),
        (BASE, UnionType(members=(INT, STR)), "Base is none of int | str"),
        (port_type(Literal["a"]), port_type(Literal["a", "b"]), None),
        (port_type(Literal["a", "b"]), port_type(Literal["a"]), "it may be 'b', which is not offered"),
        (port_type(Literal["a"]), STR, None),
        (port_type(Literal["a", 1]), STR, "its choices are int, str, not str"),
        (port_type(Literal[1, 2]), FLOAT, None),
        (port_type(Literal[1]), port_type(Literal[True]), "it may be 1, which is not offered"),
        (STR, port_type(Literal["a"]), "any str might arrive, but only 'a' will do"),
        (port_type(Colour), port_type(Literal["red", 2]), "they are two enums"),
        (PathType(of="note"), PathType(of="image"), "note file is not image file"),
        (PathType(of="note"), STR, "note file is not str"),
    ],
)
def test_what_may_flow_where(source: PortType, target: PortType, reason: str | None) -> None:
    assert why_not(source, target) == reason


def test_variables_take_what_arrives_and_join_it() -> None:
    variable, items = port_type(T), port_type(list[T])
    bindings: Bindings = {}
    assert why_not(ListType(item=CHILD), items, bindings) is None
    assert why_not(INT, variable, bindings) is None
    assert substitute(items, bindings) == ListType(item=union([CHILD, INT]))
    assert substitute(variable, {}) == AnyType()
    assert has_variable(items)
    assert not has_variable(substitute(items, bindings))


def test_a_bound_limits_a_variable() -> None:
    variable = port_type(TypeVar("B", bound=Base))
    bindings: Bindings = {}
    assert why_not(CHILD, variable, bindings) is None
    assert substitute(variable, bindings) == CHILD
    assert why_not(INT, variable) == "B must be Base: int is not Base"
    assert problems(variable, 1)[0].reason == "Base cannot be written by hand"


def test_file_kinds_are_found_at_any_depth() -> None:
    port = union([ListType(item=PathType(of="a")), MapType(item=PathType(of="b")), NoneType()])
    assert path_kinds(port) == ["a", "b"]


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        (Limits(ge=1, le=3), [1, 3], [0, 4]),
        (Limits(gt=1, lt=3), [2], [1, 3]),
        (Limits(ge=0.5), [1, 10**400], [0]),
        (Limits(multiple_of=8), [0, 8, -16, 8 * 10**400], [4, 2**60 + 1, 10**400 + 1]),
    ],
)
def test_limits_of_whole_numbers(limits: Limits, good: list[int], bad: list[int]) -> None:
    port = ScalarType(kind="int", limits=limits)
    for values, fits in ((good, True), (bad, False)):
        for value in values:
            assert (problems(port, value) == []) == fits, value
            assert (misfit(port, value) is None) == fits, value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), 10**400, -(10**400)],
    ids=["nan", "inf", "-inf", "huge", "-huge"],
)
@pytest.mark.parametrize("limits", [None, Limits(ge=0), Limits(multiple_of=0.5)])
def test_no_float_is_endless(value: float, limits: Limits | None) -> None:
    port = ScalarType(kind="float", limits=limits)
    assert problems(port, value)
    assert misfit(port, value)


def test_steps_of_a_float_forgive_rounding() -> None:
    port = ScalarType(kind="float", limits=Limits(multiple_of=0.1))
    assert [value for value in (0.0, 0.1, 0.3, 0.7, 1.1, 123.4, 1) if problems(port, value)] == []
    assert [value for value in (0.05, 0.31, 123.45) if not problems(port, value)] == []


def nested_lists(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    "value",
    [float("nan"), [float("inf")], {"a": [1, -float("inf")]}, "\ud800", {"\ud800": 1}, nested_lists(5000)],
    ids=["nan", "inf", "-inf", "half", "half name", "deep"],
)
def test_what_no_file_can_hold_is_refused_everywhere(value: Any) -> None:
    assert problems(AnyType(), value)
    assert problems(AnyType(), [1, 1.5, {"a": sys.float_info.max}]) == []


def test_a_whole_number_wired_into_a_float_fits() -> None:
    assert misfit(FLOAT, 3) is None
    assert misfit(FLOAT, True) == "it is bool, not float"
    assert misfit(INT, 3.0) == "it is float, not int"
