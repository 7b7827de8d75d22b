"""Types along wires: what every output gives, and whether it fits where it goes, through graphs and loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from pydantic import JsonValue

from ..definition import InputDefinition, NodeDefinition, OutputDefinition
from ..ports.literals import problems
from ..ports.types import (
    AnyType,
    Bindings,
    ListType,
    MapType,
    NoneType,
    PortType,
    ScalarType,
    describe,
    has_variable,
    item_type,
    list_type,
    substitute,
    union,
    why_not,
)
from .calls import CALL, CALLS, FOR_EACH, LIMIT, REPEAT, TIMES
from .defects import Defect
from .graph import Gathered, Link, Parameter, Source, Written, links_of
from .model import NodeEntry
from .scope import Definitions, Scope

Types: TypeAlias = Mapping[str, PortType | None]
"""By name of an input or output; None where nothing can be said."""

ROUNDS = 8
"""How often the type of what a loop carries may widen."""

Report = Callable[[Defect], None]


@dataclass(frozen=True)
class _Looked:
    """What was found when a graph was looked at. refused: what it does not take."""

    outputs: Types
    refused: tuple[Defect, ...]


class WireTypes:
    """The types in all graphs of a file. A graph is looked at once for each combination of types it is given."""

    def __init__(self, scopes: Mapping[str, Scope], definitions: Definitions, report: Report) -> None:
        self._scopes, self._definitions = scopes, definitions
        self._report = report
        self._known: dict[tuple[str, tuple[tuple[str, PortType | None], ...]], _Looked] = {}

    def check(self) -> None:
        """Report every wire that does not fit: in the workflow, and in the graphs whatever they are given."""
        for name, scope in self._scopes.items():
            self._infer(_Level(scope, dict.fromkeys(scope.document.inputs) if name else {}, self._report))

    def _look(self, graph: str, given: Types) -> _Looked:
        """What a graph does when it is given values of these types; None where nothing can be said."""
        key = graph, tuple(sorted(given.items(), key=lambda item: item[0]))
        if key not in self._known:
            level = _Level(self._scopes[graph], given, self._report)
            outputs = self._infer(level)
            self._known[key] = _Looked(outputs, tuple(level.refused))
        return self._known[key]

    def _infer(self, level: _Level) -> Types:
        scope = level.scope
        for name in scope.order:
            definition = scope.known.get(name)
            if definition is None:
                continue
            entry = scope.document.nodes[name]
            if entry.type in CALLS:
                found = self._of_call(level, name, entry, definition)
            else:
                found = self._of_node(level, name, definition)
            level.produced.update({Link(name, output): kind for output, kind in found.items()})
        return {name: level.produced.get(link) for name, link in scope.outputs.items()}

    def _of_node(self, level: _Level, name: str, definition: NodeDefinition) -> Types:
        bindings: Bindings = {}
        known = True
        ports = definition.inputs_by_name
        for port in map(ports.__getitem__, level.scope.said(name)):
            source = level.source(name, port.name)
            if isinstance(source, Written):
                if definition.generic and has_variable(port.type):
                    why_not(_type_of(source.value), port.type, bindings)
            elif isinstance(source, Gathered):
                wanted = list_type(port.type)
                for link in links_of(source) if wanted is not None else ():
                    kind = level.produced.get(link)
                    known &= kind is not None
                    self._fits(level, name, port.name, kind, wanted.item, bindings, link)  # type: ignore[union-attr]
            elif source is not None:
                kind = level.kind(source)
                known &= kind is not None
                self._fits(level, name, port.name, kind, port.type, bindings, source)
        if not definition.generic:
            return {output.name: output.type for output in definition.outputs}
        return {
            output.name: substitute(output.type, bindings) if known or not has_variable(output.type) else None
            for output in definition.outputs
        }

    def _fits(
        self,
        level: _Level,
        node: str,
        port: str,
        given: PortType | None,
        wanted: PortType,
        bindings: Bindings,
        source: Source,
    ) -> None:
        reason = why_not(given, wanted, bindings) if given is not None else None
        if given is None or reason is None:
            return
        remedy = self._conversion(given, wanted)
        if isinstance(source, Parameter):
            inside = f"{node}.{port} inside {level.scope.name!r}"
            text = f"it is {describe(given)}, but {inside} needs {describe(wanted)}: {reason}"
            level.refused.append(Defect("type_mismatch", text, remedy, input=source.name))
            return
        text = f"{source} gives {describe(given)}, but {describe(wanted)} is needed: {reason}"
        level.report(Defect("type_mismatch", text, remedy, node, port, str(source), graph=level.scope.name))

    def _of_call(self, level: _Level, name: str, entry: NodeEntry, definition: NodeDefinition) -> Types:
        given: dict[str, PortType | None] = {}
        for port in definition.inputs:
            source = level.source(name, port.name)
            if source is None:
                continue
            kind = level.kind_for(port, source)
            if entry.type == REPEAT and port.name in (TIMES.name, LIMIT.name):
                self._fits(level, name, port.name, kind, port.type, {}, source)
            else:
                given[port.name] = kind
        if entry.index:
            given[entry.index] = ScalarType(kind="int")
        for each in entry.each if entry.type == FOR_EACH else ():
            given[each] = self._item(level, name, each, given.get(each))
        if entry.type == REPEAT:
            return self._of_repeat(level, name, entry, given)
        looked = self._look(entry.graph, given)
        level.blame(name, looked)
        if entry.type == CALL:
            return looked.outputs
        return {output: ListType(item=kind) if kind is not None else None for output, kind in looked.outputs.items()}

    def _item(self, level: _Level, node: str, port: str, given: PortType | None) -> PortType | None:
        if given is None or isinstance(given, ListType):
            return given.item if given is not None else None
        reason = f"a list is needed, to go through its items; this is {describe(given)}"
        level.report(Defect("type_mismatch", reason, "wire a list", node, port, graph=level.scope.name))
        return None

    def _of_repeat(self, level: _Level, name: str, entry: NodeEntry, given: dict[str, PortType | None]) -> Types:
        """Widens the types that are carried until a round gives nothing new."""
        looked = self._look(entry.graph, given)
        level.blame(name, looked)
        for _ in range(ROUNDS):
            grown = {each: _joined(given.get(each), looked.outputs.get(each)) for each in entry.carry}
            wider = [each for each in entry.carry if grown[each] != given.get(each)]
            if not wider or looked.refused:
                break
            given.update(grown)
            looked = self._look(entry.graph, given)
            if looked.refused:
                self._open(level, name, wider[0], given, looked.refused[0].reason)
                return dict.fromkeys(looked.outputs)
        else:
            self._open(level, name, entry.carry[0], given, "it grows with every round")
        ending = looked.outputs.get(entry.until) if entry.until else None
        reason = why_not(ending, ScalarType(kind="bool")) if ending is not None else None
        if ending is not None and reason:
            text = f"{entry.until!r} should end it and gives {describe(ending)}: {reason}"
            remedy = "name an output that is true or false"
            level.report(Defect("type_mismatch", text, remedy, name, graph=level.scope.name))
        lists = {each: ListType(item=kind) for each in entry.collect if (kind := looked.outputs.get(each)) is not None}
        carried = {each: given.get(each) for each in entry.carry}
        return {**looked.outputs, **dict.fromkeys(entry.collect), **lists, **carried}

    @staticmethod
    def _open(level: _Level, name: str, carried: str, given: Types, why: str) -> None:
        kind = given.get(carried)
        shown = describe(kind) if kind is not None else "something else"
        after = f"after a round {carried!r} may be {shown}"
        text = f"its types do not close: {after}, which the next round does not take: {why}"
        remedy = "let the graph give back what it takes"
        level.report(Defect("type_mismatch", text, remedy, name, carried, graph=level.scope.name))

    def _conversion(self, given: PortType, wanted: PortType) -> str:
        able = [each.id for each in self._definitions.values() if _converts(each, given, wanted)]
        return f"{' or '.join(map(repr, sorted(able)[:3]))} can turn one into the other" if able else ""


class _Level:
    """One graph with what it is given: where inputs come from, and the types found so far."""

    def __init__(self, scope: Scope, given: Types, report: Report) -> None:
        self.scope, self.given, self.report = scope, given, report
        self.produced: dict[Link, PortType | None] = {}
        self.refused: list[Defect] = []

    def source(self, node: str, port: str) -> Source | None:
        """What an input is fed from; None for its default."""
        fed = self.scope.fed.get((node, port))
        if fed is not None and fed in self.given:
            return Parameter(fed)
        return self.scope.sources[node].get(port)

    def kind(self, source: Source) -> PortType | None:
        """The type of a wire, or of an input of the graph."""
        if isinstance(source, Parameter):
            return self.given[source.name]
        return self.produced.get(source) if isinstance(source, Link) else None

    def kind_for(self, port: InputDefinition, source: Source) -> PortType | None:
        """The type of whatever feeds an input; what is written fits the input, which is checked elsewhere."""
        match source:
            case Written(value=value):
                return _type_of(value) if has_variable(port.type) else port.type
            case Gathered(items=items):
                wanted = item_type(port.type)
                kinds = [self._kind_of_item(each, wanted) for each in items]
                there = [kind for kind in kinds if kind is not None]
                return ListType(item=union(there)) if len(there) == len(kinds) else None
            case _:
                return self.kind(source)

    def blame(self, name: str, looked: _Looked) -> None:
        """Report what a graph does not take at the node that gives it."""
        for each in looked.refused:
            self.report(replace(each, node=name, graph=self.scope.name))

    def _kind_of_item(self, item: Link | Written, wanted: PortType) -> PortType | None:
        if isinstance(item, Link):
            return self.produced.get(item)
        return _type_of(item.value) if has_variable(wanted) else wanted


def _joined(before: PortType | None, after: PortType | None) -> PortType | None:
    if before is None or after is None:
        return None
    return before if why_not(after, before) is None else union((before, after))


def _converts(definition: NodeDefinition, given: PortType, wanted: PortType) -> bool:
    """Whether a node needs nothing but `given` (beside values written by hand) to make `wanted`."""
    needed = [
        port for port in definition.inputs if port.required and problems(port.type, "") and not _writable(port.type)
    ]
    outputs: Iterable[OutputDefinition] = definition.outputs
    return (
        not definition.generic
        and any(why_not(given, port.type) is None and not isinstance(port.type, AnyType) for port in needed)
        and any(why_not(output.type, wanted) is None for output in outputs)
    )


def _writable(port: PortType) -> bool:
    return isinstance(port, ScalarType)


def _type_of(value: JsonValue) -> PortType:
    """The type that a written value has by itself."""
    match value:
        case None:
            return NoneType()
        case bool():
            return ScalarType(kind="bool")
        case int():
            return ScalarType(kind="int")
        case float():
            return ScalarType(kind="float")
        case str():
            return ScalarType(kind="str")
        case list():
            return ListType(item=union(map(_type_of, value)))  # of no item: the union of nothing, which fits everywhere
        case _:
            return MapType(item=union(map(_type_of, value.values())))
