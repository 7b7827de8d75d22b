"""An interpreter of workflows that is as simple as can be: it evaluates what is asked for, and knows no plan.

No keys, no cache, no order of work: only recursion, and the values of one graph's nodes while that graph is evaluated.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from nodegraph import Blocked, Workflow
from nodegraph.workflow.model import NodeEntry, Subgraph

Thunk = Callable[[], Any]
Source = Callable[[str], Any]

OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "min": min,
    "max": max,
}


def is_blocked(value: Any) -> bool:
    return isinstance(value, Blocked)


class Naive:
    """Evaluates one workflow. `calls` counts, by type of node, how often its function would be called."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.calls: Counter[str] = Counter()

    def run(self) -> dict[str, Any]:
        """The values of the declared outputs."""
        return {name: value() for name, value in self.outputs(self.workflow, {}).items()}

    def outputs(self, document: Subgraph, given: Mapping[str, Thunk]) -> dict[str, Thunk]:
        """The outputs of a graph, each to be asked for."""
        fed = {place: given[name] for name, each in document.inputs.items() if name in given for place in each.to}
        known: dict[str, dict[str, Thunk]] = {}

        def output(place: str) -> Any:
            node, _, name = place.partition(".")
            if node not in known:
                entry = document.nodes[node]
                if entry.type in ("graph", "for_each", "repeat"):
                    known[node] = once_each(self.of_call(entry, lambda port: source(node, port)))
                else:
                    value = self.of_node(entry, lambda port: source(node, port))
                    known[node] = {"value": lambda: value, "result": lambda: value}
            return known[node][name]()

        def source(node: str, port: str) -> Any:
            if f"{node}.{port}" in fed:
                return fed[f"{node}.{port}"]()
            value = document.nodes[node].inputs.get(port)
            if isinstance(value, list):
                return [output(each["from"]) if isinstance(each, dict) else each for each in value]
            return output(value["from"]) if isinstance(value, dict) else value

        return {name: (lambda place=each.source: output(place)) for name, each in document.outputs.items()}

    def of_node(self, entry: NodeEntry, source: Source) -> Any:
        """The one output of a node; what it does not need is not asked for."""
        if entry.type in ("switch", "gate", "fallback"):
            return self.of_lazy(entry, source)
        values = {port: source(port) for port in entry.inputs}
        if entry.type == "collect":
            self.calls["collect"] += 1
            return [each for each in values["items"] if not is_blocked(each)]
        for value in values.values():
            for each in value if isinstance(value, list) else [value]:
                if is_blocked(each):
                    return each
        self.calls[entry.type] += 1
        match entry.type:
            case "by_workflow" if values["a"] == values["b"] and values["how"] in ("min", "max"):
                return values["a"]
            case "by_workflow":
                self.calls.update(["calculate", "scaled"])
                return OPERATIONS[values["how"]](values["a"], values["b"])
            case "calculate":
                return OPERATIONS[values["how"]](values["a"], values["b"])
            case "compare":
                return values["a"] < values["b"]
            case "length":
                return len(values["items"])
            case "scaled":
                return source("value") * values.get("times", 1)
        raise AssertionError(entry.type)

    def of_lazy(self, entry: NodeEntry, source: Source) -> Any:
        self.calls[entry.type] += 1
        if entry.type == "fallback":
            value = source("value")
            return source("otherwise") if is_blocked(value) else value
        decides = source("condition" if entry.type == "switch" else "open")
        if is_blocked(decides):
            self.calls[entry.type] -= 1
            return decides
        if entry.type == "switch":
            return source("on_true" if decides else "on_false")
        return source("value") if decides else Blocked("shut")

    def of_call(self, entry: NodeEntry, source: Source) -> dict[str, Thunk]:
        """What a graph that is a node gives, or a loop."""
        document = self.workflow.graphs[entry.graph]
        given = {name: once(lambda name=name: source(name)) for name in document.inputs if name in entry.inputs}
        if entry.type == "graph":
            return self.outputs(document, given)
        found = once(lambda: (self.each if entry.type == "for_each" else self.rounds)(entry, document, given, source))
        return {name: (lambda name=name: found()[name]) for name in document.outputs}

    def each(self, entry: NodeEntry, document: Subgraph, given: Mapping[str, Thunk], _: Source) -> dict[str, Any]:
        lists = {name: given[name]() for name in entry.each}
        for each in lists.values():
            if is_blocked(each):
                return dict.fromkeys(document.outputs, each)
        found: dict[str, list[Any]] = {name: [] for name in document.outputs}
        for index in range(len(next(iter(lists.values())))):
            items = {name: (lambda value=values[index]: value) for name, values in lists.items()}
            for name, value in self.round(entry, document, {**given, **items}, index).items():
                found[name] += [] if is_blocked(value) else [value]
        return found

    def rounds(self, entry: NodeEntry, document: Subgraph, given: dict[str, Thunk], source: Source) -> dict[str, Any]:
        times = source("times")
        if is_blocked(times):
            return dict.fromkeys(document.outputs, times)
        last: dict[str, Any] = dict.fromkeys(document.outputs, Blocked("no round"))
        if times == 0:
            last |= {name: given[name]() for name in entry.carry}
        collected: dict[str, list[Any]] = {name: [] for name in entry.collect}
        for index in range(times):
            last = self.round(entry, document, given, index)
            given = {**given, **{name: (lambda value=last[name]: value) for name in entry.carry}}
            for name, values in collected.items():
                values += [] if is_blocked(last[name]) else [last[name]]
        return {**last, **collected}

    def round(self, entry: NodeEntry, document: Subgraph, given: Mapping[str, Thunk], index: int) -> dict[str, Any]:
        number = {entry.index: lambda: index} if entry.index else {}
        return {name: value() for name, value in self.outputs(document, {**given, **number}).items()}


def once(value: Thunk) -> Thunk:
    """Asked for once, remembered then."""
    known: list[Any] = []

    def ask() -> Any:
        if not known:
            known.append(value())
        return known[0]

    return ask


def once_each(values: Mapping[str, Thunk]) -> dict[str, Thunk]:
    return {name: once(value) for name, value in values.items()}
