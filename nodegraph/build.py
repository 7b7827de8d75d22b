"""Building workflows in Python: what stands behind `add`, `call`, `input` and the like of graphs and workflows.

g = Workflow(title="Guidance")
model = g.add(load_checkpoint, checkpoint="bundled:icons")
prompt = g.add(encode_text, encoder=model.text_encoder, text="a red apple")
g.input("prompt", (prompt, "text"))
g.output("conditioning", prompt)
g.check()

`document` is everywhere the graph that grows: a workflow, or one of its graphs.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue

from .catalog import Catalog, load_catalog
from .definition import NodeDefinition
from .errors import InvalidWorkflow, NodegraphError, shorten
from .settings import load_settings
from .workflow.calls import Interface, definition_of, input_name, interfaces, reached_graphs, used_graphs
from .workflow.defects import Defect, DefectCode
from .workflow.graph import NODE_NAME
from .workflow.model import Mode, NodeEntry, Subgraph, Workflow, WorkflowInput, WorkflowOutput
from .workflow.scope import Scope
from .workflow.validate import find_defects

_SAID_AT_ONCE: tuple[DefectCode, ...] = ("unknown_input", "bad_value", "bad_link", "bad_loop")
"""What is wrong with a node whatever it is wired to."""


class BuildError(NodegraphError):
    """A workflow cannot be built like that."""


class Handle:
    """A node that was added, standing for its only output; `handle.name` is an output."""

    def __init__(self, node: str, definition: NodeDefinition, owner: Subgraph, output: str | None = None) -> None:
        self._node, self._definition, self._owner, self._output = node, definition, owner, output

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Handle:
        """An output by its name, whatever that is; graphs may give theirs names that are none in Python."""
        if name not in self._definition.outputs_by_name:
            outputs = ", ".join(self._definition.outputs_by_name) or "none"
            raise BuildError(f"{self._shown()} has no output {name!r}; its outputs are {outputs}")
        return Handle(self._node, self._definition, self._owner, name)

    def __iter__(self) -> Iterator[Handle]:
        """The outputs one by one, for `image, files = g.add(save_image, ...)`."""
        return (self[name] for name in self._definition.outputs_by_name)

    def __bool__(self) -> bool:
        raise BuildError(f"{self._shown()} has no value while the graph is built; it cannot decide an if")

    def __repr__(self) -> str:
        return f"<{self._node}{f'.{self._output}' if self._output else ''}>"

    def _shown(self) -> str:
        return f"{self._node!r} ({self._definition.id})"


def add_node(document: Subgraph, node: object, name: str, inputs: Mapping[str, Any]) -> Handle:
    """See `Subgraph.add`."""
    definition = _definition(document, node)
    chosen = _chosen_name(document, name, definition.id.rpartition(".")[2])
    written = {port: _written(document, value) for port, value in inputs.items()}
    entry = NodeEntry(type=definition.id, version=definition.version, inputs=written)
    return _insert(document, chosen, entry, definition, {})


def add_call(
    document: Subgraph, kind: str, graph: object, name: str, options: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Handle:
    """See `Subgraph.call`, `for_each` and `repeat`; `kind` is the node's type."""
    called = _called(document, graph)
    chosen = _chosen_name(document, name, called if NODE_NAME.fullmatch(called) else kind)
    reached = reached_graphs(_workflow_of(document).graphs, [called])
    if any(each is document for each in reached.values()):
        raise BuildError(f"{called!r} cannot be used here: the graph would contain itself")
    known = interfaces(Workflow(graphs=reached), catalog_of(document))
    said = {option: _option(option, value) for option, value in options.items() if value}
    written = {input_name(kind, argument): _written(document, value) for argument, value in inputs.items()}
    entry = NodeEntry.model_validate({"type": kind, "graph": called, "inputs": written, **said})
    definition = definition_of(entry, known, catalog_of(document))
    if definition is None:
        raise BuildError(f"the graph {called!r} contains itself, or one that does")
    return _insert(document, chosen, entry, definition, known)


