"""The workflow file `nodegraph/1` as pydantic models; see design decisions in docs/workflow-file.md."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self, TypeAlias, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr, ValidationError

from ..collecting import collection_paused
from ..errors import WorkflowFormatError
from ..files import write_atomically
from ..strict_json import finite, refuse_constant, unique_pairs
from .migrations import FORMAT, migrate

if TYPE_CHECKING:
    from ..catalog import Catalog

R = TypeVar("R")

Names: TypeAlias = str | Sequence[str]
"""One name or several."""

Mode: TypeAlias = Literal["", "bypass", "mute"]
"""Whether a node is left out of runs, and how."""

MAX_FILE_BYTES = 64 * 2**20
"""Larger files are refused before they are parsed."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class NodeEntry(_Document):
    """One node: its type and what is written into or wired to its inputs.

    inputs: by name a scalar or list (a literal), `{"from": "node.output"}` (a wire), a list that may mix literals and
        wires, or `{"value": ...}` (a literal of any form, needed for JSON objects).

    mode: "bypass": its inputs stand in for its outputs. "mute": it does not run, nor what cannot do without it.

    The rest belongs to the types "graph", "for_each" and "repeat", which run a graph of the file:

    graph: its name in `graphs`; the node has that graph's inputs and outputs.
    each: for_each: the inputs that get lists, one item for each round.
    carry: repeat: names that are both inputs and outputs; what a round gives is what the next one gets.
    collect: repeat: outputs that are gathered in lists, one item from each round.
    until: repeat: the output that ends it when it is true.
    index: the input that gets the number of the round, from 0.
    """

    type: str
    version: str = "1"
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    title: str = ""
    mode: Mode = ""
    graph: str = ""
    each: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    collect: tuple[str, ...] = ()
    until: str = ""
    index: str = ""


class WorkflowInput(_Document):
    """A value that the user of the workflow is asked for; its default is what the nodes hold.

    to: the inputs it is written to, each `node.input`.
    """

    to: list[str] = Field(min_length=1)
    title: str = ""
    help: str = ""


class WorkflowOutput(_Document):
    """A result of the workflow: `{"from": "node.output"}`."""

    source: str = Field(alias="from")
    title: str = ""


