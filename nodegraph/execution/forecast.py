"""Specs walked through a graph: what is known of every output, what every node costs, what the nodes would refuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ..definition import NodeDefinition
from ..errors import InvalidInput, NodegraphError
from ..ports.flow import Blocked
from ..ports.literals import by_exactness, problems
from ..ports.types import AnyType, ListType, MapType, ModelType, PathType, PortType, UnionType, item_type
from ..ports.values import ResolveFile, misfit
from ..spec import (
    Cost,
    ModelFacts,
    Predicted,
    SpecContext,
    SpecFunction,
    Unknown,
    admits_unknown,
    annotations_of,
    has_unknown,
)
from ..workflow.defects import Defect
from ..workflow.graph import Gathered, Given, Graph, GraphNode, Link, Loop, Parameter, Source, Written
from .calling import blocked_by

ANY = AnyType()


@dataclass(frozen=True, slots=True)
class NodeForecast:
    """What is known of one node. outputs: by name a spec, a value or an `Unknown`.

    gap: why its cost is not known; "" when it is. asks: see `Predicted`.
    """

    outputs: Mapping[str, object]
    cost: Cost = field(default_factory=Cost)
    models: tuple[ModelFacts, ...] = ()
    defects: tuple[Defect, ...] = ()
    gap: str = ""
    asks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A spec function with what its annotations say. takes_unknown: by parameter. context: the parameter for it."""

    function: SpecFunction
    takes_unknown: Mapping[str, bool]
    context: str | None

    @classmethod
    def of(cls, function: SpecFunction) -> LoadedSpec:
        """Read the annotations."""
        hints = annotations_of(function)
        names = inspect.signature(function).parameters
        context = next((name for name in names if hints.get(name) is SpecContext), None)
        takes = {name: admits_unknown(hints.get(name, object)) for name in names if name != context}
        return cls(function, takes, context)

    def obstacle(self, given: Mapping[str, object]) -> Unknown | None:
        """The unknown input because of which the function cannot be asked."""
        unknown = (has_unknown(value) for name, value in given.items() if not self.takes_unknown.get(name, True))
        return next((each for each in unknown if each is not None), None)

    def __call__(self, given: Mapping[str, object], context: SpecContext) -> Predicted:
        """Ask it."""
        return self.function(**given, **({self.context: context} if self.context else {}))