def add_graph(workflow: Workflow, name: str, document: object, changes: Mapping[str, Any]) -> Subgraph:
    """See `Workflow.graph`."""
    if not isinstance(name, str) or not name:
        raise BuildError(f"{shorten(name)} is no name for a graph; give a text")
    if document is None and name in workflow.graphs:
        raise BuildError(f"the graph {name!r} is there already; it is graphs[{name!r}]")
    if not isinstance(document, Subgraph | None):
        raise BuildError(f"{shorten(document)} is no graph; give a workflow, or a graph of one")
    first = Subgraph() if document is None else document
    there = dict(workflow.graphs)
    for other, graph in ((name, first.model_copy(update=changes)), *_brought(first).items()):
        copied = graph._inside(workflow)
        if there.setdefault(other, copied) != copied:
            raise BuildError(f"the workflow would have two different graphs called {other!r}; rename one")
    workflow.graphs.update(there)
    return workflow.graphs[name]


def title_node(document: Subgraph, handle: object, title: str) -> None:
    """See `Subgraph.titled`."""
    name = _own(document, handle)._node
    document.nodes[name] = document.nodes[name].model_copy(update={"title": title})


def set_mode(document: Subgraph, handle: object, mode: Mode) -> None:
    """See `Subgraph.bypass` and `mute`."""
    name = _own(document, handle)._node
    document.nodes[name] = document.nodes[name].model_copy(update={"mode": mode})


def declare_input(
    document: Subgraph, name: str, places: Sequence[tuple[object, str]], title: str, help_text: str
) -> None:
    """See `Subgraph.input`."""
    if not places or name in document.inputs:
        reason = "is there already" if places else 'goes nowhere; name a place, such as (prompt, "text")'
        raise BuildError(f"the input {name!r} {reason}")
    targets = [_place(document, place) for place in places]
    document.inputs[name] = WorkflowInput(to=targets, title=title, help=help_text)


def declare_output(document: Subgraph, name: str, source: object, title: str) -> None:
    """See `Subgraph.output`."""
    if name in document.outputs:
        raise BuildError(f"the output {name!r} is there already")
    document.outputs[name] = WorkflowOutput(source=_wire(document, source), title=title)


def check_whole(workflow: Workflow) -> None:
    """See `Workflow.check`."""
    if defects := find_defects(workflow, catalog_of(workflow)):
        raise InvalidWorkflow(defects)


def catalog_of(document: Subgraph) -> Catalog:
    """The nodes that a graph is built with, read when first needed."""
    home = document._owner or document
    if home._catalog is None:
        home.using(load_catalog(load_settings()))
    assert home._catalog is not None
    return home._catalog


def _workflow_of(document: Subgraph) -> Workflow:
    """The workflow whose graphs a graph may use; an empty one for a graph by itself."""
    if isinstance(document, Workflow):
        return document
    return document._owner or Workflow()


def _brought(document: Subgraph) -> Mapping[str, Subgraph]:
    """The graphs that come along with a graph."""
    if isinstance(document, Workflow):
        return document.graphs
    return reached_graphs(_workflow_of(document).graphs, used_graphs(document))


def _called(document: Subgraph, graph: object) -> str:
    """The name of a graph of the workflow, which is given by name or as it is."""
    graphs = _workflow_of(document).graphs
    if isinstance(graph, Subgraph):
        found = next((name for name, each in graphs.items() if each is graph), None)
        if found is None:
            raise BuildError("this graph is none of the workflow's; add it first: `stage = g.graph(name, it)`")
        return found
    if not isinstance(graph, str) or graph not in graphs:
        near = difflib.get_close_matches(graph, graphs, n=1) if isinstance(graph, str) else []
        remedy = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(graphs) or 'none'}"
        raise BuildError(f"there is no graph {shorten(graph)}; {remedy}")
    return graph


def _option(option: str, value: object) -> JsonValue:
    """An option of a loop as it stands in a file."""
    several = option in ("each", "carry", "collect")
    given: list[object] = list(value) if several and isinstance(value, list | tuple) else [value]
    names = [each for each in given if isinstance(each, str)]
    if len(names) < len(given):
        raise BuildError(f"{option} = {shorten(value)}: give a name{' or a list of names' if several else ''}")
    return [*names] if several else names[0]


def _insert(
    document: Subgraph, chosen: str, entry: NodeEntry, definition: NodeDefinition, known: Mapping[str, Interface]
) -> Handle:
    """Add an entry, unless it is wrong by itself; `known` are the graphs that it may run."""
    found: list[Defect] = []
    Scope("", Subgraph(nodes={chosen: entry}), catalog_of(document), known, (), found.append).check()
    if wrong := [each for each in found if each.code in _SAID_AT_ONCE]:
        there = _workflow_of(document).graphs.items()
        home = next((name for name, each in there if each is document), "")
        raise InvalidWorkflow([replace(each, graph=home) for each in wrong])
    document.nodes[chosen] = entry
    return Handle(chosen, definition, document)


