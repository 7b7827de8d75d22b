"""From checked graphs of a file to one graph to plan: nodes that are graphs are taken apart, loops keep their body."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..definition import InputDefinition, NodeDefinition
from ..ports.literals import normalise
from ..ports.types import PortType, item_type
from .calls import CALL, CALLS, FOR_EACH, LIMIT, REPEAT, TIMES
from .graph import Gathered, Graph, GraphNode, Link, Loop, Parameter, Source, Written, below, links_of
from .model import NodeEntry
from .modes import Absent
from .scope import Scope


def flatten(
    scopes: Mapping[str, Scope], absent: Mapping[str, Absent], *, given: Mapping[str, Source] | None = None
) -> Graph:
    """The graph of a valid file.

    absent: by graph, the nodes that are left out. given: what the declared inputs are fed from, where they are.
    """
    return _Flattening(scopes, absent).graph("", given or {})


@dataclass(slots=True)
class _Made:
    """A graph in the making; `stands_for` says which output stands for one of a node that was taken apart."""

    nodes: dict[str, GraphNode] = field(default_factory=dict)
    stands_for: dict[Link, Link] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


class _Flattening:
    """Makes graphs of scopes."""

    def __init__(self, scopes: Mapping[str, Scope], absent: Mapping[str, Absent]) -> None:
        self._scopes, self._absent = scopes, absent
        self._defaults: dict[str, dict[str, Source]] = {}

    def graph(self, name: str, given: Mapping[str, Source]) -> Graph:
        """One graph by itself: the workflow, or the body of a loop."""
        made = _Made()
        outputs = self._add(made, self._scopes[name], given, "")
        return Graph(made.nodes, outputs, made.groups, made.absent)

    def _add(self, made: _Made, scope: Scope, given: Mapping[str, Source], prefix: str) -> dict[str, Link]:
        """Add a graph's nodes, called `prefix` and their name; gives its outputs."""
        for name in scope.order:
            entry, definition, full = scope.document.nodes[name], scope.known[name], prefix + name
            found = {} if entry.type in CALLS else dict(self._defaults_of(definition))
            for port in map(definition.inputs_by_name.__getitem__, scope.said(name)):
                source = _source(scope, name, port, given, made, prefix)
                if source is not None:
                    found[port.name] = source
            if entry.type == CALL:
                self._take_apart(made, entry, found, full)
            elif entry.type in CALLS:
                self._add_loop(made, entry, definition, found, full)
            else:
                made.nodes[full] = GraphNode(full, definition, found)
        made.absent.update({prefix + name: why for name, why in self._absent.get(scope.name, {}).items()})
        return {name: _standing(made, Link(prefix + link.node, link.output)) for name, link in scope.outputs.items()}

    def _defaults_of(self, definition: NodeDefinition) -> Mapping[str, Source]:
        """What stands at the inputs of a node in which nothing is written; the same objects for all nodes of a type."""
        if definition.id not in self._defaults:
            self._defaults[definition.id] = {
                port.name: normalised(port.type, Written(port.default)) for port in definition.inputs
            }
        return self._defaults[definition.id]

    def _take_apart(self, made: _Made, entry: NodeEntry, given: Mapping[str, Source], full: str) -> None:
        before = len(made.nodes)
        outputs = self._add(made, self._scopes[entry.graph], given, full + "/")
        made.stands_for.update({Link(full, name): link for name, link in outputs.items()})
        added = itertools.islice(made.nodes, before, None)
        effects = [name for name in added if made.nodes[name].definition.effect]
        made.groups[full] = tuple(dict.fromkeys((*(link.node for link in outputs.values()), *effects)))

    def _add_loop(
        self, made: _Made, entry: NodeEntry, definition: NodeDefinition, found: dict[str, Source], full: str
    ) -> None:
        ports = definition.inputs_by_name
        own = [TIMES.name, LIMIT.name] if entry.type == REPEAT else []
        for name in (*own, *entry.carry):
            found.setdefault(name, normalised(ports[name].type, Written(ports[name].default)))
        names = found.keys() - own | ({entry.index} if entry.index else set())
        written = self.graph(entry.graph, {name: Parameter(name) for name in names})
        body = _hoisted(made, found, full, written, changing={*entry.each, *entry.carry, entry.index})
        loop = Loop(
            kind="for_each" if entry.type == FOR_EACH else "repeat",
            body=body,
            written=written,
            each=tuple(entry.each),
            carry=tuple(entry.carry),
            collect=tuple(entry.collect),
            until=entry.until,
            index=entry.index,
        )
        made.nodes[full] = GraphNode(full, definition, found, loop)


