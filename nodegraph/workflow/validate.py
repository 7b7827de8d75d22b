"""Validation: every defect of a workflow at once, from definitions alone."""

from __future__ import annotations

import difflib
import graphlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from pydantic import JsonValue

from ..definition import InputDefinition, NodeDefinition, OutputDefinition
from ..errors import InvalidWorkflow
from ..ports.literals import Problem, limit_problem, normalise, problems
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
from .defects import Defect
from .graph import (
    NODE_NAME,
    BadLink,
    Gathered,
    Graph,
    GraphNode,
    Link,
    Source,
    Written,
    links_of,
    parse_link,
    parse_source,
)
from .model import Workflow

Definitions: TypeAlias = Mapping[str, NodeDefinition]


def find_defects(workflow: Workflow, definitions: Definitions, *, complete: bool = False) -> list[Defect]:
    """Everything that is wrong with `workflow`; an empty list when it can run.

    complete: whether declared workflow inputs must have a value by now; otherwise they may still be asked for.
    """
    return _Checker(workflow, definitions, complete=complete).check()


def check(workflow: Workflow, definitions: Definitions, *, complete: bool = True) -> Graph:
    """The graph of a valid workflow.

    Raises InvalidWorkflow with all defects.
    """
    checker = _Checker(workflow, definitions, complete=complete)
    defects = checker.check()
    if defects:
        raise InvalidWorkflow(defects)
    nodes = {name: checker.graph_node(name) for name in checker.order}
    return Graph(nodes, {name: parse_link(output.source) for name, output in workflow.outputs.items()})


