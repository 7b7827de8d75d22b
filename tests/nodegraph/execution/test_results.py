"""Results are held while something may still need them, and no longer."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from typing import Any

from nodegraph import Workflow, wire
from nodegraph.execution.events import Event, NodeFinished
from nodegraph.execution.results import Results, holds_resident
from nodegraph.execution.run import Runner
from nodegraph.workflow.graph import GraphNode, Link

from ..flows import flow, link


def highest_count(runner: Runner, workflow: Workflow) -> int:
    """The most numbers of the toy pack that were alive when a node had finished."""
    counts = [0]

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished):
            number = sys.modules["nodegraph_plugins.toy.numbers"].Number
            counts.append(sum(type(each) is number for each in gc.get_objects()))

    runner.run(workflow, use_cache=False, on_event=listen)
    gc.collect()
    return max(counts) - counts[1] + 1


def test_a_chain_holds_two_results_however_long_it_is(runner: Runner) -> None:
    nodes: dict[str, Any] = {"n0": ("number", {})}
    for index in range(1, 60):
        before = link(f"n{index - 1}.number")
        nodes[f"n{index}"] = ("add", {"a": before, "b": before})
    assert highest_count(runner, flow(nodes, {"end": "n59.number"})) <= 2


def test_a_tree_is_run_branch_by_branch(runner: Runner) -> None:
    """Sixty-four leaves are added pairwise: level by level that would hold 64 results, branch by branch it holds 7."""
    nodes: dict[str, Any] = {}
    level = [f"leaf{index}" for index in range(64)]
    nodes |= {name: ("number", {"value": index}) for index, name in enumerate(level)}
    while len(level) > 1:
        pairs = list(zip(level[::2], level[1::2], strict=True))
        level = [f"{a}_{b[-3:]}" for a, b in pairs]
        adds = {
            name: ("add", {"a": link(f"{a}.number"), "b": link(f"{b}.number")})
            for name, (a, b) in zip(level, pairs, strict=True)
        }
        nodes |= adds
    assert highest_count(runner, flow(nodes, {"sum": f"{level[0]}.number"})) <= 8


def test_a_branch_that_is_not_taken_holds_nothing(runner: Runner) -> None:
    """What only the branch not taken would have needed is let go of when the switch has chosen."""
    dropped: list[str] = []
    results = Results(dropped.append)
    nodes = {
        "big": GraphNode("big", None, {}),  # type: ignore[arg-type]
        "no": GraphNode("no", None, {"x": Link("big", "o")}),  # type: ignore[arg-type]
        "deep": GraphNode("deep", None, {"x": Link("no", "o")}),  # type: ignore[arg-type]
        "yes": GraphNode("yes", None, {}),  # type: ignore[arg-type]
        "switch": GraphNode("switch", None, {"a": Link("yes", "o"), "b": Link("deep", "o")}),  # type: ignore[arg-type]
    }
    for each in nodes.values():
        results.expect(each)
    results.want(["switch"])
    for name in ("big", "yes", "switch"):
        results.put(name, {"o": name})
        results.done(name)
    assert dropped == ["yes", "big"] or dropped == ["big", "yes"]
    assert results.get("switch") == {"o": "switch"}
    results.unwant(["switch"])
    assert len(results) == 0


def test_the_larger_branch_goes_first(runner: Runner) -> None:
    """Each of thirty sums adds a number of its own to a growing sum: made before it, all numbers would wait."""
    nodes: dict[str, Any] = {"n0": ("number", {}), "sum0": ("add", {"a": link("n0.number"), "b": link("n0.number")})}
    for index in range(1, 30):
        nodes[f"n{index}"] = ("number", {"value": index})
        nodes[f"sum{index}"] = ("add", {"a": link(f"n{index}.number"), "b": link(f"sum{index - 1}.number")})
    assert highest_count(runner, flow(nodes, {"end": "sum29.number"})) <= 4


def test_what_stays_in_memory_is_found_within_lists_and_maps() -> None:
    @wire(portable=False)
    class Engine:
        pass

    @wire(portable=True)
    @dataclass(frozen=True)
    class Wheel:
        pass

    class Diesel(Engine):
        pass

    for value in (Engine(), Diesel(), {"value": Engine()}, {"value": [1, Diesel()]}, {"a": {"b": (Engine(),)}}):
        assert holds_resident(value)
    for other in (Wheel(), {"value": [Wheel(), 1, "a", None]}, {}, []):
        assert not holds_resident(other)
