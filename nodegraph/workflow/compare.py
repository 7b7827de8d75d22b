"""Two workflows compared by what they compute: names, titles and layout do not count, recipes do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from pydantic import JsonValue

from ..definition import NodeDefinition
from .graph import BadLink, FileSource, Gathered, Link, Written, links_of, parse_link, parse_source
from .model import NodeEntry, Workflow

What = Literal["added", "removed", "renamed", "type", "version", "input", "output", "declared_input"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    place: a node, `node.input`, or the name of a declared input or output. before, after: what stands there; None where
    nothing does.
    """

    what: What
    place: str
    before: JsonValue = None
    after: JsonValue = None

    def __str__(self) -> str:
        match self.what:
            case "added":
                return f"+ {self.place}: {self.after}"
            case "removed":
                return f"- {self.place}: {self.before}"
            case "renamed":
                return f"  {self.place} is called {self.after}"
            case _:
                kind = {"output": "output ", "declared_input": "declared input "}.get(self.what, "")
                detail = f" {self.what}" if self.what in ("type", "version") else ""
                return f"~ {kind}{self.place}{detail}: {_text(self.before)} -> {_text(self.after)}"

    def to_document(self) -> dict[str, JsonValue]:
        """The difference as JSON."""
        return {"what": self.what, "place": self.place, "before": self.before, "after": self.after}


def compare(
    before: Workflow, after: Workflow, definitions: Mapping[str, NodeDefinition] | None = None
) -> list[Difference]:
    """What differs between two workflows, in the order of `before`; a node that merely has another name is "renamed".

    definitions: fill in defaults, so that a default and the same value written count as equal.
    """
    old, new = _Recipes(before, definitions or {}), _Recipes(after, definitions or {})
    pairs = _pair(old, new)
    found: list[Difference] = []
    for name in before.nodes:
        partner = pairs.get(name)
        if partner is None:
            found.append(Difference("removed", name, before=before.nodes[name].type))
            continue
        if partner != name:
            found.append(Difference("renamed", name, before=name, after=partner))
        found += _of_nodes(name, old, partner, new, pairs)
    taken = set(pairs.values())
    found += [Difference("added", name, after=after.nodes[name].type) for name in after.nodes if name not in taken]
    found += _of_ends(before, after, pairs)
    return found


class _Recipes:
    """The nodes of a workflow with what is fed into them, and a digest of each node's recipe."""

    def __init__(self, workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> None:
        self.entries = workflow.nodes
        self.sources = {name: _sources(entry, definitions) for name, entry in workflow.nodes.items()}
        self.digests = self._digests()

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
        for name in order:
            entry = self.entries[name]
            inputs = {port: _canonical(source, digests) for port, source in self.sources[name].items()}
            text = json.dumps([entry.type, entry.version, inputs], sort_keys=True)
            digests[name] = hashlib.sha256(text.encode()).hexdigest()
        return digests


def _sources(entry: NodeEntry, definitions: Mapping[str, NodeDefinition]) -> dict[str, FileSource]:
    definition = definitions.get(entry.type)
    ports = definition.inputs if definition else ()
    found: dict[str, FileSource] = {port.name: Written(port.default) for port in ports if not port.required}
    for name, value in entry.inputs.items():
        try:
            found[name] = parse_source(value)
        except BadLink:
            found[name] = Written(value)
    return found


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
    ports = dict.fromkeys([*old.sources[name], *new.sources[partner]])
    for port in ports:
        was, now = old.sources[name].get(port), new.sources[partner].get(port)
        if was is None or now is None or _followed(was, pairs) != _followed(now, {}):
            found.append(Difference("input", f"{name}.{port}", _document(was), _document(now)))
    return found


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


def _of_ends(before: Workflow, after: Workflow, pairs: Mapping[str, str]) -> list[Difference]:
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
