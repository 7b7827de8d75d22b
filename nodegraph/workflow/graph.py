"""The graph behind a workflow file: what each input is fed from, with definitions at hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from ..definition import NodeDefinition


@dataclass(frozen=True, slots=True)
class Link:
    """A wire from an output of another node."""

    node: str
    output: str

    def __str__(self) -> str:
        return f"{self.node}.{self.output}"


@dataclass(frozen=True, slots=True)
class Written:
    """A value written by hand, or a default."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Gathered:
    """A list written by hand, some of whose items are wires."""

    items: tuple[Link | Written, ...]


Source: TypeAlias = Link | Written | Gathered

NODE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class BadLink(ValueError):
    """A wire that is not written as "node.output"."""


def parse_link(text: object) -> Link:
    """The link that "node.output" stands for; BadLink otherwise."""
    if isinstance(text, str):
        node, dot, output = text.rpartition(".")
        if dot and node and output:
            return Link(node, output)
    raise BadLink(f'a wire is written {{"from": "node.output"}}, not {text!r}')


def parse_source(value: JsonValue) -> Source:
    """What the value of an input in a workflow file means; BadLink when it is a malformed wire."""
    if isinstance(value, dict):
        return _parse_object(value)
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        items = tuple(_parse_object(each) if isinstance(each, dict) else Written(each) for each in value)
        if any(isinstance(item, Link) for item in items):
            return Gathered(items)
        return Written([item.value for item in items if isinstance(item, Written)])
    return Written(value)


def _parse_object(value: dict[str, JsonValue]) -> Link | Written:
    if value.keys() == {"from"}:
        return parse_link(value["from"])
    if value.keys() == {"value"}:
        return Written(value["value"])
    raise BadLink('an object is either a wire, {"from": "node.output"}, or a literal, {"value": ...}')


def links_of(source: Source) -> Iterator[Link]:
    """The wires in a source."""
    if isinstance(source, Link):
        yield source
    elif isinstance(source, Gathered):
        yield from (item for item in source.items if isinstance(item, Link))


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node of a checked graph; `sources` holds every input, defaults included, literals normalised."""

    name: str
    definition: NodeDefinition
    sources: Mapping[str, Source]

    def links(self) -> Iterator[Link]:
        """All wires into the node."""
        for source in self.sources.values():
            yield from links_of(source)


@dataclass(frozen=True, slots=True)
class Graph:
    """A valid workflow, ready to be planned: nodes in an order in which every wire points forward."""

    nodes: Mapping[str, GraphNode]
    outputs: Mapping[str, Link]
