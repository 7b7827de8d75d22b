"""What the routes about nodes and about checking workflows take and tell."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from ..definition import NodeDefinition
from ..execution.durations import TimeClass
from ..workflow.defects import Defect, DefectCode
from .schemas import _Document


class KnownPack(_Document):
    """A node pack. nodes: how many it brings. error: why it, or a part of it, cannot be used; "" where all is well."""

    name: str
    nodes: int
    error: str


class DefinitionList(_Document):
    """All nodes. code: changes when anything in the rest does; it is the answer's ETag, too."""

    code: str
    definitions: list[NodeDefinition]
    packs: list[KnownPack]


class CheckRequest(_Document):
    """A workflow that somebody thinks of running.

    workflow: the document of a workflow file. inputs: values of its declared inputs. targets: names of nodes to go up
    to; all outputs and effects without any.
    """

    workflow: dict[str, JsonValue]
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    targets: list[str] | None = None


class DefectDocument(_Document):
    """A defect of a workflow, as `nodegraph validate` tells it."""

    code: DefectCode
    graph: str
    node: str
    input: str
    value: JsonValue
    reason: str
    remedy: str

    @classmethod
    def of(cls, defect: Defect) -> DefectDocument:
        """The document of a record."""
        return cls.model_validate(defect.to_document())


class Checked(_Document):
    """Everything that keeps a workflow from running; nothing where it can run."""

    defects: list[DefectDocument]


class PreflightNode(_Document):
    """What a run would do with one node.

    outputs: by name what is known of them, in words or as plain values. seconds: null while unknown. working: bytes
    beside inputs and outputs. gap: why time and memory are not known.
    """

    name: str
    type: str
    state: Literal["runs", "may run", "cached", "not needed"]
    outputs: dict[str, JsonValue]
    seconds: float | None
    working: int
    gap: str


class PreflightModel(_Document):
    """A model that a node reads from a file."""

    node: str
    file: str
    family: str
    precision: str
    parameters: int
    bytes: int


class PreflightMemory(_Document):
    """Bytes at the worst moment, and which node is at work then."""

    peak: int
    baseline: int
    values: int
    working: int
    node: str


PreflightTime = TypedDict("PreflightTime", {"class": TimeClass, "seconds": float})
"""How long the run takes, roughly."""


class Preflight(_Document):
    """What a run would do, need and refuse, as `nodegraph preflight --json` tells it.

    ready: whether it would run. memory: null where the workflow has defects of form. not_known: nodes whose cost is not
    known, so that memory and time are lower bounds. unread: files too large to be read for this.
    """

    ready: bool
    nodes: list[PreflightNode]
    models: list[PreflightModel]
    memory: PreflightMemory | None
    time: PreflightTime
    not_known: list[str]
    unread: list[str]
    defects: list[DefectDocument]
