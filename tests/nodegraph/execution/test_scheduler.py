"""Order, lanes and bounds of what runs at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph import Cancelled, NodeFailed
from nodegraph.definition import Lane
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Event, NodeFinished, NodeStarted
from nodegraph.execution.plan import make_plan
from nodegraph.execution.run import Runner
from nodegraph.execution.scheduler import WIDTH, WIDTHS, Scheduler
from nodegraph.workflow.validate import check

from ..flows import flow, link


class Watch:
    """Runs nothing, and notes when which node began and ended and on which thread."""

    def __init__(self, needs: Mapping[str, list[str]], lanes: Mapping[str, Lane], *, fails: str = "") -> None:
        self.needs, self.lanes, self.fails = needs, lanes, fails
        self.done: list[str] = []
        self.began: list[str] = []
        self.lock = threading.Lock()
        self.running = self.most = 0
        self.stopped = False
        self.gone: dict[str, list[str]] = {}
        self.scheduler = Scheduler(
            priority={name: (index,) for index, name in enumerate(needs)}.__getitem__,
            lane=lambda name: lanes[name],
            needs=needs.__getitem__,
            run=self.run,
            stopped=lambda: self.stopped,
        )

    def run(self, name: str) -> list[str]:
        beside = self.lanes[name] != "device"
        assert beside != (threading.current_thread() is threading.main_thread())
        if name in self.gone:
            return self.gone.pop(name)
        with self.lock:
            assert set(self.needs[name]) <= set(self.done)
            self.began.append(name)
            self.running += beside
            self.most = max(self.most, self.running)
        if name == self.fails:
            raise ValueError(name)
        with self.lock:
            self.running -= beside
            self.done.append(name)
            for other in self.needs[name]:
                if all(each in self.done for each in self.needs if other in self.needs[each]):
                    self.scheduler.release(other)
        return []


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, Lane]]:
    count = draw(st.integers(1, 40))
    needs = {
        f"n{index}": [f"n{each}" for each in draw(st.sets(st.integers(0, max(0, index - 1)), max_size=3))]
        if index
        else []
        for index in range(count)
    }
    lanes: dict[str, Lane] = {name: draw(st.sampled_from(["device", "cpu", "io"])) for name in needs}
    return needs, lanes


@given(graphs())
def test_every_node_runs_once_and_after_what_it_needs(graph: tuple[dict[str, list[str]], dict[str, Lane]]) -> None:
    needs, lanes = graph
    watch = Watch(needs, lanes)
    watch.scheduler.run([list(needs)[-1], *needs])
    assert sorted(watch.done) == sorted(needs)
    assert watch.most <= WIDTHS["io"] + WIDTHS["cpu"]


@given(graphs(), st.data())
def test_after_an_error_nothing_begins_and_what_runs_is_waited_for(
    graph: tuple[dict[str, list[str]], dict[str, Lane]], data: st.DataObject
) -> None:
    needs, lanes = graph
    fails = data.draw(st.sampled_from(sorted(needs)))
    watch = Watch(needs, lanes, fails=fails)
    with pytest.raises(ValueError, match=fails):
        watch.scheduler.run(needs)
    assert watch.running in ((0,) if lanes[fails] == "device" else (0, 1))  # it notes no end of one that fails
    behind = {fails}
    for name, needed in needs.items():
        if behind & {*needed}:
            behind.add(name)
    assert not behind & set(watch.done)


def test_the_device_takes_the_plans_order() -> None:
    needs: dict[str, list[str]] = {name: [] for name in "abcdef"}
    watch = Watch(needs, dict.fromkeys(needs, "device"))
    watch.scheduler.run("fedcba")
    assert watch.done == list("abcdef")


def test_what_a_node_finds_missing_runs_first() -> None:
    watch = Watch({"a": [], "b": [], "c": []}, {"a": "device", "b": "io", "c": "device"})
    watch.gone = {"c": ["a", "b"], "b": ["a"]}
    watch.scheduler.run(["c"])
    assert watch.done == ["a", "b", "c"]


def test_a_node_that_ran_runs_again_when_its_result_is_gone() -> None:
    watch = Watch({"a": [], "b": ["a"], "c": ["b"]}, dict.fromkeys("abc", "device"))
    watch.gone = {"c": ["a"]}
    watch.scheduler.run(["c"])
    assert watch.done == ["a", "b", "a", "c"]


@settings(deadline=None)
@given(st.integers(1, 60))
def test_results_do_not_pile_up_before_a_slow_device(count: int) -> None:
    needs: dict[str, list[str]] = {}
    for index in range(count):
        needs |= {f"read{index}": [], f"use{index}": [f"read{index}"]}
    lanes: dict[str, Lane] = {name: "io" if name.startswith("read") else "device" for name in needs}
    watch = Watch(needs, lanes)
    most = 0

    def count_held(name: str, run: Callable[[str], list[str]] = watch.run) -> list[str]:
        nonlocal most
        found = run(name)
        with watch.lock:
            read = sum(each.startswith("read") for each in watch.done)
            most = max(most, read - sum(each.startswith("use") for each in watch.done))
        return found

    watch.scheduler._run = count_held
    watch.scheduler.run(needs)
    assert len(watch.done) == 2 * count
    assert most <= WIDTH + 1


def test_more_than_fit_are_gathered_all_the_same() -> None:
    needs: dict[str, list[str]] = {f"read{index}": [] for index in range(3 * WIDTH)}
    needs["all"] = list(needs)
    watch = Watch(needs, {name: "io" if name != "all" else "device" for name in needs})
    watch.scheduler.run(["all"])
    assert watch.done[-1] == "all"


def test_a_stop_begins_nothing_more() -> None:
    watch = Watch({"a": [], "b": []}, dict.fromkeys("ab", "device"))
    run = watch.run

    def stop_after(name: str) -> list[str]:
        watch.stopped = True
        return run(name)

    watch.scheduler._run = stop_after
    watch.scheduler.run("ab")
    assert watch.done == ["a"]


# in whole runs


def pair(kind: str) -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        "x": (kind, {"number": 1.0}),
        "y": (kind, {"number": 2.0}),
        "sum": ("total", {"numbers": [link("x.number"), link("y.number")]}),
    }


@pytest.mark.parametrize("kind", ["meets", "meets_async"])
def test_two_that_wait_for_each_other_meet(runner: Runner, kind: str) -> None:
    result = runner.run(flow(pair(kind), {"sum": "sum.number"}))
    assert result.outputs["sum"].value == 3.0
    again = runner.run(flow(pair(kind), {"sum": "sum.number"}))
    assert again.ran == ()


def test_one_beside_the_device(runner: Runner) -> None:
    nodes = pair("meets")
    nodes["y"] = ("meets_on_device", {"number": 2.0})
    assert runner.run(flow(nodes, {"sum": "sum.number"})).outputs["sum"].value == 3.0


def test_nodes_of_the_cpu_run_beside_another_device(make_runner: Callable[..., Runner]) -> None:
    """Toy nodes load no torch, so any device will do; where it is the CPU itself, they take turns with the others."""
    nodes = pair("meets_on_cpu")
    nodes["y"] = ("meets_on_device", {"number": 2.0})
    result = make_runner(device="cuda").run(flow(nodes, {"sum": "sum.number"}))
    assert result.outputs["sum"].value == 3.0


@pytest.mark.parametrize(("device", "beside"), [("cpu", False), ("cuda", True)])
def test_where_the_device_is_the_cpu_its_nodes_take_turns(
    make_runner: Callable[..., Runner], device: str, beside: bool
) -> None:
    threads: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.type_id == "picture_like":
            threads.append(threading.current_thread() is not threading.main_thread())

    workflow = flow({"x": ("picture_like", {"number": 1.0})}, {"x": "x.number"})
    make_runner(device=device).run(workflow, on_event=listen)
    assert threads == [beside]


def test_events_of_all_threads_are_numbered_in_order(runner: Runner) -> None:
    events: list[Event] = []
    runner.run(flow(pair("meets"), {"sum": "sum.number"}), on_event=events.append)
    assert [each.sequence for each in events] == list(range(len(events)))
    assert {each.node for each in events if isinstance(each, NodeFinished)} == {"x", "y", "sum"}
    started = [each.node for each in events if isinstance(each, NodeStarted)]
    assert set(started[:2]) == {"x", "y"}


def test_an_error_beside_the_device_is_the_runs(runner: Runner) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "bad": ("fails_async", {"number": 3.0}),
        "good": ("number", {"value": 1}),
        "sum": ("total", {"numbers": [link("bad.number"), link("good.number")]}),
    }
    with pytest.raises(NodeFailed, match="node 'bad' \\(fails_async\\) failed: RuntimeError: cannot work with 3"):
        runner.run(flow(nodes, {"sum": "sum.number"}))


def test_a_cancel_reaches_coroutines(runner: Runner) -> None:
    token = CancelToken()

    def listen(event: Event) -> None:
        if isinstance(event, NodeStarted):
            token.cancel()

    with pytest.raises(Cancelled):
        runner.run(flow({"x": ("sleeps_async", {"seconds": 1000.0})}, {"r": "x.value"}), on_event=listen, cancel=token)


def test_the_plan_ends_one_branch_before_the_next(runner: Runner) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {}
    for branch in "abc":
        nodes[f"{branch}1"] = ("number", {"value": ord(branch)})
        nodes[f"{branch}2"] = ("rounded", {"number": link(f"{branch}1.number")})
    graph = check(flow(nodes), runner.catalog)
    keys = {name: name for name in graph.nodes}
    plan = make_plan(graph, keys, ["a2", "b2", "c2"], lambda keys: set())
    assert plan.order == ("a1", "a2", "b1", "b2", "c1", "c2")


def test_many_branches_are_ended_one_by_one(runner: Runner) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {}
    for index in range(30):
        nodes[f"n{index}"] = ("number", {"value": index})
        nodes[f"w{index}"] = ("write_number", {"number": link(f"n{index}.number")})
    order: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished):
            order.append(event.node)

    runner.run(flow(nodes), on_event=listen)
    assert order == [name for index in range(30) for name in (f"n{index}", f"w{index}")]