class Forecaster:
    """Asks the spec functions of a graph's nodes, each after those it needs.

    resolve: from kind and name to an existing file. context: where the run will compute.
    broken: nodes that cannot run, such as those whose file is missing; nothing is known of their outputs.
    parameters: what a round of a loop is given, where the graph is a loop's body.
    """

    def __init__(
        self,
        graph: Graph,
        resolve: ResolveFile,
        context: SpecContext,
        broken: frozenset[str],
        parameters: Mapping[str, object] | None = None,
    ) -> None:
        self._graph, self._resolve, self._context, self._broken = graph, resolve, context, broken
        self._parameters = parameters or {}
        self._loaded: dict[str, LoadedSpec] = {}
        self.nodes: dict[str, NodeForecast] = {}

    def walk(self) -> Mapping[str, NodeForecast]:
        """What is known of every node."""
        for name, node in self._graph.nodes.items():
            self.nodes[name] = self._node(node)
        return self.nodes

    def _node(self, node: GraphNode) -> NodeForecast:
        definition = node.definition
        if node.name in self._broken:
            return self._nothing_known(node, "it cannot run")
        if node.loop is not None:
            return self._loop(node, node.loop)
        if not definition.spec:
            return self._nothing_known(node, f"{definition.id} declares no spec")
        given, defects = self._arguments(node)
        if defects:
            return self._nothing_known(node, "it cannot run", defects)
        if (blocked := self._blocking(node)) is not None:
            return NodeForecast(dict.fromkeys(definition.outputs_by_name, blocked))
        try:
            spec = self._spec(definition)
            obstacle = spec.obstacle(given)
            if obstacle is not None:
                outputs: dict[str, object] = {port.name: obstacle for port in definition.outputs}
                return NodeForecast(outputs, gap=str(obstacle))
            predicted = spec(given, self._context)
        except InvalidInput as error:
            return self._nothing_known(node, "it cannot run", [_refused(node.name, error)])
        except NodegraphError as error:
            return self._nothing_known(node, "it cannot run", [Defect("refused", str(error), node=node.name)])
        except Exception as error:  # noqa: BLE001 - a pack's code may raise anything; the report says what
            return self._nothing_known(node, f"its spec raised {type(error).__name__}: {error}")
        return NodeForecast(self._outputs(node, predicted), predicted.cost, predicted.models, asks=predicted.asks)

    def _blocking(self, node: GraphNode) -> Blocked | None:
        """The blocked input because of which a node does not run, as in a run."""
        ports, lazy = node.definition.inputs_by_name, node.definition.lazy
        outputs = {link.node: dict(self.nodes[link.node].outputs) for link in node.links()}
        given = ((ports[name].type, self._given(source)) for name, source in node.sources.items() if name not in lazy)
        return next((found for port, source in given if (found := blocked_by(port, source, outputs)) is not None), None)

    def _given(self, source: Source) -> Source:
        """A source with what the round is given in place of its parameter."""
        return Given(self._parameters[source.name], "") if isinstance(source, Parameter) else source

    def _loop(self, node: GraphNode, loop: Loop) -> NodeForecast:
        from .forecast_loops import forecast_loop

        def walk(body: Graph, given: Mapping[str, object]) -> Mapping[str, NodeForecast]:
            return Forecaster(body, self._resolve, self._context, self._broken, given).walk()

        ports = node.definition.inputs_by_name
        given = {
            name: self._argument(ports[name].type if name in ports else ANY, source)
            for name, source in node.sources.items()
        }
        return forecast_loop(node, loop, given, walk)

    def _spec(self, definition: NodeDefinition) -> LoadedSpec:
        if definition.spec not in self._loaded:
            module, _, name = definition.spec.partition(":")
            self._loaded[definition.spec] = LoadedSpec.of(getattr(import_module(module), name))
        return self._loaded[definition.spec]

    @staticmethod
    def _nothing_known(node: GraphNode, gap: str, defects: list[Defect] | None = None) -> NodeForecast:
        outputs = {port.name: Unknown(f"{node.name}.{port.name}") for port in node.definition.outputs}
        return NodeForecast(outputs, defects=tuple(defects or ()), gap=gap)

    @staticmethod
    def _outputs(node: GraphNode, predicted: Predicted) -> dict[str, object]:
        ports = node.definition.outputs
        return {port.name: predicted.outputs.get(port.name, Unknown(f"{node.name}.{port.name}")) for port in ports}

    def _arguments(self, node: GraphNode) -> tuple[dict[str, object], list[Defect]]:
        given: dict[str, object] = {}
        defects: list[Defect] = []
        for port in node.definition.inputs:
            value = self._argument(port.type, node.sources[port.name])
            if (reason := self._misfit(node, port.name, value)) is not None:
                defects.append(Defect("refused", reason, node=node.name, input=port.name, value=_shown(value)))
            given[port.name] = value
        return given, defects

    @staticmethod
    def _misfit(node: GraphNode, port: str, value: object) -> str | None:
        """Why a plain value that comes over a wire is none for a port; what is written was checked before."""
        if not isinstance(node.sources[port], Link) or not isinstance(value, int | float | str):
            return None
        return misfit(node.definition.inputs_by_name[port].type, value)

    def _argument(self, port: PortType, source: Source) -> Any:
        match source:
            case Written(value=value):
                return with_files(port, value, self._resolve)
            case Link(node=node, output=output):
                wired = self.nodes[node].outputs[output]
                return float(wired) if type(wired) is int and getattr(port, "kind", "") == "float" else wired
            case Gathered(items=items):
                return [self._argument(item_type(port), each) for each in items]
            case Parameter(name=name):
                return self._parameters[name]
            case Given(value=value):
                return value


def with_files(port: PortType, value: JsonValue, resolve: Callable[[str, str], Path]) -> Any:
    """A written value with files in place of their names; enums and models stay as they are written, for their classes
    are node code.
    """
    match port:
        case PathType(of=kind) if isinstance(value, str):
            return resolve(kind, value)
        case ListType(item=item) if isinstance(value, list):
            return [with_files(item, each, resolve) for each in value]
        case MapType(item=item) if isinstance(value, dict):
            return {name: with_files(item, each, resolve) for name, each in value.items()}
        case ModelType(fields=fields) if isinstance(value, dict):
            types = {each.name: each.type for each in fields}
            return {name: with_files(types[name], each, resolve) for name, each in value.items()}
        case UnionType(members=members):
            fitting = (each for each in by_exactness(members, value) if not problems(each, value))
            return with_files(next(fitting), value, resolve)
        case _:
            return value


def _refused(node: str, error: InvalidInput) -> Defect:
    return Defect("refused", error.reason, error.remedy, node, error.input_name, _shown(error.value))


def _shown(value: object) -> JsonValue:
    """A value as a defect may hold it."""
    return value if isinstance(value, str | int | float | bool | None) else str(value)
