"""Preflight: what a run would do, need and refuse, told from files' headers and specs without running anything."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pydantic import JsonValue

from ..collecting import collection_paused
from ..errors import InvalidWorkflow
from ..files import size_of
from ..plugins import make_importable
from ..spec import ModelFacts, SpecContext
from ..workflow.defects import Defect
from ..workflow.graph import Graph, GraphNode, Link, Written, links_of
from ..workflow.inputs import bind_inputs
from ..workflow.model import Workflow
from ..workflow.validate import check
from .durations import START_SECONDS, TimeClass, seconds_of, time_class
from .forecast import Forecaster, NodeForecast
from .keys import asked_for
from .memory import MemoryForecast, forecast_memory
from .plan import Plan, targets_of
from .run import Runner

State: TypeAlias = Literal["runs", "may run", "cached", "not needed"]

LARGEST_HASHED = 256_000_000
"""Bytes up to which preflight reads a file whose digest it does not know yet; larger ones would take seconds."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What preflight says of one node.

    state: whether it will run; "may run" where that depends on what other nodes ask for. outputs: by name a spec, a
    plain value or an `Unknown`. seconds: its time, None while unknown. working: bytes beside inputs and outputs.
    gap: why time and memory are not known; "" when they are.
    """

    name: str
    type: str
    state: State
    outputs: Mapping[str, object]
    seconds: float | None
    working: int
    gap: str


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A model in a file. node: which one reads it. name: of the file."""

    node: str
    name: str
    facts: ModelFacts


@dataclass(frozen=True, slots=True)
class Report:
    """What preflight found.

    nodes: in the order of the graph. defects: all that a run would refuse, files that are missing included.
    memory: None when the workflow has defects of form. seconds: of the whole run, without what is not known.
    gaps: nodes that will run and whose cost is not known: memory and seconds are then lower bounds.
    unread: files that were too large to read for this, so that their nodes count as not cached.
    """

    nodes: tuple[NodeReport, ...] = ()
    models: tuple[UsedModel, ...] = ()
    defects: tuple[Defect, ...] = ()
    memory: MemoryForecast | None = None
    seconds: float = 0.0
    gaps: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def time_class(self) -> TimeClass:
        """How long the run takes, roughly."""
        return time_class(self.seconds)


@collection_paused()
def preflight(
    runner: Runner,
    workflow: Workflow,
    inputs: Mapping[str, JsonValue] | None = None,
    *,
    targets: Iterable[str] | None = None,
    use_cache: bool = True,
) -> Report:
    """What `runner.run` with the same arguments would do. Reads headers of files; runs no node and loads no weights.

    Raises nothing for a bad workflow: the report lists the defects.
    """
    try:
        bound = bind_inputs(workflow, inputs or {})
        graph = check(bound, runner.catalog)
        wanted = targets_of(graph, targets)
    except InvalidWorkflow as error:
        return Report(defects=error.defects)
    return _Preflight(runner, graph, wanted, use_cache=use_cache).report()


class _Preflight:
    """One look at one graph."""

    def __init__(self, runner: Runner, graph: Graph, targets: tuple[str, ...], *, use_cache: bool) -> None:
        self.runner, self.graph, self.targets, self.use_cache = runner, graph, targets, use_cache
        self.unread: dict[str, None] = {}
        self.context = SpecContext(
            device=runner.policy.device, precision=runner.policy.precision, threads=runner.policy.threads
        )

    def report(self) -> Report:
        missing = self.runner.file_defects(self.graph)
        for pack in self.runner.catalog.packs.values():
            make_importable(pack)
        broken = frozenset(each.node for each in missing)
        nodes = Forecaster(self.graph, self.runner.files.resolve, self.context, broken).walk()
        plan, sure = self._plan(nodes)
        used = {*plan.order, *plan.cached}
        refused = [defect for name in self.graph.nodes if name in used for defect in nodes[name].defects]
        seconds = {name: seconds_of(nodes[name].cost, self.context) for name in self.graph.nodes}
        running = [name for name in plan.order if not nodes[name].gap]
        kept = self.runner.settings.memory_cache_bytes if self.use_cache else 0
        return Report(
            nodes=tuple(self._node(name, nodes[name], plan, sure, seconds[name]) for name in self.graph.nodes),
            models=tuple(self._models(nodes)),
            defects=(*missing, *refused),
            memory=forecast_memory(plan, nodes, kept=kept),
            seconds=sum(seconds[name] for name in running) + (START_SECONDS if plan.order else 0.0),
            gaps=tuple(name for name in plan.order if nodes[name].gap),
            unread=tuple(self.unread),
        )

    def _plan(self, nodes: Mapping[str, NodeForecast]) -> tuple[Plan, set[str]]:
        """The plan without the nodes that will not be asked for, and the nodes that will run whatever others give."""
        plan, _ = self.runner.planned(self.graph, self.targets, self._digest, use_cache=self.use_cache)
        possible = _reached(plan, nodes, doubtful=True)
        order = tuple(name for name in plan.order if name in possible)
        return replace(plan, order=order, cached=plan.cached & possible), _reached(plan, nodes, doubtful=False)

    def _digest(self, kind: str, name: str) -> str:
        """A file's digest; for a file that is missing or not worth reading now one that no result has."""
        try:
            path = self.runner.files.resolve(kind, name)
            known = self.runner.digests.known(path)
            if known is None and size_of(path) > LARGEST_HASHED:
                self.unread[name] = None
                return secrets.token_hex(32)
            return known or self.runner.digests.digest(path)
        except Exception:  # noqa: BLE001 - told as a defect already, or by the run
            return secrets.token_hex(32)

    def _node(self, name: str, found: NodeForecast, plan: Plan, sure: set[str], seconds: float) -> NodeReport:
        running: State = "runs" if name in sure else "may run"
        state: State = "cached" if name in plan.cached else running if name in plan.order else "not needed"
        definition = self.graph.nodes[name].definition
        return NodeReport(
            name, definition.id, state, found.outputs, None if found.gap else seconds, found.cost.working, found.gap
        )

    def _models(self, nodes: Mapping[str, NodeForecast]) -> list[UsedModel]:
        return [
            UsedModel(name, _file_name(self.graph.nodes[name], facts), facts)
            for name, found in nodes.items()
            for facts in found.models
        ]


def _reached(plan: Plan, nodes: Mapping[str, NodeForecast], *, doubtful: bool) -> set[str]:
    """The nodes whose results a run looks at. doubtful: also those for which it may turn out not to ask."""
    found: set[str] = set()
    waiting = list(plan.targets)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name not in plan.cached:
            waiting += [link.node for link in _wires(plan.graph.nodes[name], nodes[name].asks, doubtful=doubtful)]
    return found


def _wires(node: GraphNode, asks: tuple[str, ...] | None, *, doubtful: bool) -> Iterator[Link]:
    for name, source in node.sources.items():
        if name not in node.definition.lazy or (asks is None and doubtful):
            yield from links_of(source)
    for asked in asks or ():
        yield from links_of(asked_for(node, asked)[1])


def _file_name(node: GraphNode, facts: ModelFacts) -> str:
    source = node.sources.get(facts.input)
    return str(source.value) if isinstance(source, Written) else str(source) if isinstance(source, Link) else ""
