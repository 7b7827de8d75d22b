"""Two workflows compared by what they compute: names, titles and layout do not count, recipes do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Literal, get_args

from pydantic import JsonValue

from ..definition import InputDefinition, NodeDefinition
from .calls import CALLS, LIMIT, OPTIONS, REPEAT, TIMES, interfaces
from .graph import BadLink, FileSource, Gathered, Link, Written, links_of, parse_link, parse_source
from .model import NodeEntry, Subgraph, Workflow

Option = Literal["graph", "each", "carry", "collect", "until", "index"]
What = Literal["added", "removed", "renamed", "type", "version", "mode", "input", "output", "declared_input", Option]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    place: a node, `node.input`, or the name of a declared input or output; empty for a graph as a whole. before, after:
    what stands there; None where nothing does. graph: the graph of the file it is in; empty for the workflow itself.
    """

    what: What
    place: str
    before: JsonValue = None
    after: JsonValue = None
    graph: str = ""

    def __str__(self) -> str:
        inside = f"graph {self.graph}" if self.graph else ""
        place = f"{inside}: {self.place}" if inside and self.place else inside or self.place
        match self.what:
            case "added":
                return f"+ {place}: {self.after}" if self.place else f"+ {place}"
            case "removed":
                return f"- {place}: {self.before}" if self.place else f"- {place}"
            case "renamed":
                return f"  {place} is called {self.after}"
            case "input" | "output" | "declared_input":
                kind = {"output": "output ", "declared_input": "declared input "}.get(self.what, "")
                where = f"{inside}: {kind}{self.place}" if inside else f"{kind}{self.place}"
                return f"~ {where}: {_text(self.before)} -> {_text(self.after)}"
            case _:
                return f"~ {place} {self.what}: {_text(self.before)} -> {_text(self.after)}"

    def to_document(self) -> dict[str, JsonValue]:
        """The difference as JSON."""
        return {name: getattr(self, name) for name in ("what", "graph", "place", "before", "after")}


def compare(
    before: Workflow, after: Workflow, definitions: Mapping[str, NodeDefinition] | None = None
) -> list[Difference]:
    """What differs between two workflows, in the order of `before`, the graphs of the file at the end; a node or graph
    that merely has another name is "renamed".

    definitions: fill in defaults, so that a default and the same value written count as equal.
    """
    old, new = _recipes_of_graphs(before, definitions or {}), _recipes_of_graphs(after, definitions or {})
    graphs = _pair_graphs(old, new)
    found = _of_documents(old[""], new[""], graphs)
    for name in before.graphs:
        partner = graphs.get(name)
        if partner is None:
            found.append(Difference("removed", "", graph=name))
            continue
        if partner != name:
            found.append(Difference("renamed", "", name, partner, graph=name))
        found += [replace(each, graph=name) for each in _of_documents(old[name], new[partner], graphs)]
    taken = set(graphs.values())
    return found + [Difference("added", "", graph=name) for name in after.graphs if name not in taken]


