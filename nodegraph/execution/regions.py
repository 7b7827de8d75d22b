"""Nodes that run a graph: loops round by round, and nodes that gave a workflow to take their place.

A region is asked again and again: it answers with the nodes it waits for, or with its outputs when it is over.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import NodegraphError
from ..ports.flow import Blocked
from ..ports.types import item_type
from ..ports.values import misfit
from ..ports.wire import wire_class
from ..workflow.graph import Gathered, Given, Graph, GraphNode, Link, Loop, Source, Written, links_of
from ..workflow.model import Workflow
from .context import Progress
from .results import Outputs
from .store import ResultStore

AT_ONCE = 16
"""Rounds of a `for_each` over nodes that wait that are under way at the same time."""


class LoopFailed(NodegraphError):
    """A loop was given something that it cannot go through, or did not end."""


@dataclass(frozen=True, slots=True)
class Round:
    """One copy of a graph's nodes, called `prefix/` and their name.

    wanted: those that must run. outputs: where its results are.
    """

    prefix: str
    names: tuple[str, ...]
    wanted: tuple[str, ...]
    outputs: Mapping[str, Link]


class Host(Protocol):
    """What a region needs of the executor."""

    def open_round(self, node: GraphNode, prefix: str, index: int, body: Graph, given: Mapping[str, Source]) -> Round:
        """Add a copy of a body's nodes, called `prefix/` and their name, with its parameters replaced."""

    def close_round(self, opened: Round) -> None:
        """Forget them."""

    def unfinished(self, opened: Round) -> list[str]:
        """The nodes that a round must run and that have not run to their end."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of some nodes outside whose result is not there."""

    def value(self, link: Link) -> Any:
        """A result that is there."""

    def key(self, link: Link) -> str:
        """What a result counts as in keys."""

    def also(self, names: Sequence[str]) -> None:
        """Run more nodes, without waiting for them."""

    def progress(self, node: GraphNode, value: Progress) -> None:
        """Tell how far a region is."""


class Region(Protocol):
    """A node that runs a graph."""

    def advance(self) -> list[str] | Outputs:
        """The names of the nodes it waits for, or its outputs."""


class ForEach:
    """A round for every item; outputs are lists. A round whose output is blocked leaves that list without an item."""

    def __init__(self, host: Host, node: GraphNode, loop: Loop) -> None:
        self._host, self._node, self._loop = host, node, loop
        self._items = {name: self._given(name) for name in loop.each}
        counts = {name: len(items) for name, items in self._items.items()}
        if len(set(counts.values())) > 1:
            shown = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise LoopFailed(f"its lists are not of one length: {shown}; give lists of the same length")
        self._count = next(iter(counts.values()), 0)
        self._gathered: dict[str, list[Any]] = {name: [] for name in loop.body.outputs}
        self._open: deque[Round] = deque()
        self._begun = 0
        self._at_once = AT_ONCE if node.definition.lane == "io" else 1

    def advance(self) -> list[str] | Outputs:
        """Gather the rounds that are over, begin others."""
        while self._open or self._begun < self._count:
            while len(self._open) < self._at_once and self._begun < self._count:
                opened = self._begin()
                if self._at_once > 1:
                    self._host.also(opened.wanted)
            if waiting := self._host.unfinished(self._open[0]):
                return waiting
            self._gather(self._open.popleft())
        return {name: list(values) for name, values in self._gathered.items()}

    def _begin(self) -> Round:
        index, self._begun = self._begun, self._begun + 1
        given = {**self._node.sources, **{name: items[index] for name, items in self._items.items()}}
        if self._loop.index:
            given[self._loop.index] = Written(index)
        opened = self._host.open_round(self._node, f"{self._node.name}[{index}]", index, self._loop.body, given)
        self._open.append(opened)
        return opened

    def _gather(self, opened: Round) -> None:
        for name, link in opened.outputs.items():
            value = self._host.value(link)
            if type(value) is not Blocked:
                self._gathered[name].append(value)
        self._host.close_round(opened)
        done = self._begun - len(self._open)
        self._host.progress(self._node, Progress(done, self._count))

    def _given(self, name: str) -> Sequence[Source]:
        """The items of a list, each as a source of its own."""
        source = self._node.sources[name]
        match source:
            case Written(value=list(values)):
                return [Written(value) for value in values]
            case Gathered(items=items):
                return items
            case Link():
                values, recipe = self._host.value(source), self._host.key(source)
            case Given(value=values, key=recipe):
                pass
            case _:
                raise LoopFailed(f"{name} holds no list; wire one")
        if not isinstance(values, list):
            raise LoopFailed(f"{name} is {type(values).__name__}, and a list is needed; wire a list")
        inner = item_type(self._node.definition.inputs_by_name[name].type)
        for index, value in enumerate(values):
            if reason := misfit(inner, value):
                raise LoopFailed(f"{name}[{index}]: {reason}")
        return [Given(value, content_key(value, f"{recipe}[{index}]")) for index, value in enumerate(values)]


