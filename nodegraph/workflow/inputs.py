"""The declared inputs of a workflow: what they are, and writing values into them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from ..definition import InputDefinition, NodeDefinition
from ..errors import InvalidWorkflow
from .calls import CALLS, definition_of, interfaces, reached_graphs
from .defects import Defect
from .model import Workflow


@dataclass(frozen=True, slots=True)
class DeclaredInput:
    """A declared input with all that is known about it.

    port: of the first place it is written to. default: what stands there now; `required` when nothing does.
    """

    name: str
    title: str
    help: str
    port: InputDefinition
    default: JsonValue
    required: bool


def port_at(workflow: Workflow, definitions: Mapping[str, NodeDefinition], place: str) -> InputDefinition | None:
    """The input that `node.input` names; None where there is none."""
    node, _, port = place.rpartition(".")
    entry = workflow.nodes.get(node)
    if entry is None:
        return None
    runs = reached_graphs(workflow.graphs, [entry.graph] if entry.type in CALLS else [])
    definition = definition_of(entry, interfaces(Workflow(graphs=runs), definitions), definitions)
    return definition.inputs_by_name.get(port) if definition else None


def declared_inputs(workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> list[DeclaredInput]:
    """The declared inputs of a workflow, those left out whose place does not exist (validation reports them)."""
    found = []
    for name, declared in workflow.inputs.items():
        port = port_at(workflow, definitions, declared.to[0])
        if port is None:
            continue
        given = workflow.nodes[declared.to[0].rpartition(".")[0]].inputs
        written = given.get(port.name, port.default)
        is_muted = workflow.nodes[declared.to[0].rpartition(".")[0]].mode == "mute"
        required = port.required and port.name not in given and not is_muted
        found.append(DeclaredInput(name, declared.title or name, declared.help or port.doc, port, written, required))
    return found


def bind_inputs(workflow: Workflow, values: Mapping[str, JsonValue]) -> Workflow:
    """The workflow with values written where its declared inputs go.

    Raises InvalidWorkflow for names it does not declare.
    """
    defects = []
    places: dict[tuple[str, str], JsonValue] = {}
    for name, value in values.items():
        declared = workflow.inputs.get(name)
        if declared is None:
            near = difflib.get_close_matches(name, workflow.inputs, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"its inputs are {', '.join(workflow.inputs) or 'none'}"
            defects.append(Defect("bad_workflow_input", f"the workflow has no input {name!r}", remedy, value=value))
            continue
        for target in declared.to:
            node, _, port = target.rpartition(".")
            if node in workflow.nodes:
                places[node, port] = value
    if defects:
        raise InvalidWorkflow(defects)
    return workflow.with_values(places)