def _hoisted(made: _Made, found: dict[str, Source], full: str, body: Graph, changing: set[str]) -> Graph:
    """The body without the nodes that are the same in every round: those go before the loop, which gives their results
    to the rounds."""
    stays = _varying(body, changing) | (body.nodes.keys() - set(body.order))
    moved = [name for name in body.nodes if name not in stays]
    if not moved:
        return body
    for name in moved:
        node = body.nodes[name]
        sources = {
            port: found[each.name] if isinstance(each, Parameter) else below(each, full)
            for port, each in node.sources.items()
        }
        made.nodes[f"{full}/{name}"] = GraphNode(f"{full}/{name}", node.definition, sources, node.loop)
    gone = set(moved)
    parameters: dict[Link, Parameter] = {}

    def inside(source: Source) -> Source:
        if not isinstance(source, Link) or source.node not in gone:
            return source
        if source not in parameters:
            name = str(source)
            while name in found or name in changing:  # an input of the graph may be called so
                name += "'"
            parameters[source] = Parameter(name)
            found[name] = Link(f"{full}/{source.node}", source.output)
        return parameters[source]

    kept = {
        name: GraphNode(name, node.definition, {port: inside(each) for port, each in node.sources.items()}, node.loop)
        for name, node in body.nodes.items()
        if name not in gone
    }
    return Graph(kept, body.outputs, body.groups, body.absent)


def _varying(body: Graph, changing: set[str]) -> set[str]:
    """The nodes whose result depends on the round, that write, or that must run anew each time. Those that give the
    body's outputs, or items of lists, stay as well: their wires must be of the body."""
    found = {link.node for link in body.outputs.values()} | {
        link.node
        for node in body.nodes.values()
        for source in node.sources.values()
        if isinstance(source, Gathered)
        for link in links_of(source)
    }
    for name, node in body.nodes.items():
        given = any(isinstance(each, Parameter) and each.name in changing for each in node.sources.values())
        if given or not node.definition.reusable or any(link.node in found for link in node.links()):
            found.add(name)
    return found


def _source(
    scope: Scope, node: str, port: InputDefinition, given: Mapping[str, Source], made: _Made, prefix: str
) -> Source | None:
    """What an input is fed from, in the names of the whole; None where nothing is said."""
    fed = scope.fed.get((node, port.name))
    if fed is not None and fed in given:
        return normalised(port.type, given[fed])
    match scope.sources[node].get(port.name):
        case Link(node=other, output=output):
            return _standing(made, Link(prefix + other, output))
        case Gathered(items=items):
            placed = (
                _standing(made, Link(prefix + each.node, each.output)) if isinstance(each, Link) else each
                for each in items
            )
            return normalised(port.type, Gathered(tuple(placed)))
        case None:
            return None
        case source:
            return normalised(port.type, source)


def _standing(made: _Made, link: Link) -> Link:
    return made.stands_for.get(link, link)


def normalised(port: PortType, source: Source) -> Source:
    """A source whose written values are spelled as the port's type spells them."""
    match source:
        case Written(value=value):
            return Written(normalise(port, value))
        case Gathered(items=items):
            item = item_type(port)
            return Gathered(
                tuple(Written(normalise(item, each.value)) if isinstance(each, Written) else each for each in items)
            )
        case _:
            return source
