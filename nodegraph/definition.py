"""A node's definition as data: everything about a node that can be known without running its code."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue

from .ports.flow import Laziness
from .ports.types import PortType, has_variable
from .ports.widgets import Widget

CachePolicy: TypeAlias = Literal["content", "never"]
Lane: TypeAlias = Literal["device", "cpu", "io"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputDefinition(_Frozen):
    """One input: wired or written by hand. lazy: whether it is computed only when the node asks."""

    name: str
    type: PortType
    required: bool
    default: JsonValue = None
    widget: Widget | None = None
    lazy: Laziness = ""
    doc: str = ""


class OutputDefinition(_Frozen):
    """One output. may_block: the node may give a `Blocked` in its place."""

    name: str
    type: PortType
    may_block: bool = False
    doc: str = ""


class NodeDefinition(_Frozen):
    """A node type.

    id: what workflow files call it. version: changes when its meaning does.
    module, function: where a worker finds the code; `pack` names the pack that holds it.
    fingerprint: SHA-256 over the sources in the static import closure of the module within its pack.
    numeric: the packages whose version changes results ("torch", ...), as far as the closure imports them.
    effect: it writes something, so it always runs. cache: "never" for nodes that read what no key can see.
    lane: "device" runs one node at a time; "cpu" runs beside it where the device is another than the CPU; "io" runs
        beside both, many at once.
    expands: it may give a workflow that takes its place.
    spec: "module:function" of its spec function, "" when it declares none.
    """

    id: str
    version: str
    category: str
    title: str
    doc: str = ""
    pack: str
    module: str
    function: str
    inputs: tuple[InputDefinition, ...]
    outputs: tuple[OutputDefinition, ...]
    effect: bool = False
    cache: CachePolicy = "content"
    lane: Lane = "device"
    takes_context: bool = False
    spec: str = ""
    expands: bool = False
    fingerprint: str = ""
    numeric: tuple[str, ...] = ()

    @cached_property
    def inputs_by_name(self) -> dict[str, InputDefinition]:
        """The inputs under their names."""
        return {port.name: port for port in self.inputs}

    @cached_property
    def outputs_by_name(self) -> dict[str, OutputDefinition]:
        """The outputs under their names."""
        return {port.name: port for port in self.outputs}

    @property
    def reusable(self) -> bool:
        """Whether a result may stand for another call with the same key."""
        return not self.effect and self.cache != "never"

    @cached_property
    def lazy(self) -> frozenset[str]:
        """The names of the lazy inputs."""
        return frozenset(port.name for port in self.inputs if port.lazy)

    @cached_property
    def generic(self) -> bool:
        """Whether a type variable occurs among the inputs."""
        return any(has_variable(port.type) for port in self.inputs)
