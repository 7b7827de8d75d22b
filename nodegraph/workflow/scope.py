"""One graph of a file, checked by itself: names, types, versions, values, wires, cycles."""

from __future__ import annotations

import difflib
import graphlib
from collections.abc import Callable, Collection, Iterator, Mapping

from pydantic import JsonValue

from ..definition import InputDefinition, NodeDefinition
from ..ports.literals import Problem, limit_problem, problems
from ..ports.types import describe, list_type
from .calls import CALL, CALLS, FOR_EACH, LIMIT, REPEAT, TIMES, Interface, definition_of
from .defects import Defect, DefectCode
from .graph import (
    NODE_NAME,
    BadLink,
    FileSource,
    Gathered,
    Link,
    Written,
    links_of,
    parse_link,
    parse_source,
)
from .model import NodeEntry, Subgraph

Definitions = Mapping[str, NodeDefinition]
Report = Callable[[Defect], None]


class Scope:
    """One pass over one graph. Every `_check_*` reports the defects of its kind.

    name: of the graph in its file; empty for the workflow itself. interfaces: of the other graphs.
    asked_for: places, each `node.input`, whose value may still be missing. known: the definitions of the nodes.
    order: the nodes so that every wire points forward. fed: by place, the declared input that goes there.
    """

    def __init__(
        self,
        name: str,
        document: Subgraph,
        definitions: Definitions,
        interfaces: Mapping[str, Interface],
        asked_for: Collection[str],
        report: Report,
    ) -> None:
        self.name, self.document = name, document
        self.known: dict[str, NodeDefinition] = {}
        self.sources: dict[str, dict[str, FileSource]] = {}
        self.order: list[str] = []
        self.fed: dict[tuple[str, str], str] = {}
        self.outputs: dict[str, Link] = {}
        self._fed_ports: dict[str, list[str]] = {}
        self._definitions, self._interfaces, self._asked_for = definitions, interfaces, asked_for
        self._report = report

    def check(self) -> None:
        """Report everything that is wrong with the graph by itself."""
        for name in self.document.nodes:
            self._check_type(name)
        for name in self.document.nodes:
            self._check_inputs(name)
        self._check_declared_inputs()
        self._check_outputs()
        self._check_cycles()

    def said(self, node: str) -> list[str]:
        """The inputs of a node about which the graph says something; the others keep their defaults."""
        sources = self.sources[node]
        return [*sources, *(port for port in self._fed_ports.get(node, ()) if port not in sources)]

    def add(
        self,
        code: DefectCode,
        reason: str,
        remedy: str = "",
        *,
        node: str = "",
        port: str = "",
        value: JsonValue = None,
    ) -> None:
        """Report a defect of this graph."""
        self._report(Defect(code, reason, remedy, node, port, value, graph=self.name))

    def _check_type(self, name: str) -> None:
        entry = self.document.nodes[name]
        if not NODE_NAME.fullmatch(name):
            remedy = "use letters, digits, _ and -, first a letter"
            self.add("bad_name", f"the node name {name!r} is not usable", remedy, node=name)
        if entry.type in CALLS and entry.graph not in self._interfaces:
            self._check_graph_name(name, entry)
            return
        definition = definition_of(entry, self._interfaces, self._definitions)
        if definition is None:
            known = [*self._definitions, *CALLS]
            near = difflib.get_close_matches(entry.type, known, n=3, cutoff=0.5)
            remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else "install the pack that has it"
            self.add("unknown_type", f"there is no node type {entry.type!r}", remedy, node=name)
            return
        self.known[name] = definition
        if entry.version != definition.version:
            self.add(
                "wrong_version",
                f"the file wants version {entry.version} of {entry.type!r}; this installation has {definition.version}",
                f'check its inputs and write "version": "{definition.version}"',
                node=name,
            )
        self._check_options(name, entry)

    def _check_graph_name(self, name: str, entry: NodeEntry) -> None:
        if not entry.graph:
            remedy = 'write "graph": and the name of one of the graphs of the file'
            self.add("bad_graph", f"a node of the type {entry.type!r} runs a graph; none is named", remedy, node=name)
            return
        near = difflib.get_close_matches(entry.graph, self._interfaces, n=1)
        there = ", ".join(self._interfaces) or "none"
        remedy = f"did you mean {near[0]!r}?" if near else f"the usable graphs of the file are {there}"
        self.add("bad_graph", f"there is no usable graph {entry.graph!r}", remedy, node=name)

    def _check_options(self, name: str, entry: NodeEntry) -> None:
        """What a node says beside its inputs fits its type and its graph."""
        if entry.model_fields_set <= _PLAIN:  # nearly every node
            return
        allowed = _OPTIONS.get(entry.type, frozenset())
        for option in sorted(entry.model_fields_set - _PLAIN - allowed):
            takers = " and ".join(repr(kind) for kind in CALLS if option in _OPTIONS[kind])
            self.add("bad_loop", f"{option!r} means nothing for {entry.type!r}", f"it is for {takers}", node=name)
        if entry.type not in (FOR_EACH, REPEAT):
            return
        interface = self._interfaces[entry.graph]
        inputs, outputs = [port.name for port in interface.inputs], interface.outputs
        self._check_names(name, "each", entry.each, inputs, "input")
        self._check_names(name, "carry", entry.carry, [each for each in inputs if each in outputs], "input and output")
        self._check_names(name, "collect", entry.collect, outputs, "output")
        self._check_names(name, "until", [entry.until] if entry.until else [], outputs, "output")
        self._check_names(name, "index", [entry.index] if entry.index else [], inputs, "input")
        if entry.index and entry.index in (*entry.each, *entry.carry):
            self.add("bad_loop", f"{entry.index!r} cannot get the number of the round and something else", node=name)
        if entry.type == FOR_EACH and not entry.each:
            remedy = 'name the inputs that get lists: "each": ["prompt"]'
            self.add("bad_loop", "it does not say what it goes through", remedy, node=name)
        if entry.type == REPEAT:
            self._check_repeat(name, entry, inputs)

    def _check_repeat(self, name: str, entry: NodeEntry, inputs: Collection[str]) -> None:
        for taken in (TIMES.name, LIMIT.name):
            if taken in inputs:
                reason = f"the graph {entry.graph!r} has an input {taken!r}, which 'repeat' has itself"
                self.add("bad_loop", reason, "give the graph's input another name", node=name)
        both = [each for each in entry.collect if each in entry.carry]
        if both:
            reason = f"{both[0]!r} is both carried and collected"
            self.add("bad_loop", reason, "let the graph give it under a second name to collect it", node=name)
        if not entry.until and entry.inputs.get(TIMES.name) is None:
            remedy = 'write "times", or name an output that ends it: "until": "done"'
            self.add("bad_loop", "nothing says when it ends", remedy, node=name)

    def _check_names(self, node: str, option: str, names: Collection[str], known: Collection[str], what: str) -> None:
        graph = self.document.nodes[node].graph
        for name in names:
            if name not in known:
                remedy = f"there are {', '.join(known)}" if known else f"the graph has no {what}"
                self.add("bad_loop", f"{option} names {name!r}, which is no {what} of {graph!r}", remedy, node=node)
        for name in {each for each in names if [*names].count(each) > 1}:
            self.add("bad_loop", f"{option} names {name!r} twice", "name it once", node=node)

    def _check_inputs(self, name: str) -> None:
        entry, definition = self.document.nodes[name], self.known.get(name)
        sources = self.sources.setdefault(name, {})
        for port, value in entry.inputs.items():
            try:
                source = parse_source(value)
            except BadLink as error:
                self.add("bad_link", str(error), node=name, port=port, value=value)
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
            given = required.name in entry.inputs or f"{name}.{required.name}" in self._asked_for
            if required.required and not given:
                needed = f"it needs {describe(required.type)}"
                self.add("missing_input", needed, "wire it or write a value", node=name, port=required.name)

    def _unknown_input(self, name: str, port: str, definition: NodeDefinition) -> None:
        near = difflib.get_close_matches(port, definition.inputs_by_name, n=1)
        known = ", ".join(definition.inputs_by_name) or "none"
        remedy = f"did you mean {near[0]!r}?" if near else f"the inputs are {known}"
        self.add("unknown_input", f"{definition.id!r} has no such input", remedy, node=name, port=port)

    def _check_link(self, link: Link, *, node: str = "", port: str = "") -> bool:
        if link.node not in self.document.nodes:
            near = difflib.get_close_matches(link.node, self.document.nodes, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "add the node or wire another"
            self.add("missing_node", f"there is no node {link.node!r}", remedy, node=node, port=port, value=str(link))
            return False
        source = self.known.get(link.node)
        if source is not None and link.output not in source.outputs_by_name:
            names = ", ".join(source.outputs_by_name) or "none"
            reason = f"{link.node!r} ({source.id}) has no output {link.output!r}"
            self.add("missing_output", reason, f"its outputs are {names}", node=node, port=port, value=str(link))
            return False
        return True

    def _check_written(self, name: str, port: InputDefinition, source: FileSource) -> None:
        if isinstance(source, Written):
            for problem in problems(port.type, source.value):
                self._add_problem(name, port.name, source.value, problem)
        elif isinstance(source, Gathered):
            wanted = list_type(port.type)
            if wanted is None:
                reason = f"it takes {describe(port.type)}, not a list"
                self.add("type_mismatch", reason, "wire one value", node=name, port=port.name)
                return
            if (broken := limit_problem(wanted.limits, list(source.items))) is not None:
                self.add("bad_value", broken.reason, broken.remedy, node=name, port=port.name)
            for index, each in enumerate(source.items):
                for problem in problems(wanted.item, each.value) if isinstance(each, Written) else ():
                    self._add_problem(name, port.name, each.value, problem.inside(f"[{index}]"))  # type: ignore[union-attr]

    def _check_declared_inputs(self) -> None:
        for name, declared in self.document.inputs.items():
            shown = f"the {'graph' if self.name else 'workflow'} input {name!r} goes to"
            for target in declared.to:
                node, _, port = target.rpartition(".")
                definition = self.known.get(node)
                if node not in self.document.nodes:
                    reason = f"{shown} {target!r}, but there is no node {node!r}"
                    self.add("bad_workflow_input", reason, "name an existing input as node.input")
                elif definition is not None and port not in definition.inputs_by_name:
                    reason = f"{shown} {target!r}, but {definition.id!r} has no input {port!r}"
                    names = ", ".join(definition.inputs_by_name) or "none"
                    self.add("bad_workflow_input", reason, f"its inputs are {names}")
                elif isinstance(self.sources.get(node, {}).get(port), Link | Gathered):
                    reason = f"{shown} {target!r}, which is wired already"
                    self.add("bad_workflow_input", reason, "remove the wire or the declared input")
                elif (other := self.fed.setdefault((node, port), name)) != name and self.name:
                    reason = f"{shown} {target!r}, to which {other!r} goes as well"
                    self.add("bad_workflow_input", reason, "let one of them go there")
                else:
                    self._fed_ports.setdefault(node, []).append(port)

    def _check_outputs(self) -> None:
        for name, output in self.document.outputs.items():
            try:
                link = parse_link(output.source)
            except BadLink as error:
                kind = "graph" if self.name else "workflow"
                self.add("bad_link", f"the {kind} output {name!r}: {error}")
                continue
            if self._check_link(link):
                self.outputs[name] = link

    def _check_cycles(self) -> None:
        nodes = self.document.nodes
        graph = {
            name: [link.node for source in sources.values() for link in links_of(source) if link.node in nodes]
            for name, sources in self.sources.items()
        }
        sorter = graphlib.TopologicalSorter(graph)
        try:
            sorter.prepare()
        except graphlib.CycleError:
            for members, cycle in cycles(graph):
                shown = cycle if len(cycle) <= 12 else [*cycle[:6], "...", *cycle[-5:]]
                more = f" ({members} nodes in all)" if members > len(cycle) or shown is not cycle else ""
                reason = f"the wires run in a circle: {' -> '.join([*shown, cycle[0]])}{more}"
                self.add("cycle", reason, "remove one of these wires", node=cycle[0])
        while sorter.is_active():  # gives what neither lies in a cycle nor behind one
            ready = sorter.get_ready()
            self.order += ready
            sorter.done(*ready)

    def _add_problem(self, node: str, port: str, value: JsonValue, problem: Problem) -> None:
        reason = f"at {problem.where}: {problem.reason}" if problem.where else problem.reason
        self.add("bad_value", reason, problem.remedy, node=node, port=port, value=value)


_PLAIN = frozenset(("type", "version", "inputs", "title", "mode"))
"""What every node may say."""

_OPTIONS: Mapping[str, frozenset[str]] = {
    CALL: frozenset(("graph",)),
    FOR_EACH: frozenset(("graph", "each", "index")),
    REPEAT: frozenset(("graph", "carry", "collect", "until", "index")),
}
"""What a node of a type may say beside its inputs."""


def cycles(before: Mapping[str, Collection[str]]) -> Iterator[tuple[int, list[str]]]:
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