def _definition(document: Subgraph, node: object) -> NodeDefinition:
    catalog = catalog_of(document)
    if isinstance(node, str):
        if node in catalog:
            return catalog[node]
        near = catalog.nearest(node)
        raise BuildError(f"there is no node {node!r}{f'; did you mean {near[0]!r}?' if near else ''}")
    found = catalog.of_function(getattr(node, "__module__", ""), getattr(node, "__name__", ""))
    if found is None:
        raise BuildError(f"{shorten(node)} is no function of a node pack; is it decorated and its pack found?")
    return found


def _chosen_name(document: Subgraph, name: str, base: str) -> str:
    """The name of a new node: as it is wished, or made from `base`."""
    chosen = name or _free_name(document, base)
    if chosen in document.nodes or not NODE_NAME.fullmatch(chosen):
        reason = "is there already" if chosen in document.nodes else "is no name for a node"
        raise BuildError(f"{chosen!r} {reason}; take another name of letters, digits, _ and -")
    return chosen


def _free_name(document: Subgraph, base: str) -> str:
    """`base`, or it with the number after the last one taken; found by halving, as there may be thousands."""
    if base not in document.nodes:
        return base
    taken, free = 1, 2
    while f"{base}_{free}" in document.nodes:
        taken, free = free, 2 * free
    while free - taken > 1:
        middle = (taken + free) // 2
        taken, free = (middle, free) if f"{base}_{middle}" in document.nodes else (taken, middle)
    return f"{base}_{free}"


def _own(document: Subgraph, value: object) -> Handle:
    """A handle of this graph."""
    if not isinstance(value, Handle):
        raise BuildError(f"{shorten(value)} is no node that was added")
    if value._owner is not document:
        raise BuildError(f"{value!r} belongs to another graph; wires stay inside one")
    return value


def _place(document: Subgraph, place: object) -> str:
    """`node.input` of a handle and the name of an input."""
    if not isinstance(place, tuple) or len(place) != 2:
        raise BuildError(f'{shorten(place)} is no place; write a handle and an input of it, such as (prompt, "text")')
    handle, port = _own(document, place[0]), place[1]
    if port not in handle._definition.inputs_by_name:
        inputs = ", ".join(handle._definition.inputs_by_name) or "none"
        raise BuildError(f"{handle._shown()} has no input {port!r}; its inputs are {inputs}")
    return f"{handle._node}.{port}"


def _wire(document: Subgraph, value: object) -> str:
    """`node.output` of a handle."""
    handle = _own(document, value)
    if handle._output is not None:
        return f"{handle._node}.{handle._output}"
    outputs = list(handle._definition.outputs_by_name)
    if len(outputs) != 1:
        shown = f"say which: handle.{', handle.'.join(outputs)}" if outputs else "it has none"
        raise BuildError(f"{handle._shown()} does not stand for one output; {shown}")
    return f"{handle._node}.{outputs[0]}"


def _written(document: Subgraph, value: object) -> JsonValue:
    """What is given to an input, as it stands in a workflow file."""
    if isinstance(value, list | tuple):
        return [_entry(document, each) for each in value]
    return _entry(document, value)


def _entry(document: Subgraph, value: object) -> JsonValue:
    """A wire, or a literal in which no object can be taken for a wire."""
    if isinstance(value, Handle):
        return {"from": _wire(document, value)}
    found = _literal(value)
    return {"value": found} if isinstance(found, dict) else found


def _literal(value: object) -> JsonValue:
    match value:
        case enum.Enum():
            return _literal(value.value)
        case Path():
            return value.as_posix()
        case BaseModel():
            return value.model_dump(mode="json")
        case Mapping():
            return {str(name): _literal(each) for name, each in value.items()}
        case list() | tuple():
            return [_literal(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case Handle():
            raise BuildError(f"{value!r} is wired too deep; a wire is a value of its own, or an item of a list")
        case _:
            raise BuildError(f"{shorten(value)} cannot be written into a workflow; make it by a node and wire it")
