"""Building workflows in Python: nodes are added by their functions, wired by what `add` returns, and checked at once.

g = Builder(title="Text to image")
model = g.add(load_checkpoint, checkpoint="bundled:icons")
prompt = g.add(encode_text, encoder=model.text_encoder, text="a red apple")
g.input("prompt", prompt["text"])
workflow = g.build()
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

from pydantic import BaseModel, JsonValue

from .catalog import Catalog, load_catalog
from .definition import NodeDefinition
from .errors import InvalidWorkflow, NodegraphError, shorten
from .settings import load_settings
from .workflow.graph import NODE_NAME
from .workflow.model import NodeEntry, Workflow, WorkflowInput, WorkflowOutput
from .workflow.validate import find_defects

R = TypeVar("R")


class BuildError(NodegraphError):
    """A workflow cannot be built like that."""


class Place:
    """An input of a node that was added; what `g.input` takes."""

    def __init__(self, node: str, port: str) -> None:
        self.text = f"{node}.{port}"


class Handle:
    """A node that was added, standing for its only output; `handle.name` is an output, `handle["name"]` an input."""

    def __init__(self, node: str, definition: NodeDefinition, owner: Builder, output: str | None = None) -> None:
        self._node, self._definition, self._owner, self._output = node, definition, owner, output

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._definition.outputs_by_name:
            outputs = ", ".join(self._definition.outputs_by_name) or "none"
            raise BuildError(f"{self._shown()} has no output {name!r}; its outputs are {outputs}")
        return Handle(self._node, self._definition, self._owner, name)

    def __getitem__(self, name: str) -> Place:
        if name not in self._definition.inputs_by_name:
            inputs = ", ".join(self._definition.inputs_by_name) or "none"
            raise BuildError(f"{self._shown()} has no input {name!r}; its inputs are {inputs}")
        return Place(self._node, name)

    def __iter__(self) -> Iterator[Handle]:
        """The outputs one by one, for `image, files = g.add(save_image, ...)`."""
        return (getattr(self, name) for name in self._definition.outputs_by_name)

    def __bool__(self) -> bool:
        raise BuildError(f"{self._shown()} has no value while the workflow is built; it cannot decide an if")

    def __repr__(self) -> str:
        return f"<{self._node}{f'.{self._output}' if self._output else ''}>"

    def _shown(self) -> str:
        return f"{self._node!r} ({self._definition.id})"


class Builder:
    """Makes a workflow node by node. What does not fit is said by the line that adds it.

    catalog: the nodes there are; by default those of this installation.
    """

    def __init__(
        self,
        *,
        title: str = "",
        description: str = "",
        layout: Mapping[str, JsonValue] | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self._catalog = catalog if catalog is not None else load_catalog(load_settings())
        self._by_function = {(each.module, each.function): each for each in self._catalog.values()}
        self._workflow = Workflow(title=title, description=description, layout=dict(layout or {}))
        self._nodes: dict[str, NodeEntry] = {}
        self._inputs: dict[str, WorkflowInput] = {}
        self._outputs: dict[str, WorkflowOutput] = {}

    @overload
    def add(self, node: str, name: str = ..., /, **inputs: Any) -> Any: ...

    @overload
    def add(self, node: Callable[..., R], name: str = ..., /, **inputs: Any) -> R: ...

    def add(self, node: Any, name: str = "", /, **inputs: Any) -> Any:
        """Add a node and wire it; gives a `Handle`.

        Names and written values are checked here, what needs the whole workflow (types of wires) by `build`. For type
        checkers the handle is what the function returns, so that its outputs are known.

        node: a function decorated with `@node`, or a node's id. name: in the file; by default after the function.
        inputs: handles, values, or lists of both. Raises BuildError or InvalidWorkflow, and adds nothing then.
        """
        definition = self._definition(node)
        chosen = name or self._free_name(definition.id.rpartition(".")[2])
        if chosen in self._nodes or not NODE_NAME.fullmatch(chosen):
            reason = "is there already" if chosen in self._nodes else "is no name for a node"
            raise BuildError(f"{chosen!r} {reason}; take another name of letters, digits, _ and -")
        written = {port: self._document(value) for port, value in inputs.items()}
        entry = NodeEntry(type=definition.id, version=definition.version, inputs=written)
        wrong = find_defects(Workflow(nodes={chosen: entry}), self._catalog)
        if wrong := [each for each in wrong if each.code in ("unknown_input", "bad_value", "bad_link")]:
            raise InvalidWorkflow(wrong)
        self._nodes[chosen] = entry
        return Handle(chosen, definition, self)

    def input(self, name: str, *places: Place, title: str = "", help: str = "") -> None:
        """Declare an input of the workflow, written to `places`; its default is what stands there."""
        if not places or name in self._inputs:
            reason = "is there already" if places else "goes nowhere; name a place, such as handle['text']"
            raise BuildError(f"the input {name!r} {reason}")
        self._inputs[name] = WorkflowInput(to=[place.text for place in places], title=title, help=help)

    def output(self, name: str, source: Any, *, title: str = "") -> None:
        """Declare a result of the workflow: the output that a handle stands for."""
        if name in self._outputs:
            raise BuildError(f"the output {name!r} is there already")
        self._outputs[name] = WorkflowOutput(source=self._wire(source), title=title)

    def titled(self, handle: Any, title: str) -> None:
        """Give a node a title for people."""
        name = _checked(handle)._node
        self._nodes[name] = self._nodes[name].model_copy(update={"title": title})

    def build(self) -> Workflow:
        """The workflow, checked as a whole; raises InvalidWorkflow with every defect."""
        workflow = self._workflow.model_copy(
            update={"nodes": dict(self._nodes), "inputs": dict(self._inputs), "outputs": dict(self._outputs)}
        )
        if defects := find_defects(workflow, self._catalog):
            raise InvalidWorkflow(defects)
        return workflow

    def _definition(self, node: object) -> NodeDefinition:
        if isinstance(node, str):
            if node in self._catalog:
                return self._catalog[node]
            near = self._catalog.nearest(node)
            raise BuildError(f"there is no node {node!r}{f'; did you mean {near[0]!r}?' if near else ''}")
        place = getattr(node, "__module__", ""), getattr(node, "__name__", "")
        found = self._by_function.get(place)
        if found is None:
            raise BuildError(f"{shorten(node)} is no function of a node pack; is it decorated and its pack found?")
        return found

    def _free_name(self, base: str) -> str:
        names = itertools.chain([base], (f"{base}_{number}" for number in itertools.count(2)))
        return next(name for name in names if name not in self._nodes)

    def _wire(self, value: object) -> str:
        handle = _checked(value)
        if handle._owner is not self:
            raise BuildError(f"{handle!r} belongs to another workflow")
        if handle._output is not None:
            return f"{handle._node}.{handle._output}"
        outputs = list(handle._definition.outputs_by_name)
        if len(outputs) != 1:
            shown = f"say which: handle.{', handle.'.join(outputs)}" if outputs else "it has none"
            raise BuildError(f"{handle._shown()} does not stand for one output; {shown}")
        return f"{handle._node}.{outputs[0]}"

    def _document(self, value: Any) -> JsonValue:
        """A value as it stands in a workflow file."""
        match value:
            case Handle():
                return {"from": self._wire(value)}
            case enum.Enum():
                return self._document(value.value)
            case Path():
                return value.as_posix()
            case BaseModel():
                return {"value": value.model_dump(mode="json")}
            case Mapping():
                return {"value": dict(value)}
            case list() | tuple():
                return [self._document(each) for each in value]
            case None | bool() | int() | float() | str():
                return value
            case _:
                raise BuildError(f"{shorten(value)} cannot be written into a workflow; make it by a node and wire it")


def _checked(value: object) -> Handle:
    if not isinstance(value, Handle):
        raise BuildError(f"{shorten(value)} is no node that was added")
    return value
