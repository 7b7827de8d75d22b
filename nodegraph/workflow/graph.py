"""The graph behind a workflow file: what each input is fed from, with definitions at hand."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a round of a loop is given under this name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A value at hand, with the key of its recipe or of its content."""

    value: Any
    key: str


FileSource: TypeAlias = Link | Written | Gathered
"""What a workflow file can say."""

Source: TypeAlias = FileSource | Parameter | Given

NODE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class BadLink(ValueError):
    """A wire that is not written as "node.output"."""


def parse_link(text: object) -> Link:
    """The link that "node.output" stands for; BadLink otherwise."""
    if isinstance(text, str):
        node, dot, output = text.rpartition(".")
        if dot and node and output:
            return Link(node, sys.intern(output))
    raise BadLink(f'a wire is written {{"from": "node.output"}}, not {text!r}')


def parse_source(value: JsonValue) -> FileSource:
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


def below(source: Source, prefix: str) -> Source:
    """A source whose wires come from nodes called `prefix/` and their name."""
    match source:
        case Link(node=node, output=output):
            return Link(f"{prefix}/{node}", output)
        case Gathered(items=items):
            placed = (Link(f"{prefix}/{each.node}", each.output) if isinstance(each, Link) else each for each in items)
            return Gathered(tuple(placed))
        case _:
            return source


@dataclass(frozen=True, eq=False)
class Loop:
    """What a node of the type "for_each" or "repeat" runs in each round.

    body: its nodes have `Parameter` sources where the round gives something. written: the body as the file has it; in
    `body`, what is the same in every round was moved before the loop, whose results are parameters too. The rest as in
    `NodeEntry`.
    """

    kind: Literal["for_each", "repeat"]
    body: Graph
    written: Graph
    each: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    collect: tuple[str, ...] = ()
    until: str = ""
    index: str = ""

    @cached_property
    def eager(self) -> frozenset[str]:
        """The inputs that must be known before the first round can begin."""
        return frozenset(self.each) if self.kind == "for_each" else frozenset(("times", "limit"))


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node of a checked graph; `sources` holds every input, defaults included, literals normalised."""

    name: str
    definition: NodeDefinition
    sources: Mapping[str, Source]
    loop: Loop | None = None
    _links: tuple[Link, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        wires = (links_of(source) for source in self.sources.values() if type(source) in (Link, Gathered))
        object.__setattr__(self, "_links", tuple(itertools.chain.from_iterable(wires)))

    def links(self) -> tuple[Link, ...]:
        """All wires into the node."""
        return self._links

    def eager_links(self) -> Iterable[Link]:
        """The wires whose values the node needs before it can begin."""
        if self.loop is None and not self.definition.lazy:
            return self._links
        eager = (source for name, source in self.sources.items() if self.is_eager(name, source))
        return itertools.chain.from_iterable(map(links_of, eager))

    def is_eager(self, name: str, source: Source) -> bool:
        """Whether the value of an input is needed before the node can begin."""
        if self.loop is not None:  # the items of a list that is wired one by one need not be known
            return name in self.loop.eager and not isinstance(source, Gathered)
        return name not in self.definition.lazy


@dataclass(frozen=True, eq=False)
class Graph:
    """A valid workflow, ready to be planned: nodes in an order in which every wire points forward.

    Graphs that are nodes are taken apart: their nodes are called `node/inner`, and `groups` says which of those hold
    the results of `node` and which write. The bodies of loops stay apart, in their nodes. absent: nodes of the file
    that are left out, and why.
    """

    nodes: Mapping[str, GraphNode]
    outputs: Mapping[str, Link]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The nodes of its outputs, and those that write."""
        effects = (name for name, node in self.nodes.items() if node.definition.effect)
        return tuple(dict.fromkeys((*(link.node for link in self.outputs.values()), *effects)))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The nodes that `wanted` may need, each after those it needs and as late as that allows."""
        return self.depth_first(self.wanted, self.nodes)

    def depth_first(self, targets: Iterable[str], among: Container[str]) -> tuple[str, ...]:
        """Nodes `among` these that the targets may need, each after those it needs and as late as that allows.

        Of what a node needs, that goes first whose making holds most results at once, so that little waits beside it
        (Sethi and Ullman 1970, who order the operands of an expression so).
        """
        held = self._held_while_made(among)
        order: dict[str, None] = {}
        waiting = [(target, False) for target in reversed(list(targets)) if target in among]
        while waiting:
            name, needs_are_there = waiting.pop()
            if needs_are_there:
                order[name] = None
            elif name not in order:
                links = self.nodes[name].links()
                needs = [link.node for link in links if link.node in among and link.node not in order]
                if len(needs) > 1:
                    needs.sort(key=held.__getitem__, reverse=True)
                waiting.append((name, True))
                waiting += [(each, False) for each in reversed(needs)]
        return tuple(order)

    def _held_while_made(self, among: Container[str]) -> dict[str, int]:
        """How many results are held at the worst moment while a node is made, if nothing was there before."""
        held: dict[str, int] = {}
        for name, node in self.nodes.items():
            links = node.links()
            if len(links) < 2:
                held[name] = held[links[0].node] if links else 1
                continue
            counts = sorted((held[each] for each in {link.node for link in links} if each in among), reverse=True)
            held[name] = max((count + before for before, count in enumerate(counts)), default=1)
        return held

    def all_nodes(self) -> Iterator[GraphNode]:
        """All nodes, those in bodies of loops included."""
        for node in self.nodes.values():
            yield node
            if node.loop is not None:
                yield from node.loop.body.all_nodes()
