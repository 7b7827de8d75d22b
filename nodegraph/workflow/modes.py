"""Bypassed and muted nodes: the workflow without them, which is what is validated, planned and run.

A bypassed node's inputs stand in for its outputs. A muted node does not run, nor what cannot do without it. What a
graph declares is still accepted, so whoever uses it need not know. A workflow without modes is given back as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from pydantic import JsonValue

from ..definition import InputDefinition, NodeDefinition
from ..ports.literals import limit_problem
from ..ports.types import PortType, admits_blocked, list_type
from .calls import CALLS, REPEAT, Interface, definition_of, interface_of, interfaces
from .defects import Defect
from .graph import BadLink, FileSource, Gathered, Link, Written, links_of, parse_link, parse_source
from .model import NodeEntry, Subgraph, Workflow, WorkflowInput
from .standing_in import call_outputs, stand_ins

Absent: TypeAlias = Mapping[str, str]
"""Nodes that are left out, and why: "is muted"."""


@dataclass(frozen=True)
class Resolved:
    """A workflow without modes. absent: by graph, the workflow itself under the empty name."""

    workflow: Workflow
    defects: tuple[Defect, ...] = ()
    absent: Mapping[str, Absent] = field(default_factory=dict)


def resolve_modes(workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> Resolved:
    """The workflow as it runs. Values of its declared inputs must be written in before.

    Nodes whose type is not known, and graphs whose wires run in a circle, are left as they are: validation says so.
    """
    documents = (workflow, *workflow.graphs.values())
    if not any(entry.mode for document in documents for entry in document.nodes.values()):
        return Resolved(workflow)
    file = _File(definitions, interfaces(workflow, definitions))
    graphs = dict(workflow.graphs)
    found = []
    for name in file.written:  # each after those it uses
        found.append(_Resolving(name, workflow.graphs[name], file))
        graphs[name] = found[-1].document()
        file.add(name, workflow.graphs[name], graphs[name])
    found.append(_Resolving("", workflow, file))
    resolved = found[-1].document().model_copy(update={"graphs": graphs})
    assert isinstance(resolved, Workflow)
    defects = tuple(defect for each in found for defect in each.defects)
    return Resolved(resolved, defects, {each.name: each.absent for each in found if each.absent})


@dataclass(frozen=True, slots=True)
class _Fed:
    """What a declared input of the graph is given. held: what stands there when nothing is."""

    declared: str
    held: Written | None


@dataclass(frozen=True, slots=True)
class _Several:
    """A list of which some items are wires."""

    items: tuple[Stand, ...]


@dataclass(frozen=True, slots=True)
class _Muted:
    """Nothing. link: what is not there."""

    link: Link


@dataclass(frozen=True, slots=True)
class _Unfit:
    """An output of a bypassed node for which no input can stand."""

    reason: str


Stand: TypeAlias = Link | Written | _Fed | _Several | _Muted | _Unfit
"""What a wire leads to once the nodes with modes are gone."""


class _File:
    """What is known of the graphs of a file: as written, and as resolved so far. lost: the outputs that fell away.

    kinds: the types of their outputs, as far as declarations say.
    """

    def __init__(self, definitions: Mapping[str, NodeDefinition], written: Mapping[str, Interface]) -> None:
        self.definitions, self.written = definitions, written
        self.resolved: dict[str, Interface] = {}
        self.lost: dict[str, frozenset[str]] = {}
        self.kinds: dict[str, Mapping[str, PortType]] = {}

    def add(self, name: str, before: Subgraph, after: Subgraph) -> None:
        """Note a graph that was resolved."""
        self.kinds[name] = call_outputs(before, self.kinds, self.written, self.definitions)
        self.resolved[name] = interface_of(after, self.resolved, self.definitions)
        self.lost[name] = frozenset(before.outputs.keys() - after.outputs.keys())


class _Resolving:
    """One pass over one graph. absent: its nodes that are left out, and why."""

    def __init__(self, name: str, document: Subgraph, file: _File) -> None:
        self.name, self._document, self._file = name, document, file
        self.defects: list[Defect] = []
        self.absent: dict[str, str] = {}
        self._nodes: dict[str, NodeEntry] = {}
        self._stands: dict[Link, Stand] = {}
        self._muted: dict[str, _Muted] = {}
        self._made: dict[str, Link] = {}
        self._to: dict[str, list[str]] = {each: [] for each in document.inputs}
        self._fed = {place: each for each, declared in document.inputs.items() for place in declared.to}
        self._sources = {each: _sources(entry) for each, entry in document.nodes.items()}

    def document(self) -> Subgraph:
        """The graph without modes."""
        entries = self._document.nodes
        wires = {
            name: [link.node for source in sources.values() for link in links_of(source) if link.node in entries]
            for name, sources in self._sources.items()
        }
        try:
            order = list(TopologicalSorter(wires).static_order())
        except CycleError:
            return self._document
        for name in order:
            self._visit(name, entries[name])
        outputs = {}
        for name, output in self._document.outputs.items():
            try:
                stand = self._stand(parse_link(output.source))
            except BadLink:
                outputs[name] = output
                continue
            if isinstance(stand, _Unfit):
                reason = f"the {'graph' if self.name else 'workflow'} output {name!r} is gone: {stand.reason}"
                self.defects.append(Defect("bad_mode", reason, _REMEDY, graph=self.name))
            elif not isinstance(stand, _Muted):
                outputs[name] = output.model_copy(update={"source": str(self._as_link(stand))})
        inputs = {name: found for name in self._document.inputs if (found := self._declared(name)) is not None}
        ordered = {name: self._nodes.pop(name) for name in entries if name in self._nodes} | self._nodes
        return self._document.model_copy(update={"nodes": ordered, "inputs": inputs, "outputs": outputs})

    def _visit(self, name: str, entry: NodeEntry) -> None:
        interfaces = self._file.written if entry.mode == "bypass" else self._file.resolved
        definition = definition_of(entry, interfaces, self._file.definitions)
        if entry.mode == "mute":
            self.absent[name] = "is muted"
        elif entry.mode == "bypass" and definition is not None:
            self._bypass(name, entry, definition)
        else:
            self._keep(name, entry, definition)

    def _bypass(self, name: str, entry: NodeEntry, definition: NodeDefinition) -> None:
        """Let inputs stand for the outputs."""
        self.absent[name] = "is bypassed"
        there: dict[str, Stand] = {}
        for port in definition.inputs:
            source = self._sources[name].get(port.name)
            if source is None and not port.required:
                source = Written(port.default)
            declared = self._fed.get(f"{name}.{port.name}")
            if declared is not None and (source is None or isinstance(source, Written)):
                there[port.name] = _Fed(declared, source)
            elif source is not None:
                there[port.name] = self._seen(source, port)
        chosen = stand_ins(entry, definition, there, self._sources[name].keys(), self._file.kinds.get(entry.graph, {}))
        for output in definition.outputs:
            reason = f"{name!r} is bypassed, and no input of it can stand for its output {output.name!r}"
            stand = there[chosen[output.name]] if output.name in chosen else _Unfit(reason)
            self._stands[Link(name, output.name)] = stand

    def _keep(self, name: str, entry: NodeEntry, definition: NodeDefinition | None) -> None:
        """Wire a node that takes part to what is there now; without what it needs it falls away."""
        ports = definition.inputs_by_name if definition is not None else {}
        seen = {port: self._seen(source, ports.get(port)) for port, source in self._sources[name].items()}
        lost = self._file.lost.get(entry.graph, frozenset()) if entry.type in CALLS else frozenset()
        gone = next((each for port, each in seen.items() if _falls(each, ports.get(port))), None)
        needed = (*entry.carry, entry.until) if entry.type == REPEAT else ()
        if gone is None and (missing := lost.intersection(needed)):
            gone = _Muted(Link(name, min(missing)))
        if isinstance(gone, _Muted):
            self.absent[name] = f"cannot do without {gone.link}, which is muted"
            self._muted[name] = gone
            return
        self._stands |= {Link(name, output): _Muted(Link(name, output)) for output in lost}
        inputs: dict[str, JsonValue] = {}
        for port, value in entry.inputs.items():
            if port not in seen or seen[port] == _as_seen(self._sources[name][port]):
                inputs[port] = value
            else:
                self._write(inputs, name, port, seen[port], ports.get(port))
        changes: dict[str, object] = {} if inputs == entry.inputs else {"inputs": inputs}
        if lost.intersection(entry.collect):
            changes["collect"] = tuple(each for each in entry.collect if each not in lost)
        self._nodes[name] = entry.model_copy(update=changes) if changes else entry

    def _stand(self, link: Link) -> Stand:
        """What a wire leads to."""
        if link in self._stands or link.node not in self.absent:
            return self._stands.get(link, link)
        if self._document.nodes[link.node].mode == "bypass":
            return _Unfit(f"{link.node!r} is bypassed and has no output {link.output!r}")
        return self._muted.get(link.node, _Muted(link))

    def _seen(self, source: FileSource, port: InputDefinition | None) -> Stand:
        """What feeds an input now. A list of which too little is left is nothing."""
        if isinstance(source, Link):
            return self._stand(source)
        if isinstance(source, Written):
            return source
        items = [self._stand(each) if isinstance(each, Link) else each for each in source.items]
        if port is not None and (port.lazy == "items" or _item_admits_blocked(port.type)):
            return _Several(tuple(items))
        muted = [each for each in items if isinstance(each, _Muted)]
        left = tuple(each for each in items if not isinstance(each, _Muted))
        wanted = list_type(port.type) if port is not None else None
        if muted and (not left or (wanted is not None and limit_problem(wanted.limits, list(left)))):
            return muted[0]
        return _Several(left)

    def _write(
        self, inputs: dict[str, JsonValue], node: str, port: str, stand: Stand, known: InputDefinition | None
    ) -> None:
        """Write into an input what feeds it now."""
        match stand:
            case _Muted() if known is None or not known.required:
                return
            case _Fed(declared=declared, held=held):
                self._to[declared].append(f"{node}.{port}")
                if held is not None:
                    inputs[port] = _literal(held)
            case _Several(items=items) if known is None or list_type(known.type) is not None:
                inputs[port] = [_json(self._item(each, node, port)) for each in items]
            case _:
                inputs[port] = _json(self._item(stand, node, port))

    def _item(self, stand: Stand, node: str, port: str) -> Link | Written:
        """A wire or a value for something; a wire to nothing where there is none."""
        if isinstance(stand, _Unfit):
            self.defects.append(Defect("bad_mode", stand.reason, _REMEDY, node, port, graph=self.name))
        return stand if isinstance(stand, Written) else self._as_link(stand)

    def _as_link(self, stand: Stand) -> Link:
        """An output that gives what a stand says; where none does, of a node that is added."""
        if isinstance(stand, Link):
            return stand
        key = repr(stand)
        if key not in self._made:
            match stand:
                case _Fed(declared=declared, held=held):
                    entry = NodeEntry(type="value", inputs={"value": _literal(held)} if held is not None else {})
                    self._made[key] = self._add("given", entry)
                    self._to[declared].append(f"{self._made[key].node}.value")
                case Written():
                    self._made[key] = self._add("value", NodeEntry(type="value", inputs={"value": _literal(stand)}))
                case _Several(items=items):
                    written = [_json(self._item(each, "", "")) for each in items]
                    self._made[key] = self._add("items", NodeEntry(type="collect", inputs={"items": written}))
                case _Muted(link=link):
                    self._made[key] = self._nothing(f"{link} is muted")
                case _Unfit(reason=reason):
                    self._made[key] = self._nothing(reason)
        return self._made[key]

    def _nothing(self, reason: str) -> Link:
        return self._add("nothing", NodeEntry(type="nothing", inputs={"reason": reason}))

    def _add(self, base: str, entry: NodeEntry) -> Link:
        """Add a node that stands for something; all of them give a "result"."""
        name = base if base not in self._document.nodes else f"{base}-"
        while name in self._document.nodes or name in self._nodes:
            name += "-"
        self._nodes[name] = entry
        return Link(name, "result")

    def _declared(self, name: str) -> WorkflowInput | None:
        """A declared input of the graph. One that goes nowhere now is accepted all the same; of the workflow itself,
        whose values are written in before, nothing is left."""
        declared = self._document.inputs[name]
        kept = [place for place in declared.to if place.rpartition(".")[0] not in self.absent] + self._to[name]
        if not kept and self.name:
            node, _, port = declared.to[0].rpartition(".")
            held = self._sources[node].get(port)
            self._as_link(_Fed(name, held if isinstance(held, Written) else Written(None)))
            kept = self._to[name]
        return declared.model_copy(update={"to": kept}) if kept else None


_REMEDY = "wire something else, or let the node take part"


def _sources(entry: NodeEntry) -> dict[str, FileSource]:
    """What is written into a node; what is malformed is left to validation."""
    return dict(_parsed(entry.inputs))


def _parsed(inputs: Mapping[str, JsonValue]) -> Iterator[tuple[str, FileSource]]:
    for port, value in inputs.items():
        try:
            yield port, parse_source(value)
        except BadLink:
            continue


def _as_seen(source: FileSource) -> Stand:
    """A source of which nothing is gone."""
    return _Several(source.items) if isinstance(source, Gathered) else source


def _falls(stand: Stand, port: InputDefinition | None) -> bool:
    """Whether a node cannot do without what an input would have been given."""
    if not isinstance(stand, _Muted) or port is None or not port.required:
        return False
    return not port.lazy and not admits_blocked(port.type)


def _item_admits_blocked(port: PortType) -> bool:
    wanted = list_type(port)
    return wanted is not None and admits_blocked(wanted.item)


def _json(source: Link | Written) -> JsonValue:
    return {"from": str(source)} if isinstance(source, Link) else _literal(source)


def _literal(source: Written) -> JsonValue:
    """A value as a file has it, so that nothing in it is taken for a wire."""
    return {"value": source.value} if isinstance(source.value, dict | list) else source.value
