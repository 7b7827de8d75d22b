"""Validation: every defect of a workflow at once, from definitions alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..definition import NodeDefinition
from ..errors import InvalidWorkflow
from .calls import Interface, interfaces, used_graphs
from .defects import Defect
from .flatten import flatten
from .graph import Graph, Parameter
from .model import Subgraph, Workflow
from .modes import Resolved, resolve_modes
from .scope import Definitions, Scope, cycles
from .wires import WireTypes

MAX_NODES = 1_000_000
"""Nodes of a workflow whose graphs are all taken apart."""

MAX_DEPTH = 64
"""Graphs inside one another."""


def find_defects(workflow: Workflow, definitions: Definitions, *, complete: bool = False) -> list[Defect]:
    """Everything that is wrong with `workflow`; an empty list when it can run.

    complete: whether declared workflow inputs must have a value by now; otherwise they may still be asked for.
    """
    resolved = resolve_modes(workflow, definitions)
    return _Checker(resolved, definitions, () if complete else _asked_for(resolved.workflow)).check()


def check(workflow: Workflow, definitions: Definitions, *, complete: bool = True) -> Graph:
    """The graph of a valid workflow.

    Raises InvalidWorkflow with all defects.
    """
    resolved = resolve_modes(workflow, definitions)
    checker = _Checker(resolved, definitions, () if complete else _asked_for(resolved.workflow))
    if defects := checker.check():
        raise InvalidWorkflow(defects)
    return flatten(checker.scopes, resolved.absent)


def check_expansion(
    workflow: Workflow, node: NodeDefinition, given: Collection[str], definitions: Definitions
) -> Graph:
    """The graph of a workflow that a node gave to take its place; its declared inputs are fed from the node's own.

    given: the names of the node's inputs that are fed; a round gives them as parameters.
    Raises InvalidWorkflow with all defects, among them inputs and outputs that the node has not.
    """
    resolved = resolve_modes(workflow, definitions)
    workflow = resolved.workflow
    checker = _Checker(resolved, definitions, [place for name in given for place in _places(workflow, name)])
    defects = checker.check()
    for what, there, known in (
        ("an input", workflow.inputs, [port.name for port in node.inputs]),
        ("an output", [port.name for port in node.outputs], list(workflow.outputs)),
    ):
        for name in there:
            if name not in known:
                reason = f"it has {what} {name!r}" if what == "an input" else f"it lacks {what} {name!r}"
                remedy = f"those of {node.id!r} are {', '.join(known if what == 'an input' else there) or 'none'}"
                defects.append(Defect("bad_workflow_input", reason, remedy))
    if defects:
        raise InvalidWorkflow(defects)
    fed = {name: Parameter(name) for name in given if name in workflow.inputs}
    return flatten(checker.scopes, resolved.absent, given=fed)


def _asked_for(workflow: Subgraph) -> Collection[str]:
    """The places whose value may still be missing, because it is asked for."""
    return {target for each in workflow.inputs.values() for target in each.to}


def _places(workflow: Workflow, name: str) -> Collection[str]:
    declared = workflow.inputs.get(name)
    return declared.to if declared else ()


class _Checker:
    """Checks the workflow and its graphs. scopes: by name of the graph, the workflow's own under the empty name."""

    def __init__(self, resolved: Resolved, definitions: Definitions, asked_for: Collection[str]) -> None:
        self._workflow, self._definitions = resolved.workflow, definitions
        self._asked_for = asked_for
        self._defects = {str(each): each for each in resolved.defects}
        self.scopes: dict[str, Scope] = {}

    def check(self) -> list[Defect]:
        known = interfaces(self._workflow, self._definitions)
        self._check_recursion(known)
        for name in known:
            self._add_scope(name, self._workflow.graphs[name], known)
        self._add_scope("", self._workflow, known)
        self._check_size()
        if not any(each.code == "bad_graph" for each in self._defects.values()):
            WireTypes(self.scopes, self._definitions, self._report).check()
        return list(self._defects.values())

    def _add_scope(self, name: str, document: Subgraph, known: Mapping[str, Interface]) -> None:
        asked_for = _asked_for(document) if name else self._asked_for
        scope = Scope(name, document, self._definitions, known, set(asked_for), self._report)
        self.scopes[name] = scope
        scope.check()

    def _report(self, defect: Defect) -> None:
        self._defects.setdefault(str(defect), defect)

    def _check_recursion(self, known: Collection[str]) -> None:
        graphs = self._workflow.graphs
        if len(known) == len(graphs):
            return
        if "" in graphs:
            self._report(Defect("bad_graph", "a graph of the file has an empty name", "give it another"))
        uses = {name: [each for each in used_graphs(document) if each in graphs] for name, document in graphs.items()}
        for _, cycle in cycles({name: used for name, used in uses.items() if name not in known}):
            way = " -> ".join(reversed([*cycle, cycle[0]]))
            reason = f"the graph {cycle[0]!r} contains itself: {way}"
            self._report(Defect("bad_graph", reason, "a repetition is written with 'repeat'", graph=cycle[0]))

    def _check_size(self) -> None:
        """Graphs in graphs in graphs: small files can mean endless work."""
        sizes: dict[str, int] = {}
        depths: dict[str, int] = {}
        for name, scope in self.scopes.items():
            inner = [each for each in used_graphs(scope.document) if each in sizes]
            sizes[name] = len(scope.document.nodes) + sum(sizes[each] for each in inner)
            depths[name] = 1 + max((depths[each] for each in inner), default=0)
        if sizes[""] > MAX_NODES and len(self.scopes) > 1:
            reason = f"with all its graphs taken apart it has {sizes['']:,} nodes"
            self._report(Defect("bad_graph", reason, f"stay below {MAX_NODES:,}; a loop repeats without copies"))
        if depths[""] > MAX_DEPTH:
            reason = f"its graphs lie {depths['']} deep in one another"
            self._report(Defect("bad_graph", reason, f"stay below {MAX_DEPTH}"))
