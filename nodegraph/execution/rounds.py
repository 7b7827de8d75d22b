"""The nodes of a run: those of the plan, and copies of graphs while their rounds are open."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from pydantic import JsonValue

from ..workflow.flatten import normalised
from ..workflow.graph import Given, Graph, GraphNode, Link, Parameter, Source, Written, below
from .plan import Plan
from .regions import LoopFailed, Round
from .scheduler import Priority

DEEPEST = 100
"""Rounds and expansions inside one another."""


class Rounds:
    """Nodes by name, when they take their turn, and what names of files may mention inside a round."""

    def __init__(self, plan: Plan) -> None:
        self.nodes: dict[str, GraphNode] = dict(plan.graph.nodes)
        self.turns = {name: index for index, name in enumerate(plan.order)}
        self._priorities: dict[str, Priority] = {}
        self._fields: dict[str, dict[str, JsonValue]] = {}

    def priority(self, name: str) -> Priority:
        """The plan's order; the nodes of a round take their turn where the node around them has its own."""
        return self._priorities.get(name) or (self.turns.get(name, -1),)

    def fields(self, name: str) -> dict[str, JsonValue]:
        """What names of files may mention in the rounds around a node: its number, and the plain values it is given."""
        prefixes = itertools.accumulate(name.split("/")[:-1], "{}/{}".format)
        return {field: value for prefix in prefixes for field, value in self._fields.get(prefix, {}).items()}

    def open(
        self, node: GraphNode, prefix: str, index: int, body: Graph, given: Mapping[str, Source]
    ) -> tuple[Round, list[GraphNode]]:
        """A copy of a body with its parameters replaced, and its nodes in an order in which every wire points forward.

        Raises LoopFailed where graphs lie too deep in one another.
        """
        if prefix.count("/") >= DEEPEST:
            raise LoopFailed(
                f"it lies {DEEPEST} graphs deep in one another; does it give a workflow that holds itself?"
            )
        added = []
        for name, inner in body.nodes.items():
            sources = {port: _placed(inner, port, prefix, given) for port in inner.sources}
            added.append(GraphNode(f"{prefix}/{name}", inner.definition, sources, inner.loop))
        self.nodes.update({each.name: each for each in added})
        before = (*self.priority(node.name), index)
        self._priorities.update({f"{prefix}/{name}": (*before, place) for place, name in enumerate(body.order)})
        plain = {name: value for name, source in given.items() if (value := _plain(source)) is not None}
        self._fields[prefix] = {**plain, "round": index}
        opened = Round(
            prefix=prefix,
            names=tuple(each.name for each in added),
            wanted=tuple(f"{prefix}/{name}" for name in body.wanted),
            outputs={name: Link(f"{prefix}/{link.node}", link.output) for name, link in body.outputs.items()},
        )
        return opened, added

    def close(self, opened: Round) -> None:
        """Forget a copy."""
        self._fields.pop(opened.prefix, None)
        for name in opened.names:
            del self.nodes[name]
            self._priorities.pop(name, None)


def _plain(source: Source) -> JsonValue:
    """A text, number or truth value that is at hand; None for anything else."""
    value = source.value if isinstance(source, Written | Given) else None
    return value if isinstance(value, str | int | float) else None


def _placed(node: GraphNode, port: str, prefix: str, given: Mapping[str, Source]) -> Source:
    """A source of a body's node in one round."""
    source = node.sources[port]
    if not isinstance(source, Parameter):
        return below(source, prefix)
    definition = node.definition.inputs_by_name.get(port)
    return normalised(definition.type, given[source.name]) if definition is not None else given[source.name]
