"""Nodes that run a graph of the file: what such a node's inputs and outputs are follows from the graph."""

from __future__ import annotations

import contextlib
import graphlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from ..definition import InputDefinition, NodeDefinition, OutputDefinition
from ..ports.types import AnyType, Limits, ListType, NoneType, ScalarType, UnionType
from .graph import BadLink, Written, parse_source
from .model import NodeEntry, Subgraph, Workflow

CALL, FOR_EACH, REPEAT = "graph", "for_each", "repeat"
CALLS = (CALL, FOR_EACH, REPEAT)
"""Node types that belong to the engine."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    CALL: (),
    FOR_EACH: ("each", "index"),
    REPEAT: ("carry", "collect", "until", "index"),
}
"""What such a node says beside its inputs and its graph, as in `NodeEntry`."""

TIMES = InputDefinition(
    name="times",
    type=UnionType(members=(ScalarType(kind="int", limits=Limits(ge=0)), NoneType())),
    required=False,
    doc="how many rounds; may be left out where an output ends the loop",
)
LIMIT = InputDefinition(
    name="limit",
    type=ScalarType(kind="int", limits=Limits(ge=1)),
    required=False,
    default=1_000,
    doc="rounds after which a loop that `until` should end is an error",
)


@dataclass(frozen=True, slots=True)
class Interface:
    """What a graph of the file looks like from outside; see `NodeDefinition`."""

    inputs: tuple[InputDefinition, ...]
    outputs: tuple[str, ...]
    effect: bool
    never: bool
    waits: bool


def interfaces(workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> dict[str, Interface]:
    """The interfaces of the graphs of a file, every one after those it uses; graphs that contain themselves, and those
    that use them, are left out."""
    found: dict[str, Interface] = {}
    if not workflow.graphs:
        return found
    sorter = graphlib.TopologicalSorter({name: set(used_graphs(each)) for name, each in workflow.graphs.items()})
    with contextlib.suppress(graphlib.CycleError):  # what neither lies in a cycle nor behind one still comes
        sorter.prepare()
    while sorter.is_active():
        ready = sorter.get_ready()
        for name in ready:
            if name and name in workflow.graphs:  # one without a name cannot be run; validation reports it
                found[name] = interface_of(workflow.graphs[name], found, definitions)
        sorter.done(*ready)
    return found


def used_graphs(document: Subgraph) -> Iterator[str]:
    """The names of the graphs that the nodes of a graph run."""
    return (entry.graph for entry in document.nodes.values() if entry.type in CALLS and entry.graph)


def reached_graphs(graphs: Mapping[str, Subgraph], names: Iterable[str]) -> dict[str, Subgraph]:
    """The graphs of these names and all that they use, as far as they are there."""
    found: dict[str, Subgraph] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in graphs and name not in found:
            found[name] = graphs[name]
            waiting += used_graphs(graphs[name])
    return found


def argument_name(kind: str, port: str) -> str:
    """What an input is called in Python, where the options of its node are arguments as well.

    One that is called like an option, or so with underscores behind it, gets one more.
    """
    return f"{port}_" if port.rstrip("_") in OPTIONS[kind] else port


def input_name(kind: str, argument: str) -> str:
    """The input that an argument in Python stands for; the inverse of `argument_name`."""
    return argument[:-1] if argument.endswith("_") and argument.rstrip("_") in OPTIONS[kind] else argument


def definition_of(
    entry: NodeEntry, known: Mapping[str, Interface], definitions: Mapping[str, NodeDefinition]
) -> NodeDefinition | None:
    """The definition of a node; None where its type or its graph is not there."""
    if entry.type not in CALLS:
        return definitions.get(entry.type)
    interface = known.get(entry.graph)
    if interface is None:
        return None
    is_loop = entry.type != CALL
    inputs = [_input(entry, port) for port in interface.inputs if not (is_loop and port.name == entry.index)]
    if entry.type == REPEAT:
        inputs += [TIMES, LIMIT]
    gathered = interface.outputs if entry.type == FOR_EACH else entry.collect
    outputs = [
        OutputDefinition(name=name, type=ListType(item=AnyType()) if name in gathered else AnyType(), may_block=True)
        for name in interface.outputs
    ]
    return NodeDefinition(
        id=entry.type,
        version="1",
        category="control",
        title=entry.graph,
        pack="",
        module="",
        function="",
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        effect=interface.effect,
        cache="never" if interface.never else "content",
        lane="io" if interface.waits else "device",
    )


def _input(entry: NodeEntry, port: InputDefinition) -> InputDefinition:
    if entry.type == FOR_EACH and port.name in entry.each:
        return port.model_copy(update={"type": ListType(item=port.type), "required": True, "default": None})
    return port


def interface_of(
    document: Subgraph, known: Mapping[str, Interface], definitions: Mapping[str, NodeDefinition]
) -> Interface:
    """The interface of a graph; `known` are those of the graphs that it uses."""
    inner = {name: definition_of(entry, known, definitions) for name, entry in document.nodes.items()}
    there = [each for each in inner.values() if each is not None]
    inputs = []
    for name, declared in document.inputs.items():
        node, _, place = declared.to[0].rpartition(".")
        definition = inner.get(node)
        port = definition.inputs_by_name.get(place) if definition else None
        if port is None:  # reported where the graph itself is checked
            inputs.append(InputDefinition(name=name, type=AnyType(), required=False))
            continue
        written = document.nodes[node].inputs
        default = _written(written[place]) if place in written else port.default
        required = port.required and place not in written
        help_text = declared.help or port.doc
        inputs.append(port.model_copy(update=_changes(name, help_text, default, required)))
    return Interface(
        inputs=tuple(inputs),
        outputs=tuple(document.outputs),
        effect=any(each.effect for each in there),
        never=any(each.cache == "never" for each in there),
        waits=any(each.lane == "io" for each in there),
    )


def _changes(name: str, doc: str, default: JsonValue, required: bool) -> dict[str, object]:
    return {"name": name, "doc": doc, "default": default, "required": required, "lazy": ""}


def _written(value: JsonValue) -> JsonValue:
    try:
        source = parse_source(value)
    except BadLink:
        return None
    return source.value if isinstance(source, Written) else None
