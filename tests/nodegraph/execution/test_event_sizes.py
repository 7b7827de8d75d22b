"""What a run tells grows with the graph, not faster."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from nodegraph import NodeFailed, Workflow
from nodegraph.execution.events import Event
from nodegraph.execution.run import Runner

from ..flows import flow, link


def chain(length: int, last: str) -> Workflow:
    nodes: dict[str, Any] = {"n0000": ("number", {"value": 1})}
    for index in range(1, length):
        nodes[f"n{index:04}"] = ("total", {"numbers": [link(f"n{index - 1:04}.number")]})
    return flow({**nodes, "end": (last, {"number": link(f"n{length - 1:04}.number")})})


def told(runner: Runner, workflow: Workflow, *, use_cache: bool) -> int:
    """Characters of all events."""
    events: list[Event] = []
    with contextlib.suppress(NodeFailed):
        runner.run(workflow, on_event=events.append, use_cache=use_cache)
    return sum(map(len, map(repr, events)))


@pytest.mark.parametrize("last", ["rounded", "fails"])
@pytest.mark.parametrize("use_cache", [False, True])
def test_events_grow_with_the_graph(runner: Runner, last: str, use_cache: bool) -> None:
    for _ in "first", "again":
        small, large = (told(runner, chain(length, last), use_cache=use_cache) for length in (250, 500))
        assert small < 1000 * 250
        assert large < 2.1 * small
