"""Which inputs of a bypassed node stand for its outputs, by their declared types."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..definition import NodeDefinition
from ..ports.types import (
    AnyType,
    ListType,
    MapType,
    NoneType,
    PortType,
    UnionType,
    VariableType,
    WireType,
    admits_blocked,
    substitute,
    union,
    why_not,
)
from .calls import CALLS, FOR_EACH, REPEAT, Interface, definition_of
from .graph import BadLink, parse_link
from .model import NodeEntry, Subgraph


def stand_ins(
    entry: NodeEntry,
    definition: NodeDefinition,
    there: Collection[str],
    wired: Collection[str],
    kinds: Mapping[str, PortType],
) -> dict[str, str]:
    """By output the input that stands for it: the first, in declared order, that is there, is not taken and fits.

    What a loop carries stands for itself, as if it made no round. there: the inputs that have anything. wired: those
    that may be given what is not written in the definition. kinds: the types of the outputs of the graph it runs.
    """
    outputs = _output_types(entry, definition, kinds)
    types = [*(port.type for port in definition.inputs), *outputs.values()]
    names = {name for each in types for name in _variables(each)}
    apart = {} if entry.type in CALLS else {name: WireType(id=f"the type {name}") for name in names}
    chosen = {name: name for name in entry.carry if name in there and name in outputs}
    taken = set(chosen)
    for output, kind in outputs.items():
        for port in definition.inputs if output not in chosen else ():
            given = _something(port.type, wired=port.name in wired)
            fits = why_not(substitute(given, apart), substitute(kind, apart)) is None
            if port.name in there and port.name not in taken and fits:
                chosen[output] = port.name
                taken.add(port.name)
                break
    return chosen


def call_outputs(
    document: Subgraph,
    kinds: Mapping[str, Mapping[str, PortType]],
    known: Mapping[str, Interface],
    definitions: Mapping[str, NodeDefinition],
) -> dict[str, PortType]:
    """The types of a graph's outputs, as its nodes declare them. kinds: the same of the graphs that it uses."""
    found: dict[str, PortType] = {}
    for name, output in document.outputs.items():
        found[name] = AnyType()
        try:
            link = parse_link(output.source)
        except BadLink:
            continue
        entry = document.nodes.get(link.node)
        definition = definition_of(entry, known, definitions) if entry is not None else None
        if entry is not None and definition is not None:
            there = _output_types(entry, definition, kinds.get(entry.graph, {}))
            found[name] = substitute(there.get(link.output, AnyType()), {})
    return found


def _output_types(entry: NodeEntry, definition: NodeDefinition, kinds: Mapping[str, PortType]) -> dict[str, PortType]:
    if entry.type not in CALLS:
        return {output.name: output.type for output in definition.outputs}
    gathered = kinds.keys() if entry.type == FOR_EACH else entry.collect if entry.type == REPEAT else ()
    return {name: ListType(item=kind) if name in gathered else kind for name, kind in kinds.items()}


def _something(port: PortType, *, wired: bool) -> PortType:
    """What an input brings when it brings a value; a wire is taken to bring one where nothing may be given."""
    match port:
        case ListType(item=item):
            return ListType(item=_something(item, wired=False))
        case UnionType(members=members):
            return union(
                each for each in members if not admits_blocked(each) and not (wired and isinstance(each, NoneType))
            )
        case _:
            return port


def _variables(port: PortType) -> Iterator[str]:
    match port:
        case VariableType(name=name):
            yield name
        case ListType(item=item) | MapType(item=item):
            yield from _variables(item)
        case UnionType(members=parts) | WireType(arguments=parts):
            for part in parts:
                yield from _variables(part)
