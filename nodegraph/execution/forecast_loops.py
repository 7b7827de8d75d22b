"""Loops before they run: the rounds of a loop are forecast one after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..ports.flow import Blocked
from ..spec import Cost, ModelFacts, Spec, Unknown, has_unknown
from ..workflow.defects import Defect
from ..workflow.graph import Graph, GraphNode, Loop
from .forecast import NodeForecast
from .memory import forecast_memory
from .plan import Plan
from .regions import no_round

MOST_ROUNDS = 64
"""Rounds that are looked at one by one; further ones count as the last of these."""

Walk = Callable[[Graph, Mapping[str, object]], Mapping[str, NodeForecast]]
"""Forecasts of a body's nodes, given what a round is given."""


@dataclass(slots=True)
class _Rounds:
    """What the rounds of a loop have come to so far."""

    body: Graph
    count: int = 0
    working: int = 0
    work: float = 0.0
    seconds: float = 0.0
    gap: str = ""
    models: dict[ModelFacts, None] = field(default_factory=dict)
    defects: dict[str, Defect] = field(default_factory=dict)

    def add(self, found: Mapping[str, NodeForecast]) -> dict[str, object]:
        """Take a round in; gives its outputs."""
        order = self.body.order
        plan = Plan(self.body, {}, self.body.wanted, order, len(order), frozenset())
        worst = forecast_memory(plan, found, kept=0, slack=False)
        self.count += 1
        self.working = max(self.working, worst.values + worst.working)
        for name in order:
            self.work += found[name].cost.work
            self.seconds += found[name].cost.seconds
            self.models.update(dict.fromkeys(found[name].models))
            self.defects.update({f"{each.code} {each}": each for each in found[name].defects})
            self.gap = self.gap or (f"{name}: {found[name].gap}" if found[name].gap else "")
        return {name: found[link.node].outputs[link.output] for name, link in self.body.outputs.items()}

    def forecast(self, outputs: Mapping[str, object], rounds: int) -> NodeForecast:
        """Of the whole loop, of which so many rounds will be made."""
        times = rounds / max(1, self.count)
        cost = Cost(working=self.working, work=self.work * times, seconds=self.seconds * times)
        return NodeForecast(outputs, cost, tuple(self.models), tuple(self.defects.values()), self.gap)


def forecast_loop(node: GraphNode, loop: Loop, given: Mapping[str, object], walk: Walk) -> NodeForecast:
    """What a loop will give and cost. given: what is known of everything that is wired into it or written."""
    return _for_each(node, loop, given, walk) if loop.kind == "for_each" else _repeat(node, loop, given, walk)


def _for_each(node: GraphNode, loop: Loop, given: Mapping[str, object], walk: Walk) -> NodeForecast:
    items: dict[str, Any] = {name: given[name] for name in loop.each}
    if (obstacle := _obstacle(loop, items.values())) is not None:
        return obstacle
    counts = {len(each) for each in items.values()}
    if len(counts) > 1:
        lengths = ", ".join(f"{name} has {len(each)}" for name, each in items.items())
        reason = f"its lists are not of one length: {lengths}"
        return _unknown(node, loop, "it cannot run", Defect("refused", reason, "give lists of one length", node.name))
    count, rounds = next(iter(counts), 0), _Rounds(loop.body)
    gathered: dict[str, list[object]] = {name: [] for name in loop.body.outputs}
    for index in range(min(count, MOST_ROUNDS)):
        here = {**given, **{name: each[index] for name, each in items.items()}, loop.index: index}
        _gather(gathered, rounds.add(walk(loop.body, here)))
    for _ in range(count - rounds.count):
        _gather(gathered, {name: _another(each[-1]) for name, each in gathered.items() if each})
    outputs = {name: has_unknown(each) or each for name, each in gathered.items()}
    return rounds.forecast(outputs, count)


def _repeat(node: GraphNode, loop: Loop, given: Mapping[str, object], walk: Walk) -> NodeForecast:
    times = given.get("times")
    if (obstacle := _obstacle(loop, [times])) is not None:
        return obstacle
    wanted = times if isinstance(times, int) and not loop.until else 1
    rounds = _Rounds(loop.body)
    collected: dict[str, list[object]] = {name: [] for name in loop.collect}
    last: dict[str, object] = {name: given[name] for name in loop.carry if name in loop.body.outputs}
    for index in range(min(wanted, MOST_ROUNDS)):
        carried = {name: last[name] for name in loop.carry if name in last}
        last = rounds.add(walk(loop.body, {**given, **carried, loop.index: index}))
        _gather(collected, {name: last[name] for name in loop.collect})
    if loop.until or not isinstance(times, int):
        return _unknown(node, loop, f"how often it repeats depends on {loop.until or 'times'}", rounds=rounds)
    for _ in range(wanted - rounds.count):
        _gather(collected, {name: _another(last[name]) for name in loop.collect})
    lists = {name: has_unknown(each) or each for name, each in collected.items()}
    outputs = {name: lists.get(name, last.get(name, no_round(node.name, name))) for name in loop.body.outputs}
    return rounds.forecast(outputs, wanted)


def _obstacle(loop: Loop, values: Iterable[object]) -> NodeForecast | None:
    """Of a loop that cannot be looked at, for what decides its rounds is not known or blocked."""
    for value in values:
        if isinstance(value, Unknown):
            return NodeForecast(dict.fromkeys(loop.body.outputs, value), gap=str(value))
        if isinstance(value, Blocked):
            return NodeForecast(dict.fromkeys(loop.body.outputs, value))
    return None


def _gather(gathered: Mapping[str, list[object]], values: Mapping[str, object]) -> None:
    """Append what a round gave; what is blocked leaves no item."""
    for name, value in values.items():
        if not isinstance(value, Blocked):
            gathered[name].append(value)


def _another(value: object) -> object:
    """A value like another, which takes memory of its own."""
    return dataclasses.replace(value) if isinstance(value, Spec) and dataclasses.is_dataclass(value) else value


def _unknown(node: GraphNode, loop: Loop, gap: str, *defects: Defect, rounds: _Rounds | None = None) -> NodeForecast:
    """A loop of whose outputs nothing is known; of its cost, that of one round at most."""
    outputs = {name: Unknown(f"{node.name}.{name}") for name in loop.body.outputs}
    one = rounds.forecast({}, 1) if rounds else NodeForecast({})
    return NodeForecast(outputs, one.cost, one.models, (*one.defects, *defects), gap)
