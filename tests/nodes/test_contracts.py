"""docs/contracts.md against the classes and the declarations of the nodes: nothing missing, nothing stale."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import pytest
from pydantic import BaseModel, Field

from nodegraph import PathOf, Seed
from nodegraph.catalog import Catalog
from nodegraph.definition import NodeDefinition
from nodegraph.ports.annotations import port_type
from nodegraph.ports.literals import problems
from nodegraph.ports.types import PortType, WireType, path_kinds
from nodegraph.ports.wire import wire_class
from nodegraph.workflow.graph import Written, parse_source
from nodes import types as wire_types
from nodes.adapters.controlnet import ControlNet
from nodes.adapters.lora import Lora
from nodes.training.icon_data import IconData, IconEntry
from nodes.training.trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher

PAGE = Path(__file__).parents[2] / "docs" / "contracts.md"
TYPES = {name: getattr(wire_types, name) for name in wire_types.__all__} | {
    cls.__name__: cls
    for cls in (ControlNet, Lora, IconData, IconEntry, LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher)
}
WIRES = {name: cls for name, cls in TYPES.items() if wire_class(cls) is not None}


@cache
def sections() -> dict[str, str]:
    """The text below each heading, by heading."""
    parts = re.split(r"^#{2,3} (.+)\n", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of the table whose first heading is `first`."""
    lines = iter(text.splitlines())
    if not any(line.startswith(f"| {first} |") for line in lines):
        return []
    next(lines)
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        table.append([cell.strip().replace("\\|", "|") for cell in cells])
    return table


def codes(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def named(text: str, label: str) -> set[str]:
    """The names in the line that begins with `label`."""
    line = next(line for line in text.splitlines() if line.startswith(f"{label}:"))
    assert codes(line) or line == f"{label}: none.", line
    return set(codes(line))


def test_every_type_has_its_section() -> None:
    written = [name for name in sections() if re.fullmatch("[A-Z][A-Za-z]+", name)]
    assert sorted(written) == sorted(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_the_fields_are_those_of_the_class(name: str) -> None:
    cls = TYPES[name]
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    annotations = {field.name: str(field.type).replace("'", '"') for field in fields}
    table = rows(sections()[name], "field")
    assert {codes(field)[0]: codes(annotation)[0] for field, annotation, _ in table} == annotations
    assert all(meaning for _, _, meaning in table)


@pytest.mark.parametrize("name", WIRES)
def test_the_methods_that_families_write_are_listed(name: str) -> None:
    members = vars(WIRES[name])
    abstract = {each for each, member in members.items() if getattr(member, "__isabstractmethod__", False)}
    listed = [codes(member)[0] for member, _ in rows(sections()[name], "member")]
    assert abstract <= set(listed) <= set(members)


@pytest.mark.parametrize("name", WIRES)
def test_portable_or_resident(name: str) -> None:
    note = wire_class(WIRES[name])
    assert note is not None
    assert sections()[name].strip().split(".")[0] == ("Portable" if note.portable else "Resident")


def wires_in(port: PortType) -> Iterator[str]:
    """The ids of the wire types in `port`, bases included."""
    if isinstance(port, WireType):
        yield from (port.id, *port.bases)
    for part in (*getattr(port, "members", ()), *getattr(port, "arguments", ()), getattr(port, "item", None)):
        if part is not None:
            yield from wires_in(part)


def who(catalog: Catalog, name: str, ports: Callable[[NodeDefinition], list[PortType]]) -> set[str]:
    note = wire_class(WIRES[name])
    assert note is not None
    own = [each for each in catalog.values() if each.pack == "nodes"]
    assert len(own) >= 17
    return {each.id for each in own if any(note.id in wires_in(port) for port in ports(each))}


@pytest.mark.parametrize("name", WIRES)
def test_makers_and_takers_are_listed(catalog: Catalog, name: str) -> None:
    text = sections()[name]
    assert named(text, "Made by") == who(catalog, name, lambda node: [port.type for port in node.outputs])
    assert named(text, "Taken by") == who(catalog, name, lambda node: [port.type for port in node.inputs])


def namespace() -> dict[str, Any]:
    """The names that annotations on the page use: typing's, the wire types', and those of the page's own example."""
    names: dict[str, Any] = {
        **TYPES,
        **{each.__name__: each for each in (BaseModel, Path, PathOf, enum.Enum)},
        "Annotated": Annotated,
        "Field": Field,
        "Literal": Literal,
        "Seed": Seed,
        "T": TypeVar("T"),
        "__name__": "contracts",
    }
    example = re.search(r"```python\n(.*?)```", sections()["Values that can be written"], re.DOTALL)
    assert example is not None
    exec(compile(example[1], PAGE.name, "exec", dont_inherit=True), names)
    return names


VALUES = rows(sections()["Values that can be written"], "kind")


@pytest.mark.parametrize("row", VALUES, ids=[each[1] for each in VALUES])
def test_values_are_taken_and_refused_as_written(row: list[str]) -> None:
    kind, annotation, taken, refused, _ = row
    port = port_type(eval(codes(annotation)[0], namespace()))
    assert port.kind == kind or (kind == "none" and kind in [each.kind for each in getattr(port, "members", ())])
    for text, fits in [*((each, True) for each in codes(taken)), *((each, False) for each in codes(refused))]:
        source = parse_source(json.loads(text))
        assert isinstance(source, Written)
        assert (problems(port, source.value) == []) is fits, text


def test_every_kind_of_value_is_on_the_page() -> None:
    members = get_args(get_args(PortType)[0])
    kinds = {kind for member in members for kind in get_args(member.model_fields["kind"].annotation)}
    assert {row[0] for row in VALUES} == kinds


def test_the_kinds_of_files_are_those_of_the_nodes(catalog: Catalog) -> None:
    own = [each for each in catalog.values() if each.pack == "nodes"]
    used = {kind for each in own for port in each.inputs for kind in path_kinds(port.type)}
    line = next(
        line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("The built-in nodes name files")
    )
    assert set(codes(line)) == used
