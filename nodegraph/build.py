"""Building workflows in Python: what stands behind `Workflow.add`, `titled`, `input`, `output` and `check`.

g = Workflow(title="Guidance")
model = g.add(load_checkpoint, checkpoint="bundled:icons")
prompt = g.add(encode_text, encoder=model.text_encoder, text="a red apple")
g.input("prompt", (prompt, "text"))
g.output("conditioning", prompt)
g.check()
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue

from .catalog import Catalog, load_catalog
from .definition import NodeDefinition
from .errors import InvalidWorkflow, NodegraphError, shorten
from .settings import load_settings
from .workflow.graph import NODE_NAME
from .workflow.model import NodeEntry, Workflow, WorkflowInput, WorkflowOutput
from .workflow.validate import find_defects


class BuildError(NodegraphError):
    """A workflow cannot be built like that."""


class Handle:
    """A node that was added, standing for its only output; `handle.name` is an output."""

    def __init__(self, node: str, definition: NodeDefinition, owner: Workflow, output: str | None = None) -> None:
        self._node, self._definition, self._owner, self._output = node, definition, owner, output

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._definition.outputs_by_name:
            outputs = ", ".join(self._definition.outputs_by_name) or "none"
            raise BuildError(f"{self._shown()} has no output {name!r}; its outputs are {outputs}")
        return Handle(self._node, self._definition, self._owner, name)

    def __iter__(self) -> Iterator[Handle]:
        """The outputs one by one, for `image, files = g.add(save_image, ...)`."""
        return (getattr(self, name) for name in self._definition.outputs_by_name)

    def __bool__(self) -> bool:
        raise BuildError(f"{self._shown()} has no value while the workflow is built; it cannot decide an if")

    def __repr__(self) -> str:
        return f"<{self._node}{f'.{self._output}' if self._output else ''}>"

    def _shown(self) -> str:
        return f"{self._node!r} ({self._definition.id})"


def add_node(workflow: Workflow, node: object, name: str, inputs: Mapping[str, Any]) -> Handle:
    """See `Workflow.add`."""
    definition = _definition(workflow, node)
    chosen = name or _free_name(workflow, definition.id.rpartition(".")[2])
    if chosen in workflow.nodes or not NODE_NAME.fullmatch(chosen):
        reason = "is there already" if chosen in workflow.nodes else "is no name for a node"
        raise BuildError(f"{chosen!r} {reason}; take another name of letters, digits, _ and -")
    written = {port: _document(workflow, value) for port, value in inputs.items()}
    entry = NodeEntry(type=definition.id, version=definition.version, inputs=written)
    wrong = find_defects(Workflow(nodes={chosen: entry}), catalog_of(workflow))
    if wrong := [each for each in wrong if each.code in ("unknown_input", "bad_value", "bad_link")]:
        raise InvalidWorkflow(wrong)
    workflow.nodes[chosen] = entry
    return Handle(chosen, definition, workflow)


def title_node(workflow: Workflow, handle: object, title: str) -> None:
    """See `Workflow.titled`."""
    name = _own(workflow, handle)._node
    workflow.nodes[name] = workflow.nodes[name].model_copy(update={"title": title})


def declare_input(
    workflow: Workflow, name: str, places: Sequence[tuple[object, str]], title: str, help_text: str
) -> None:
    """See `Workflow.input`."""
    if not places or name in workflow.inputs:
        reason = "is there already" if places else 'goes nowhere; name a place, such as (prompt, "text")'
        raise BuildError(f"the input {name!r} {reason}")
    targets = [_place(workflow, place) for place in places]
    workflow.inputs[name] = WorkflowInput(to=targets, title=title, help=help_text)


def declare_output(workflow: Workflow, name: str, source: object, title: str) -> None:
    """See `Workflow.output`."""
    if name in workflow.outputs:
        raise BuildError(f"the output {name!r} is there already")
    workflow.outputs[name] = WorkflowOutput(source=_wire(workflow, source), title=title)


def check_whole(workflow: Workflow) -> None:
    """See `Workflow.check`."""
    if defects := find_defects(workflow, catalog_of(workflow)):
        raise InvalidWorkflow(defects)


def catalog_of(workflow: Workflow) -> Catalog:
    """The nodes that a workflow is built with, read when first needed."""
    if workflow._catalog is None:
        workflow.using(load_catalog(load_settings()))
    assert workflow._catalog is not None
    return workflow._catalog


def _definition(workflow: Workflow, node: object) -> NodeDefinition:
    catalog = catalog_of(workflow)
    if isinstance(node, str):
        if node in catalog:
            return catalog[node]
        near = catalog.nearest(node)
        raise BuildError(f"there is no node {node!r}{f'; did you mean {near[0]!r}?' if near else ''}")
    found = catalog.of_function(getattr(node, "__module__", ""), getattr(node, "__name__", ""))
    if found is None:
        raise BuildError(f"{shorten(node)} is no function of a node pack; is it decorated and its pack found?")
    return found


def _free_name(workflow: Workflow, base: str) -> str:
    """`base`, or it with the number after the last one taken; found by halving, as there may be thousands."""
    if base not in workflow.nodes:
        return base
    taken, free = 1, 2
    while f"{base}_{free}" in workflow.nodes:
        taken, free = free, 2 * free
    while free - taken > 1:
        middle = (taken + free) // 2
        taken, free = (middle, free) if f"{base}_{middle}" in workflow.nodes else (taken, middle)
    return f"{base}_{free}"


def _own(workflow: Workflow, value: object) -> Handle:
    """A handle of this workflow."""
    if not isinstance(value, Handle):
        raise BuildError(f"{shorten(value)} is no node that was added")
    if value._owner is not workflow:
        raise BuildError(f"{value!r} belongs to another workflow")
    return value


def _place(workflow: Workflow, place: object) -> str:
    """`node.input` of a handle and the name of an input."""
    if not isinstance(place, tuple) or len(place) != 2:
        raise BuildError(f'{shorten(place)} is no place; write a handle and an input of it, such as (prompt, "text")')
    handle, port = _own(workflow, place[0]), place[1]
    if port not in handle._definition.inputs_by_name:
        inputs = ", ".join(handle._definition.inputs_by_name) or "none"
        raise BuildError(f"{handle._shown()} has no input {port!r}; its inputs are {inputs}")
    return f"{handle._node}.{port}"


def _wire(workflow: Workflow, value: object) -> str:
    """`node.output` of a handle."""
    handle = _own(workflow, value)
    if handle._output is not None:
        return f"{handle._node}.{handle._output}"
    outputs = list(handle._definition.outputs_by_name)
    if len(outputs) != 1:
        shown = f"say which: handle.{', handle.'.join(outputs)}" if outputs else "it has none"
        raise BuildError(f"{handle._shown()} does not stand for one output; {shown}")
    return f"{handle._node}.{outputs[0]}"


def _document(workflow: Workflow, value: object) -> JsonValue:
    """What is given to an input, as it stands in a workflow file."""
    if isinstance(value, list | tuple):
        return [_entry(workflow, each) for each in value]
    return _entry(workflow, value)


def _entry(workflow: Workflow, value: object) -> JsonValue:
    """A wire, or a literal in which no object can be taken for a wire."""
    if isinstance(value, Handle):
        return {"from": _wire(workflow, value)}
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