def _recipes_of_graphs(workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> dict[str, _Recipes]:
    """The recipes in every graph of a file, those in the workflow itself under the empty name."""
    found: dict[str, _Recipes] = {}
    for name in dict.fromkeys([*interfaces(workflow, definitions), *workflow.graphs]):  # each after those it uses
        found[name] = _Recipes(workflow.graphs[name], definitions, found, is_called=True)
    return {**found, "": _Recipes(workflow, definitions, found, is_called=False)}


def _pair_graphs(old: Mapping[str, _Recipes], new: Mapping[str, _Recipes]) -> dict[str, str]:
    """Graphs of the one with graphs of the other: of the same name and content, else of the same content, else of the
    same name."""
    pairs = {name: name for name, each in old.items() if name in new and new[name].digest == each.digest}
    free = {each.digest: name for name, each in new.items() if name and name not in pairs}
    for name, each in old.items():
        if name and name not in pairs and each.digest in free:
            pairs[name] = free.pop(each.digest)
    taken = set(pairs.values())
    return pairs | {name: name for name in old if name not in pairs and name in new and name not in taken}


def _of_documents(old: _Recipes, new: _Recipes, graphs: Mapping[str, str]) -> list[Difference]:
    """What differs between two graphs; `graphs` pairs the graphs that their nodes run."""
    before, after = old.entries, new.entries
    pairs = _pair(old, new)
    found: list[Difference] = []
    for name in before:
        partner = pairs.get(name)
        if partner is None:
            found.append(Difference("removed", name, before=before[name].type))
            continue
        if partner != name:
            found.append(Difference("renamed", name, before=name, after=partner))
        found += _of_nodes(name, old, partner, new, pairs)
        found += _of_options(name, before[name], after[partner], graphs)
    taken = set(pairs.values())
    found += [Difference("added", name, after=after[name].type) for name in after if name not in taken]
    return found + _of_ends(old.document, new.document, pairs)


class _Recipes:
    """The nodes of a graph with what is fed into them, and a digest of each node's recipe and of the whole.

    graphs: the recipes of the graphs that its nodes run. is_called: whether its declared inputs are given by nodes, so
    that they belong to what it is. held: what its declared inputs hold, where that is one value.
    """

    def __init__(
        self,
        document: Subgraph,
        definitions: Mapping[str, NodeDefinition],
        graphs: Mapping[str, _Recipes],
        *,
        is_called: bool,
    ) -> None:
        self.document, self.entries = document, document.nodes
        self._definitions, self._graphs = definitions, graphs
        self.sources = {name: self._sources_of(entry) for name, entry in self.entries.items()}
        targets = {name: [_place(each) for each in declared.to] for name, declared in document.inputs.items()}
        self._fed = {place: name for name, places in targets.items() for place in places} if is_called else {}
        self.held = {name: value for name, places in targets.items() if (value := self._value_of(places)) is not None}
        self.digests = self._digests()
        self.digest = self._digest()

    def defaults(self, entry: NodeEntry) -> Mapping[str, FileSource]:
        """What stands at the inputs of a node in which nothing is written."""
        if entry.type not in CALLS:
            definition = self._definitions.get(entry.type)
            return _written_defaults(definition.inputs if definition else ())
        held = self._graphs[entry.graph].held if entry.graph in self._graphs else {}
        return {**held, **_written_defaults((TIMES, LIMIT) if entry.type == REPEAT else ())}

    def _sources_of(self, entry: NodeEntry) -> dict[str, FileSource]:
        """What is fed into a node. Of what a graph holds nothing is said twice: it belongs to the graph."""
        defaults = self.defaults(entry)
        found = {} if entry.type in CALLS else {**defaults}
        for name, value in entry.inputs.items():
            try:
                found[name] = parse_source(value)
            except BadLink:
                found[name] = Written(value)
            if entry.type in CALLS and name not in entry.each and _same(found[name], defaults.get(name)):
                del found[name]
        return found

    def _value_of(self, places: Iterable[Link]) -> FileSource | None:
        """The value that stands at all these places."""
        there = []
        for place in places:
            entry = self.entries.get(place.node)
            source = self.sources[place.node].get(place.output) if entry else None
            there.append(source or (self.defaults(entry).get(place.output) if entry else None))
        return there[0] if isinstance(there[0], Written) and all(_same(there[0], each) for each in there) else None

    def _digests(self) -> dict[str, str]:
        wires = {
            name: {link.node for source in sources.values() for link in links_of(source) if link.node in self.entries}
            for name, sources in self.sources.items()
        }
        try:
            order = list(TopologicalSorter(wires).static_order())
        except CycleError:
            return {}
        digests: dict[str, str] = {}
        fed: dict[str, dict[str, str]] = {}
        for place, name in self._fed.items():
            fed.setdefault(place.node, {})[place.output] = name
        for name in order:
            entry = self.entries[name]
            inputs = {port: _canonical(source, digests) for port, source in self.sources[name].items()}
            recipe = [entry.type, entry.version, inputs, fed.get(name, {}), self._options_of(entry)]
            digests[name] = _digest([*recipe, entry.mode])
        return digests

    def _options_of(self, entry: NodeEntry) -> JsonValue:
        """What a node says beside its inputs, with what its graph is instead of what that is called."""
        if entry.type not in CALLS:
            return {}
        graph = self._graphs[entry.graph].digest if entry.graph in self._graphs else entry.graph
        return {"graph": graph, **{option: _option(entry, option) for option in OPTIONS[entry.type]}}

    def _digest(self) -> str:
        """What the graph is, whatever it and its nodes are called."""
        if len(self.digests) < len(self.entries):
            return _digest(self.document.model_dump(mode="json", by_alias=True, include={"nodes", "inputs", "outputs"}))
        outputs = {
            name: _canonical(_place(output.source), self.digests) for name, output in self.document.outputs.items()
        }
        return _digest([sorted(self.digests.values()), sorted(self.document.inputs), outputs])


def _place(text: str) -> Link:
    """The node and the input or output that a text names; one without a node where it names none."""
    try:
        return parse_link(text)
    except BadLink:
        return Link("", text)


def _digest(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _written_defaults(ports: Iterable[InputDefinition]) -> dict[str, FileSource]:
    return {port.name: Written(port.default) for port in ports if not port.required}


def _same(one: FileSource, other: FileSource | None) -> bool:
    return other is not None and _followed(one, {}) == _followed(other, {})


def _option(entry: NodeEntry, option: str) -> JsonValue:
    """An option of a loop; the order of names means nothing."""
    value: str | list[str] = getattr(entry, option)
    return value if isinstance(value, str) else [*sorted(value)]


def _canonical(source: FileSource, digests: Mapping[str, str]) -> JsonValue:
    match source:
        case Link(node=node, output=output):
            return {"from": [digests.get(node, node), output]}
        case Gathered(items=items):
            return {"items": [_canonical(item, digests) for item in items]}
        case Written(value=value):
            return {"value": value}


def _pair(old: _Recipes, new: _Recipes) -> dict[str, str]:
    """Nodes of the one with nodes of the other: of the same name and type, else of the same recipe, else of the same
    name."""
    pairs = {name: name for name, entry in old.entries.items() if _type(new, name) == entry.type}
    free = {digest: name for name, digest in new.digests.items() if name not in pairs}
    for name, digest in old.digests.items():
        if name not in pairs and digest in free:
            pairs[name] = free.pop(digest)
    taken = set(pairs.values())
    pairs |= {name: name for name in old.entries if name not in pairs and name in new.entries and name not in taken}
    return pairs


def _type(recipes: _Recipes, name: str) -> str | None:
    entry = recipes.entries.get(name)
    return entry.type if entry else None


def _of_nodes(name: str, old: _Recipes, partner: str, new: _Recipes, pairs: Mapping[str, str]) -> list[Difference]:
    before, after = old.entries[name], new.entries[partner]
    found = []
    if before.type != after.type:
        found.append(Difference("type", name, before.type, after.type))
    if before.version != after.version:
        found.append(Difference("version", name, before.version, after.version))
    if before.mode != after.mode:
        found.append(Difference("mode", name, before.mode or None, after.mode or None))
    ports = dict.fromkeys([*old.sources[name], *new.sources[partner]])
    for port in ports:
        was = old.sources[name].get(port) or old.defaults(before).get(port)
        now = new.sources[partner].get(port) or new.defaults(after).get(port)
        if was is None or now is None or _followed(was, pairs) != _followed(now, {}):
            found.append(Difference("input", f"{name}.{port}", _document(was), _document(now)))
    return found


def _of_options(name: str, before: NodeEntry, after: NodeEntry, graphs: Mapping[str, str]) -> list[Difference]:
    """Which graph a node runs, and how."""
    found = []
    if graphs.get(before.graph, before.graph) != after.graph:
        found.append(Difference("graph", name, before.graph, after.graph))
    return found + [
        Difference(option, name, getattr(before, option) or None, getattr(after, option) or None)
        for option in get_args(Option)[1:]
        if _option(before, option) != _option(after, option)
    ]


def _followed(source: FileSource, pairs: Mapping[str, str]) -> JsonValue:
    """A source with the nodes' names of the other workflow, values with their types."""
    match source:
        case Link(node=node, output=output):
            return {"from": f"{pairs.get(node, node)}.{output}"}
        case Gathered(items=items):
            return [_followed(item, pairs) for item in items]
        case Written(value=value):
            return json.dumps(value, sort_keys=True)


def _document(source: FileSource | None) -> JsonValue:
    match source:
        case None:
            return None
        case Link():
            return {"from": str(source)}
        case Gathered(items=items):
            return [_document(item) for item in items]
        case Written(value=value):
            return value


def _of_ends(before: Subgraph, after: Subgraph, pairs: Mapping[str, str]) -> list[Difference]:
    """Declared outputs and inputs."""
    found = []
    for name in dict.fromkeys([*before.outputs, *after.outputs]):
        was = before.outputs[name].source if name in before.outputs else None
        now = after.outputs[name].source if name in after.outputs else None
        if _moved(was, pairs) != now:
            found.append(Difference("output", name, was, now))
    for name in dict.fromkeys([*before.inputs, *after.inputs]):
        old: list[JsonValue] = [*before.inputs[name].to] if name in before.inputs else []
        new: list[JsonValue] = [*after.inputs[name].to] if name in after.inputs else []
        if [_moved(str(each), pairs) for each in old] != new:
            found.append(Difference("declared_input", name, old or None, new or None))
    return found


def _moved(place: str | None, pairs: Mapping[str, str]) -> str | None:
    if place is None:
        return None
    try:
        link = parse_link(place)
    except BadLink:
        return place
    return f"{pairs.get(link.node, link.node)}.{link.output}"


def _text(value: JsonValue) -> str:
    if isinstance(value, dict) and value.keys() == {"from"}:
        return str(value["from"])
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