class Repeat:
    """Rounds one after the other; what is carried goes from each into the next."""

    def __init__(self, host: Host, node: GraphNode, loop: Loop) -> None:
        self._host, self._node, self._loop = host, node, loop
        self._times: int | None = self._number("times")
        self._limit = self._number("limit") or 1
        self._given: dict[str, Source] = dict(node.sources)
        self._collected: dict[str, list[Any]] = {name: [] for name in loop.collect}
        self._last: Outputs = {}
        self._open: Round | None = None
        self._done = 0

    def advance(self) -> list[str] | Outputs:
        """Take over what a finished round gave, begin the next."""
        while True:
            if self._open is not None:
                if waiting := self._host.unfinished(self._open):
                    return waiting
                ended = self._take_over(self._open)
                if ended is not None:
                    return ended
            if self._times is not None and self._done >= self._times:
                return self._initial_nodes() or self._results()
            if self._times is None and self._done >= self._limit:
                raise LoopFailed(
                    f"it did not end: after {self._done:,} rounds {self._loop.until!r} was never true; "
                    "mend the condition, give `times`, or raise `limit`"
                )
            self._begin()

    def _begin(self) -> None:
        given = {**self._given, **({self._loop.index: Written(self._done)} if self._loop.index else {})}
        prefix = f"{self._node.name}[{self._done}]"
        self._open = self._host.open_round(self._node, prefix, self._done, self._loop.body, given)

    def _initial_nodes(self) -> list[str]:
        """Without any round, what was to be carried is the result, and must be there."""
        if self._done:
            return []
        links = (link.node for name in self._loop.carry for link in links_of(self._node.sources[name]))
        return self._host.missing(list(dict.fromkeys(links)))

    def _take_over(self, opened: Round) -> Outputs | None:
        """The results of a finished round; the outputs where it was the last."""
        values = {name: self._host.value(link) for name, link in opened.outputs.items()}
        for name in self._loop.carry:
            self._given[name] = Given(values[name], self._host.key(opened.outputs[name]))
        for name, gathered in self._collected.items():
            if type(values[name]) is not Blocked:
                gathered.append(values[name])
        self._last, self._open, self._done = values, None, self._done + 1
        self._host.close_round(opened)
        self._host.progress(self._node, Progress(self._done, self._times or self._limit))
        ending = values.get(self._loop.until) if self._loop.until else False
        if type(ending) is Blocked:
            return dict.fromkeys(self._loop.body.outputs, ending)
        if not isinstance(ending, bool):
            raise LoopFailed(
                f"{self._loop.until!r} gave {type(ending).__name__}, and true or false should end the loop"
            )
        return self._results() if ending else None

    def _results(self) -> Outputs:
        found: Outputs = {}
        for name in self._loop.body.outputs:
            if name in self._collected:
                found[name] = list(self._collected[name])
            elif name in self._last:
                found[name] = self._last[name]
            elif name in self._loop.carry:
                found[name] = self._value(self._node.sources[name])
            else:
                found[name] = no_round(self._node.name, name)
        return found

    def _number(self, name: str) -> int | None:
        value = self._value(self._node.sources[name])
        reason = misfit(self._node.definition.inputs_by_name[name].type, value)
        if reason:
            raise LoopFailed(f"{name}: {reason}")
        return None if value is None else int(value)

    def _value(self, source: Source) -> Any:
        match source:
            case Link():
                return self._host.value(source)
            case Gathered(items=items):
                return [self._value(each) for each in items]
            case Given(value=value) | Written(value=value):
                return value
            case _:
                raise AssertionError(f"{source} belongs to another round")


class Expansion:
    """A node whose place is taken by a workflow that it gave. graph: makes the workflow's graph."""

    def __init__(self, host: Host, node: GraphNode, graph: Callable[[], Graph]) -> None:
        self._host, self._node, self._graph = host, node, graph
        self._round: Round | None = None

    def advance(self) -> list[str] | Outputs:
        """Wait for all of it."""
        if self._round is None:
            self._round = self._host.open_round(self._node, self._node.name, 0, self._graph(), self._node.sources)
        if waiting := self._host.unfinished(self._round):
            return waiting
        names = (port.name for port in self._node.definition.outputs)
        found = {name: self._host.value(self._round.outputs[name]) for name in names}
        self._host.close_round(self._round)
        return found


_EXPANSION = "workflow"


def keep_expansion(store: ResultStore, key: str, workflow: Workflow) -> None:
    """Let the store hold the workflow that a node with this key gave."""
    store.put(_expansion_key(key), {_EXPANSION: workflow.to_json()}, portable=True)


def kept_expansion(store: ResultStore, key: str) -> Workflow | None:
    """The workflow that a node with this key gave in an earlier run."""
    found = store.get(_expansion_key(key))
    return Workflow.parse(str(found[0][_EXPANSION])) if found is not None else None


def _expansion_key(key: str) -> str:
    return hashlib.sha256(f"expansion\0{key}".encode()).hexdigest()


def content_key(value: object, recipe: str) -> str:
    """What an item of a list counts as in keys: its content, or the recipe where it is a resident value."""
    if value is None or isinstance(value, bool | int | float | str):
        return "V" + json.dumps(value, ensure_ascii=False)
    note = wire_class(type(value))
    if note is not None and not note.portable:
        return recipe
    from ..ports.codec import NotHashable, content_hash

    try:
        return "C" + content_hash(value)
    except NotHashable:
        return recipe


def no_round(node: str, output: str) -> Blocked:
    """What a loop that made no round gives where there is nothing to give."""
    return Blocked(f"{node} made no round, so there is no {output!r}")