class _Checker:
    """One pass over one workflow. Every `_check_*` adds the defects of its kind."""

    def __init__(self, workflow: Workflow, definitions: Definitions, *, complete: bool) -> None:
        self.workflow, self.definitions = workflow, definitions
        self.defects: list[Defect] = []
        self.known: dict[str, NodeDefinition] = {}
        self.sources: dict[str, dict[str, Source]] = {}
        self.defaults: dict[str, dict[str, Source]] = {}
        self.order: list[str] = []
        self.asked_for = set() if complete else {target for each in workflow.inputs.values() for target in each.to}

    def check(self) -> list[Defect]:
        for name in self.workflow.nodes:
            self._check_type(name)
        for name in self.workflow.nodes:
            self._check_inputs(name)
        self._check_workflow_inputs()
        self._check_workflow_outputs()
        self._check_cycles()
        self._check_wire_types()
        return self.defects

    def graph_node(self, name: str) -> GraphNode:
        """A node whose defaults are filled in; only for valid workflows, and once."""
        definition, given = self.known[name], self.sources.pop(name)
        ports = definition.inputs_by_name
        written = {port: self._normal(ports[port], source) for port, source in given.items()}
        return GraphNode(name, definition, {**self._defaults_of(definition), **written})

    def _defaults_of(self, definition: NodeDefinition) -> dict[str, Source]:
        """What stands at the inputs of a node in which nothing is written; the same objects for all nodes of a type."""
        if definition.id not in self.defaults:
            ports = definition.inputs
            self.defaults[definition.id] = {port.name: self._normal(port, Written(port.default)) for port in ports}
        return self.defaults[definition.id]

    @staticmethod
    def _normal(port: InputDefinition, source: Source) -> Source:
        match source:
            case Written(value=value):
                return Written(normalise(port.type, value))
            case Gathered(items=items):
                item = item_type(port.type)
                return Gathered(
                    tuple(Written(normalise(item, each.value)) if isinstance(each, Written) else each for each in items)
                )
            case _:
                return source

    def _check_type(self, name: str) -> None:
        entry = self.workflow.nodes[name]
        if not NODE_NAME.fullmatch(name):
            self._add(
                "bad_name",
                f"the node name {name!r} is not usable",
                "use letters, digits, _ and -, first a letter",
                node=name,
            )
        definition = self.definitions.get(entry.type)
        if definition is None:
            near = difflib.get_close_matches(entry.type, list(self.definitions), n=3, cutoff=0.5)
            remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else "install the pack that has it"
            self._add("unknown_type", f"there is no node type {entry.type!r}", remedy, node=name)
            return
        self.known[name] = definition
        if entry.version != definition.version:
            self._add(
                "wrong_version",
                f"the file wants version {entry.version} of {entry.type!r}; this installation has {definition.version}",
                f'check its inputs and write "version": "{definition.version}"',
                node=name,
            )

    def _check_inputs(self, name: str) -> None:
        entry, definition = self.workflow.nodes[name], self.known.get(name)
        sources = self.sources.setdefault(name, {})
        for port, value in entry.inputs.items():
            try:
                source = parse_source(value)
            except BadLink as error:
                self._add("bad_link", str(error), node=name, port=port, value=value)
                continue
            if definition is not None and port not in definition.inputs_by_name:
                self._unknown_input(name, port, definition)
                continue
            sources[port] = source
            for link in links_of(source):
                self._check_link(link, node=name, port=port)
            if definition is not None:
                self._check_written(name, definition.inputs_by_name[port], source)
        for required in definition.inputs if definition is not None else ():
            given = required.name in entry.inputs or f"{name}.{required.name}" in self.asked_for
            if required.required and not given:
                self._add(
                    "missing_input",
                    f"it needs {describe(required.type)}",
                    "wire it or write a value",
                    node=name,
                    port=required.name,
                )

    def _unknown_input(self, name: str, port: str, definition: NodeDefinition) -> None:
        near = difflib.get_close_matches(port, definition.inputs_by_name, n=1)
        remedy = (
            f"did you mean {near[0]!r}?" if near else f"the inputs are {', '.join(definition.inputs_by_name) or 'none'}"
        )
        self._add("unknown_input", f"{definition.id!r} has no such input", remedy, node=name, port=port)

    def _check_link(self, link: Link, *, node: str = "", port: str = "") -> None:
        if link.node not in self.workflow.nodes:
            near = difflib.get_close_matches(link.node, self.workflow.nodes, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "add the node or wire another"
            self._add("missing_node", f"there is no node {link.node!r}", remedy, node=node, port=port, value=str(link))
            return
        source = self.known.get(link.node)
        if source is not None and link.output not in source.outputs_by_name:
            names = ", ".join(source.outputs_by_name) or "none"
            self._add(
                "missing_output",
                f"{link.node!r} ({source.id}) has no output {link.output!r}",
                f"its outputs are {names}",
                node=node,
                port=port,
                value=str(link),
            )

    def _check_written(self, name: str, port: InputDefinition, source: Source) -> None:
        if isinstance(source, Written):
            for problem in problems(port.type, source.value):
                self._add_problem(name, port.name, source.value, problem)
        elif isinstance(source, Gathered):
            wanted = list_type(port.type)
            if wanted is None:
                self._add(
                    "type_mismatch",
                    f"it takes {describe(port.type)}, not a list",
                    "wire one value",
                    node=name,
                    port=port.name,
                )
                return
            if (broken := limit_problem(wanted.limits, list(source.items))) is not None:
                self._add("bad_value", broken.reason, broken.remedy, node=name, port=port.name)
            for index, each in enumerate(source.items):
                for problem in problems(wanted.item, each.value) if isinstance(each, Written) else ():
                    self._add_problem(name, port.name, each.value, problem.inside(f"[{index}]"))  # type: ignore[union-attr]

    def _check_workflow_inputs(self) -> None:
        for name, declared in self.workflow.inputs.items():
            for target in declared.to:
                node, _, port = target.rpartition(".")
                definition = self.known.get(node)
                if node not in self.workflow.nodes:
                    self._add(
                        "bad_workflow_input",
                        f"the workflow input {name!r} goes to {target!r}, but there is no node {node!r}",
                        "name an existing input as node.input",
                    )
                elif definition is not None and port not in definition.inputs_by_name:
                    self._add(
                        "bad_workflow_input",
                        f"the workflow input {name!r} goes to {target!r}, but {definition.id!r} has no input {port!r}",
                        f"its inputs are {', '.join(definition.inputs_by_name)}",
                    )
                elif isinstance(self.sources.get(node, {}).get(port), Link | Gathered):
                    self._add(
                        "bad_workflow_input",
                        f"the workflow input {name!r} goes to {target!r}, which is wired already",
                        "remove the wire or the workflow input",
                    )

    def _check_workflow_outputs(self) -> None:
        for name, output in self.workflow.outputs.items():
            try:
                self._check_link(parse_link(output.source))
            except BadLink as error:
                self._add("bad_link", f"the workflow output {name!r}: {error}")

    def _check_cycles(self) -> None:
        graph = {
            name: [
                link.node
                for source in sources.values()
                for link in links_of(source)
                if link.node in self.workflow.nodes
            ]
            for name, sources in self.sources.items()
        }
        sorter = graphlib.TopologicalSorter(graph)
        try:
            sorter.prepare()
        except graphlib.CycleError:
            for members, cycle in _cycles(graph):
                shown = cycle if len(cycle) <= 12 else [*cycle[:6], "...", *cycle[-5:]]
                more = f" ({members} nodes in all)" if members > len(cycle) or shown is not cycle else ""
                self._add(
                    "cycle",
                    f"the wires run in a circle: {' -> '.join([*shown, cycle[0]])}{more}",
                    "remove one of these wires",
                    node=cycle[0],
                )
        while sorter.is_active():  # gives what neither lies in a cycle nor behind one
            ready = sorter.get_ready()
            self.order += ready
            sorter.done(*ready)

    def _check_wire_types(self) -> None:
        produced: dict[Link, PortType] = {}
        for name in self.order:
            definition = self.known.get(name)
            if definition is None:
                continue
            bindings: Bindings = {}
            for port_name, source in self.sources[name].items():
                port = definition.inputs_by_name[port_name]
                if isinstance(source, Written):
                    if definition.generic and has_variable(port.type):
                        why_not(_type_of(source.value), port.type, bindings)
                elif isinstance(source, Link):
                    self._check_wire(name, port.name, port.type, source, produced, bindings)
                elif (wanted := list_type(port.type)) is not None:
                    for link in links_of(source):
                        self._check_wire(name, port.name, wanted.item, link, produced, bindings)
            for output in definition.outputs:
                produced[Link(name, output.name)] = (
                    substitute(output.type, bindings) if definition.generic else output.type
                )

    def _check_wire(
        self, name: str, port: str, wanted: PortType, link: Link, produced: Mapping[Link, PortType], bindings: Bindings
    ) -> None:
        given = produced.get(link)
        reason = why_not(given, wanted, bindings) if given is not None else None
        if given is not None and reason is not None:
            remedy = self._conversion(given, wanted)
            self._add(
                "type_mismatch",
                f"{link} gives {describe(given)}, but {describe(wanted)} is needed: {reason}",
                remedy,
                node=name,
                port=port,
                value=str(link),
            )

    def _conversion(self, given: PortType, wanted: PortType) -> str:
        able = [each.id for each in self.definitions.values() if _converts(each, given, wanted)]
        return f"{' or '.join(map(repr, sorted(able)[:3]))} can turn one into the other" if able else ""

    def _add_problem(self, node: str, port: str, value: JsonValue, problem: Problem) -> None:
        reason = f"at {problem.where}: {problem.reason}" if problem.where else problem.reason
        self._add("bad_value", reason, problem.remedy, node=node, port=port, value=value)

    def _add(
        self, code: str, reason: str, remedy: str = "", *, node: str = "", port: str = "", value: JsonValue = None
    ) -> None:
        self.defects.append(Defect(code, reason, remedy, node, port, value))  # type: ignore[arg-type]


def _cycles(before: Mapping[str, Collection[str]]) -> Iterator[tuple[int, list[str]]]:
    """For every knot of cycles: how many nodes are in it, and a shortest cycle through its first one."""
    import networkx  # slow to import, so only when a cycle has to be explained

    graph = networkx.DiGraph([(source, name) for name, sources in before.items() for source in sources])
    for members in networkx.strongly_connected_components(graph):
        first = min(members)
        if len(members) == 1 and not graph.has_edge(first, first):
            continue
        came_from = dict(networkx.bfs_predecessors(graph.subgraph(members), first))
        cycle = [next(name for name in (first, *came_from) if graph.has_edge(name, first))]
        while cycle[-1] != first:
            cycle.append(came_from[cycle[-1]])
        yield len(members), cycle[::-1]


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
            return ListType(item=union(map(_type_of, value)) if value else AnyType())
        case _:
            return MapType(item=union(map(_type_of, value.values())) if value else AnyType())