class Subgraph(_Document):
    """A graph of nodes with declared inputs and outputs.

    layout: the editor's alone; it never changes what is computed.
    """

    # It is read from a file or built node by node. It grows by `add`, `call`, `for_each`, `repeat`, `titled`, `input`
    # and `output`; whatever else changes it makes another, which shares nothing that grows. Equal documents are equal.

    title: str = ""
    description: str = ""
    nodes: dict[str, NodeEntry] = Field(default_factory=dict)
    inputs: dict[str, WorkflowInput] = Field(default_factory=dict)
    outputs: dict[str, WorkflowOutput] = Field(default_factory=dict)
    layout: dict[str, JsonValue] = Field(default_factory=dict)
    _owner: Workflow | None = PrivateAttr(default=None)
    _catalog: Catalog | None = PrivateAttr(default=None)

    def using(self, catalog: Catalog) -> Self:
        """Build with these nodes instead of those of this installation; gives the graph itself."""
        (self._owner or self)._catalog = catalog
        return self

    @overload
    def add(self, node: str, name: str = ..., /, **inputs: Any) -> Any: ...

    @overload
    def add(self, node: Callable[..., Coroutine[Any, Any, R]], name: str = ..., /, **inputs: Any) -> R: ...

    @overload
    def add(self, node: Callable[..., R], name: str = ..., /, **inputs: Any) -> R: ...

    def add(self, node: Any, name: str = "", /, **inputs: Any) -> Any:
        """Add a node and wire it; gives a `nodegraph.build.Handle`, which stands for what the node will return.

        Names and written values are checked here, what needs the whole workflow (types of wires) by `check`. For type
        checkers the handle is what the function returns, so that its outputs are known.

        node: a function decorated with `@node`, or a node's id. name: in the file; by default after the function.
        inputs: handles, values, or lists of both. Raises BuildError or InvalidWorkflow, and adds nothing then.
        """
        from ..build import add_node

        return add_node(self, node, name, inputs)

    def call(self, graph: Subgraph | str, name: str = "", /, **inputs: Any) -> Any:
        """Add a node that stands for a graph of the workflow; gives a handle, as `add` does.

        graph: what `Workflow.graph` gave, or its name; it is as it is now, so build it first. name: in the file; by
        default the graph's. inputs: those that the graph declares; one that is left out keeps what the graph holds.
        """
        from ..build import add_call

        return add_call(self, "graph", graph, name, {}, inputs)

    def for_each(self, graph: Subgraph | str, name: str = "", /, *, each: Names, index: str = "", **inputs: Any) -> Any:
        """Add a node that runs a graph of the workflow for every item of lists; see `call`.

        each: the inputs that get lists. index: the input that gets the number of the round, from 0.
        inputs: one that is called like an option is given with one more underscore: `each_` for an input `each`,
            `each__` for an input `each_`.
        """
        from ..build import add_call

        return add_call(self, "for_each", graph, name, {"each": each, "index": index}, inputs)

    def repeat(
        self,
        graph: Subgraph | str,
        name: str = "",
        /,
        *,
        carry: Names = (),
        collect: Names = (),
        until: str = "",
        index: str = "",
        **inputs: Any,
    ) -> Any:
        """Add a node that runs a graph of the workflow again and again; see `call`.

        carry: names that are both inputs and outputs; what a round gives is what the next one gets.
        collect: outputs that are gathered in lists, one item from each round.
        until: the output that ends it when it is true. index: the input that gets the number of the round, from 0.
        inputs: those of the graph, `times` and `limit`; named as `for_each` says.
        """
        from ..build import add_call

        options = {"carry": carry, "collect": collect, "until": until, "index": index}
        return add_call(self, "repeat", graph, name, options, inputs)

    def titled(self, handle: Any, title: str) -> None:
        """Give a node a title for people."""
        from ..build import title_node

        title_node(self, handle, title)

    def bypass(self, handle: Any) -> None:
        """Leave a node out of runs: its inputs stand in for its outputs."""
        from ..build import set_mode

        set_mode(self, handle, "bypass")

    def mute(self, handle: Any) -> None:
        """Leave a node out of runs, and with it what cannot do without it."""
        from ..build import set_mode

        set_mode(self, handle, "mute")

    def input(self, name: str, *places: tuple[Any, str], title: str = "", help: str = "") -> None:
        """Declare an input of the graph; its default is what stands where it is written.

        places: each a handle and the name of one of its inputs, such as `(prompt, "text")`.
        """
        from ..build import declare_input

        declare_input(self, name, places, title, help)

    def output(self, name: str, source: Any, *, title: str = "") -> None:
        """Declare a result of the graph: the output that a handle stands for."""
        from ..build import declare_output

        declare_output(self, name, source, title)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, of which what `update` names is changed."""
        return super().model_copy(update=update, deep=deep)._apart()

    def __copy__(self) -> Self:
        return super().__copy__()._apart()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        copied = self.__copy__()  # what is private is no part of the document: the catalog is the same one
        copied.__dict__.update(copy.deepcopy(copied.__dict__, memo))
        return copied._apart()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subgraph) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def _apart(self) -> Self:
        """The same graph with dictionaries of its own, so that no other grows with it."""
        own = {name: dict(value) for name, value in self.__dict__.items() if isinstance(value, dict)}
        self.__dict__.update(own)
        return self

    def _inside(self, workflow: Workflow) -> Subgraph:
        """A copy that belongs to a workflow."""
        copied = Subgraph.model_construct(**{name: self.__dict__[name] for name in Subgraph.model_fields})._apart()
        copied._owner = workflow
        return copied


class Workflow(Subgraph):
    """A graph of nodes with declared inputs and outputs. Equal documents are equal workflows.

    graphs: more graphs by name, which nodes of the types "graph", "for_each" and "repeat" run.
    layout: the editor's alone; it never changes what is computed.
    """

    # It grows like any graph, and by `graph`.

    format: Literal["nodegraph/1"] = FORMAT
    graphs: dict[str, Subgraph] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | str) -> Workflow:
        """Read a workflow file of any format version there ever was.

        Raises WorkflowFormatError saying what is wrong and where.
        """
        path = Path(path)
        try:
            size = path.stat().st_size
            if size > MAX_FILE_BYTES:
                raise WorkflowFormatError(f"{path}: {size:,} bytes; a workflow has at most {MAX_FILE_BYTES:,}")
            with path.open("rb") as file:
                return cls.read(file, source=str(path))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise WorkflowFormatError(f"{path}: cannot be read: {reason}") from error

    @classmethod
    def read(cls, stream: BinaryIO, *, source: str = "workflow") -> Workflow:
        """Read a workflow from a stream, of which no more is read than a workflow may have."""
        text = stream.read(MAX_FILE_BYTES + 1)
        if len(text) > MAX_FILE_BYTES:
            raise WorkflowFormatError(f"{source}: it goes on after {MAX_FILE_BYTES:,} bytes, the most of a workflow")
        return cls.parse(text, source=source)

    @classmethod
    @collection_paused()
    def parse(cls, text: str | bytes, *, source: str = "workflow") -> Workflow:
        """Read a workflow from JSON text; `source` names it in messages."""
        try:
            document = json.loads(
                text, parse_constant=refuse_constant, parse_float=finite, object_pairs_hook=unique_pairs
            )
            json.dumps(document, ensure_ascii=False).encode()  # fails on half a character, which JSON can escape
        except RecursionError as error:
            raise WorkflowFormatError(f"{source}: it is nested too deeply to be a workflow") from error
        except (ValueError, UnicodeDecodeError) as error:
            raise WorkflowFormatError(f"{source}: it is no valid JSON: {error}") from error
        return cls.from_document(document, source=source)

    @classmethod
    def from_document(cls, document: object, *, source: str = "workflow") -> Workflow:
        """Read a workflow from parsed JSON, migrating older formats."""
        try:
            return _sharing(cls.model_validate(migrate(document, source=source)))
        except ValidationError as error:
            lines = [f"  - {_place(each['loc'])}: {each['msg']}" for each in error.errors(include_input=False)[:20]]
            raise WorkflowFormatError("\n".join([f"{source}: it is no {FORMAT} workflow:", *lines])) from error
        except RecursionError as error:
            raise WorkflowFormatError(f"{source}: it is nested too deeply to be a workflow") from error

    def to_document(self) -> dict[str, JsonValue]:
        """The file's content: defaults left out, `format` first."""
        return {"format": FORMAT, **self.model_dump(mode="json", by_alias=True, exclude_defaults=True)}

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps(self.to_document(), indent=2, ensure_ascii=False) + "\n"

    def save(self, path: Path | str) -> None:
        """Write the file; a reader sees the old one or the new one."""
        write_atomically(Path(path), self.to_json().encode())

    def with_values(self, values: Mapping[tuple[str, str], JsonValue]) -> Workflow:
        """A copy in which inputs, named (node, input), hold other values."""
        nodes = dict(self.nodes)
        for (name, port), value in values.items():
            held = {"value": value} if isinstance(value, dict) else value
            nodes[name] = nodes[name].model_copy(update={"inputs": {**nodes[name].inputs, port: held}})
        return self.model_copy(update={"nodes": nodes})

    def graph(
        self,
        name: str,
        document: Subgraph | None = None,
        /,
        *,
        title: str = "",
        description: str = "",
        layout: Mapping[str, JsonValue] | None = None,
    ) -> Subgraph:
        """Add a graph that nodes can run by `call`, `for_each` and `repeat`; it grows like the workflow.

        document: what it begins as; a copy is taken. A workflow brings its own graphs along. title, description,
            layout: written over those of `document`, where given.
        Raises BuildError where the workflow has another graph of the same name, and adds nothing then.
        """
        from ..build import add_graph

        given = {"title": title, "description": description, "layout": dict(layout or {})}
        return add_graph(self, name, document, {key: value for key, value in given.items() if value})

    def check(self) -> Self:
        """The workflow itself, checked as a whole; raises InvalidWorkflow with every defect."""
        from ..build import check_whole

        check_whole(self)
        return self

    def model_post_init(self, context: Any, /) -> None:
        """Whatever the workflow was made of, its graphs are its own."""
        self._apart()

    def _apart(self) -> Self:
        super()._apart()
        self.graphs.update({name: each._inside(self) for name, each in self.graphs.items()})
        return self


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of workflow files."""
    schema = Workflow.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "nodegraph workflow", **schema}


def _sharing(workflow: Workflow) -> Workflow:
    """The same workflow, in which nodes that say the same kind of things share pydantic's notes of what was said."""
    known: dict[frozenset[str], set[str]] = {}
    for document in (workflow, *workflow.graphs.values()):
        for entry in document.nodes.values():
            said = entry.__pydantic_fields_set__
            object.__setattr__(entry, "__pydantic_fields_set__", known.setdefault(frozenset(said), said))
    return workflow


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the file"
