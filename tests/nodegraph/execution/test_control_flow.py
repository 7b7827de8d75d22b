"""Graphs as nodes, loops, lazy inputs, blocked values and expansions: what runs, what is cached, what errors say."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from nodegraph import Blocked, Cancelled, InvalidWorkflow, NodeFailed, Workflow
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Event, NodeBlocked, NodeCached, NodeFinished, NodeProgress, NodeStarted
from nodegraph.execution.run import Runner
from nodegraph.execution.scheduler import Scheduler

from ..flows import flow, graph, link

Calls = Callable[[], list[str]]

ADD = graph({"sum": ("add", {})}, {"number": "sum.number"}, {"number": "sum.a", "more": "sum.b"})
NUMBER = graph({"make": ("number", {"value": 0})}, {"number": "make.number"}, {"value": "make.value"})
COUNT = graph(
    {"next": ("calculate", {"a": 0, "b": 1}), "enough": ("compare", {"a": link("next.value"), "b": 5, "how": ">="})},
    {"count": "next.value", "done": "enough.value"},
    {"count": "next.a", "enough": "enough.b"},
)


def each_number(values: Any, **more: Any) -> Workflow:
    return flow(
        {"each": ("for_each", {"value": values}, {"graph": "make", "each": ["value"]})},
        {"numbers": "each.number"},
        graphs={"make": NUMBER, **more},
    )


def values(result: Any) -> list[float]:
    return [each.value for each in result]


def names(events: list[Event], kind: type) -> list[str]:
    return [each.node for each in events if isinstance(each, kind)]


# graphs


def test_a_graph_is_a_node_with_the_graphs_inputs_and_outputs(runner: Runner) -> None:
    nodes = {
        "three": ("number", {"value": 3}),
        "twice": ("graph", {"number": link("three.number"), "more": link("three.number")}, {"graph": "add"}),
    }
    result = runner.run(flow(nodes, {"sum": "twice.number"}, graphs={"add": ADD}))
    assert result.outputs["sum"].value == 6
    assert result.ran == ("three", "twice/sum")


def test_an_input_that_is_not_given_keeps_what_the_graph_holds(runner: Runner) -> None:
    nodes = {"plain": ("graph", {}, {"graph": "make"}), "given": ("graph", {"value": 4}, {"graph": "make"})}
    result = runner.run(flow(nodes, {"plain": "plain.number", "given": "given.number"}, graphs={"make": NUMBER}))
    assert (result.outputs["plain"].value, result.outputs["given"].value) == (0, 4)


def test_graphs_hold_graphs_and_the_workflow_can_ask_for_their_inputs(runner: Runner) -> None:
    outer = graph(
        {"one": ("graph", {}, {"graph": "make"}), "sum": ("add", {"a": link("one.number"), "b": link("one.number")})},
        {"number": "sum.number"},
        {"value": "one.value"},
    )
    workflow = flow(
        {"all": ("graph", {"value": 1}, {"graph": "outer"})},
        {"number": "all.number"},
        {"start": "all.value"},
        {"outer": outer, "make": NUMBER},
    )
    assert runner.run(workflow).outputs["number"].value == 2
    assert runner.run(workflow, {"start": 5}).outputs["number"].value == 10


def test_a_run_up_to_a_graph_runs_what_it_gives_and_writes(runner: Runner, calls: Calls) -> None:
    writes = graph(
        {
            "make": ("number", {"value": 1}),
            "write": ("write_number", {"number": link("make.number")}),
            "not": ("machine", {}),
        },
        {"number": "make.number"},
    )
    workflow = flow(
        {"g": ("graph", {}, {"graph": "writes"}), "other": ("number", {"value": 9})}, graphs={"writes": writes}
    )
    assert runner.run(workflow, targets=["g"]).ran == ("g/make", "g/write")
    assert calls() == ["number", "write_number"]


# for_each


def test_a_round_for_every_item_in_order(runner: Runner) -> None:
    assert values(runner.run(each_number([3, 1, 2])).outputs["numbers"]) == [3, 1, 2]
    assert runner.run(each_number([])).outputs["numbers"] == []


def test_rounds_are_cached_by_the_content_of_their_items(make_runner: Callable[..., Runner], calls: Calls) -> None:
    make_runner().run(each_number([1, 2, 3]))
    assert calls() == ["number"] * 3
    result = make_runner().run(each_number([0, 3, 2, 1, 3]))
    assert calls() == ["number"]
    assert values(result.outputs["numbers"]) == [0, 3, 2, 1, 3]


def test_items_that_were_computed_are_keyed_by_content_too(make_runner: Callable[..., Runner], calls: Calls) -> None:
    def over(first: int, count: int) -> Workflow:
        return flow(
            {
                "numbers": ("integers", {"first": first, "count": count}),
                "each": ("for_each", {"value": link("numbers.result")}, {"graph": "make", "each": ["value"]}),
            },
            {"numbers": "each.number"},
            graphs={"make": NUMBER},
        )

    make_runner().run(over(5, 3))
    calls()
    assert values(make_runner().run(over(4, 5)).outputs["numbers"]) == [4, 5, 6, 7, 8]
    assert calls() == ["number"] * 2


def test_what_is_the_same_in_every_round_runs_once(runner: Runner, calls: Calls) -> None:
    body = graph(
        {
            "machine": ("machine", {}),
            "make": ("number", {"value": 0}),
            "work": ("use_machine", {"machine": link("machine.machine"), "number": link("make.number")}),
        },
        {"number": "work.number"},
        {"value": "make.value"},
    )
    workflow = flow(
        {"each": ("for_each", {"value": [1, 2, 3]}, {"graph": "work", "each": ["value"]})},
        {"n": "each.number"},
        graphs={"work": body},
    )
    result = runner.run(workflow, use_cache=False)
    assert values(result.outputs["n"]) == [2, 4, 6]
    assert calls().count("machine") == 1


def test_several_lists_go_side_by_side_and_the_round_has_a_number(runner: Runner) -> None:
    body = graph(
        {"sum": ("calculate", {"a": 0, "b": 0}), "place": ("calculate", {"a": link("sum.value"), "b": 0, "how": "x"})},
        {"value": "place.value"},
        {"a": "sum.a", "b": "sum.b", "number": "place.b"},
    )
    node = ("for_each", {"a": [1, 2, 3], "b": [10, 20, 30]}, {"graph": "g", "each": ["a", "b"], "index": "number"})
    assert runner.run(flow({"each": node}, {"v": "each.value"}, graphs={"g": body})).outputs["v"] == [0, 22, 66]


def test_lists_of_different_lengths_are_refused_by_name(runner: Runner) -> None:
    node = (
        "for_each",
        {"number": link("a.result"), "more": link("b.result")},
        {"graph": "add", "each": ["number", "more"]},
    )
    makes = {name: ("collect", {"items": [link("n.number")] * count}) for name, count in (("a", 1), ("b", 2))}
    workflow = flow({"n": ("number", {}), **makes, "each": node}, {"x": "each.number"}, graphs={"add": ADD})
    with pytest.raises(NodeFailed, match=r"'each'.*not of one length: number has 1, more has 2"):
        runner.run(workflow)


def test_a_blocked_round_leaves_no_item_and_writes_nothing(runner: Runner, calls: Calls) -> None:
    body = graph(
        {
            "make": ("number", {"value": 0}),
            "even": ("evens_only", {"number": link("make.number")}),
            "write": ("write_number", {"number": link("even.number")}),
        },
        {"number": "even.number", "all": "make.number"},
        {"value": "make.value"},
    )
    workflow = flow(
        {"each": ("for_each", {"value": [1, 2, 3, 4]}, {"graph": "g", "each": ["value"]})},
        {"even": "each.number", "all": "each.all"},
        graphs={"g": body},
    )
    result = runner.run(workflow)
    assert values(result.outputs["even"]) == [2, 4]
    assert values(result.outputs["all"]) == [1, 2, 3, 4]
    assert calls().count("write_number") == 2
    assert len(result.files) == 2


def test_loops_in_loops_and_errors_that_name_the_rounds(runner: Runner) -> None:
    inner = graph(
        {"make": ("number", {"value": 0}), "n": ("fails", {"number": link("make.number")})},
        {"number": "n.number"},
        {"value": "make.value"},
    )
    rows = graph(
        {"row": ("for_each", {"value": [1, 2]}, {"graph": "cell", "each": ["value"]})},
        {"numbers": "row.number"},
        {"values": "row.value"},
    )
    node = ("for_each", {"values": [[], [7, 8]]}, {"graph": "row", "each": ["values"]})
    workflow = flow({"table": node}, {"t": "table.numbers"}, graphs={"cell": inner, "row": rows})
    with pytest.raises(
        NodeFailed, match=r"node 'table\[1\]/row\[0\]/n' \(fails\) failed: RuntimeError: cannot work with 7"
    ):
        runner.run(workflow)
    inner["nodes"]["n"]["type"] = "evens_only"
    sound = flow({"table": node}, {"t": "table.numbers"}, graphs={"cell": inner, "row": rows})
    assert [values(row) for row in runner.run(sound).outputs["t"]] == [[], [8]]


def test_rounds_over_nodes_that_wait_run_at_once(runner: Runner) -> None:
    body = graph({"meet": ("meets", {"number": 0})}, {"number": "meet.number"}, {"number": "meet.number"})
    workflow = flow(
        {"each": ("for_each", {"number": [1, 2, 3, 4]}, {"graph": "meet", "each": ["number"]})},
        {"n": "each.number"},
        graphs={"meet": body},
    )
    assert values(runner.run(workflow, use_cache=False).outputs["n"]) == [1, 2, 3, 4]


def test_rounds_of_nodes_that_must_run_anew_are_apart(runner: Runner, calls: Calls) -> None:
    body = graph(
        {"id": ("process_id", {}), "text": ("scaled", {"value": link("id.value"), "times": 1})},
        {"text": "text.value"},
        {"times": "text.times"},
    )
    workflow = flow(
        {"each": ("for_each", {"times": [1, 1]}, {"graph": "g", "each": ["times"]})},
        {"t": "each.text"},
        graphs={"g": body},
    )
    runner.run(workflow)
    assert calls() == ["process_id", "scaled", "process_id", "scaled"]


# repeat


def test_rounds_carry_their_state(runner: Runner, calls: Calls) -> None:
    def added(times: int) -> Workflow:
        nodes = {
            "one": ("number", {"value": 1}),
            "often": (
                "repeat",
                {"number": link("one.number"), "more": link("one.number"), "times": times},
                {"graph": "add", "carry": ["number"]},
            ),
        }
        return flow(nodes, {"number": "often.number"}, graphs={"add": ADD})

    assert runner.run(added(10)).outputs["number"].value == 11
    assert calls().count("add") == 10
    assert runner.run(added(12)).outputs["number"].value == 13
    assert calls() == ["add", "add"]
    assert runner.run(added(0)).outputs["number"].value == 1


def test_an_output_can_end_it_and_others_can_be_collected(runner: Runner) -> None:
    node = (
        "repeat",
        {"count": 1, "enough": 4},
        {"graph": "count", "carry": ["count"], "until": "done", "collect": ["done"]},
    )
    result = runner.run(flow({"r": node}, {"count": "r.count", "done": "r.done"}, graphs={"count": COUNT}))
    assert result.outputs == {"count": 4, "done": [False, False, True]}


def test_one_that_never_ends_is_stopped_by_its_limit(runner: Runner) -> None:
    node = ("repeat", {"count": 0, "enough": 1e9, "limit": 20}, {"graph": "count", "carry": ["count"], "until": "done"})
    with pytest.raises(
        NodeFailed, match=r"after 20 rounds 'done' was never true; mend the condition, give `times`, or raise `limit`"
    ):
        runner.run(flow({"r": node}, {"count": "r.count"}, graphs={"count": COUNT}))


def test_without_a_round_there_is_nothing_but_what_was_to_be_carried(runner: Runner) -> None:
    node = ("repeat", {"count": 3, "times": 0}, {"graph": "count", "carry": ["count"]})
    result = runner.run(flow({"r": node}, {"count": "r.count", "done": "r.done"}, graphs={"count": COUNT}))
    assert result.outputs["count"] == 3
    assert isinstance(result.outputs["done"], Blocked)


@pytest.mark.parametrize("kind", ["for_each", "repeat"])
def test_memory_stays_flat_over_a_thousand_rounds(runner: Runner, kind: str) -> None:
    """The highest use of memory grows by the items and results of 900 more rounds, far from what a round's nodes take."""

    def peak(count: int) -> int:
        if kind == "repeat":
            node = ("repeat", {"count": 0, "times": count}, {"graph": "count", "carry": ["count"]})
            workflow = flow({"r": node}, {"count": "r.count"}, graphs={"count": COUNT})
        else:
            node = ("for_each", {"count": [*range(count)]}, {"graph": "count", "each": ["count"]})
            workflow = flow({"r": node}, {"done": "r.done"}, graphs={"count": COUNT})
        gc.collect()
        tracemalloc.start()
        runner.run(workflow, use_cache=False)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    few, many = peak(100), peak(1000)
    assert many < few + 900 * 512


# lazy inputs


def test_only_the_branch_that_is_taken_is_computed(runner: Runner, calls: Calls) -> None:
    def branches(condition: bool, other: float) -> Workflow:
        return flow(
            {
                "yes": ("number", {"value": 1}),
                "no": ("fails", {"number": link("other.number")}),
                "other": ("number", {"value": other}),
                "switch": (
                    "switch",
                    {"condition": condition, "on_true": link("yes.number"), "on_false": link("no.number")},
                ),
                "after": ("add", {"a": link("switch.result"), "b": link("switch.result")}),
            },
            {"number": "after.number"},
        )

    assert runner.run(branches(True, 5)).outputs["number"].value == 2
    assert calls() == ["number", "add"]
    assert runner.run(branches(True, 6)).cached == ("after",)
    assert calls() == []
    with pytest.raises(NodeFailed, match="cannot work with 5"):
        runner.run(branches(False, 5))


def test_a_decision_is_remembered_across_processes(make_runner: Callable[..., Runner], calls: Calls) -> None:
    nodes = {
        "condition": ("compare", {"a": 1, "b": 2}),
        "yes": ("number", {"value": 1}),
        "no": ("number", {"value": 2}),
        "switch": (
            "switch",
            {"condition": link("condition.value"), "on_true": link("yes.number"), "on_false": link("no.number")},
        ),
        "after": ("add", {"a": link("switch.result"), "b": link("switch.result")}),
    }
    workflow = flow(nodes, {"number": "after.number"})
    runner = make_runner()
    assert runner.prepare(workflow).plan.keys.keys() == {"condition", "yes", "no"}
    runner.run(workflow)
    calls()
    second = make_runner()
    assert "after" in second.prepare(workflow).plan.cached
    assert second.run(workflow).outputs["number"].value == 2
    assert calls() == []


def test_a_node_may_ask_for_one_thing_after_the_other(runner: Runner, calls: Calls) -> None:
    def asked(a: float, take_b: bool) -> Workflow:
        nodes = {name: ("number", {"value": value}) for name, value in (("a", a), ("b", 2), ("c", 3))}
        pair = ("lazy_pair", {"take_b": take_b, **{name: link(f"{name}.number") for name in nodes}})
        return flow({**nodes, "pair": pair}, {"number": "pair.number"})

    for a, take_b, expected, count in ((1, False, 1, 1), (1, True, 3, 2), (20, False, 23, 2), (20, True, 25, 3)):
        assert runner.run(asked(a, take_b), use_cache=False).outputs["number"].value == expected
        assert calls().count("number") == count


def test_one_of_many_is_chosen_and_the_others_are_not_computed(runner: Runner, calls: Calls) -> None:
    nodes = {f"n{index}": ("number", {"value": index}) for index in range(4)}
    choose = ("select", {"items": [link(f"n{index}.number") for index in range(4)], "index": 2})
    assert runner.run(flow({**nodes, "s": choose}, {"n": "s.result"})).outputs["n"].value == 2
    assert calls() == ["number"]
    whole = flow(
        {"i": ("integers", {"first": 5}), "s": ("select", {"items": link("i.result"), "index": 1})}, {"n": "s.result"}
    )
    assert runner.run(whole).outputs["n"] == 6
    choose[1]["index"] = 9
    with pytest.raises(NodeFailed, match="there are 4 items; count from 0"):
        runner.run(flow({**nodes, "s": choose}, {"n": "s.result"}))


# blocked values


def test_what_needs_a_blocked_value_is_blocked_and_says_why(runner: Runner) -> None:
    events: list[Event] = []
    nodes = {
        "n": ("number", {"value": 3}),
        "even": ("evens_only", {"number": link("n.number")}),
        "sum": ("add", {"a": link("even.number"), "b": link("n.number")}),
        "write": ("write_number", {"number": link("sum.number")}),
        "else": ("fallback", {"value": link("sum.number"), "otherwise": link("n.number")}),
        "there": ("collect", {"items": [link("n.number"), link("sum.number"), link("else.result")]}),
    }
    workflow = flow(nodes, {"sum": "sum.number", "else": "else.result", "there": "there.result"})
    result = runner.run(workflow, on_event=events.append)
    assert result.outputs["sum"] == Blocked("3 is odd")
    assert result.outputs["else"].value == 3
    assert values(result.outputs["there"]) == [3, 3]
    assert names(events, NodeBlocked) == ["sum", "write"]
    assert result.files == ()


def test_a_shut_gate_computes_nothing_before_it(runner: Runner, calls: Calls) -> None:
    def gated(is_open: bool) -> Workflow:
        return flow(
            {"n": ("number", {}), "g": ("gate", {"value": link("n.number"), "open": is_open})}, {"n": "g.result"}
        )

    assert runner.run(gated(False)).outputs["n"] == Blocked("the gate is shut")
    assert calls() == []
    assert runner.run(gated(True)).outputs["n"].value == 0


def test_a_node_must_say_that_it_blocks(runner: Runner) -> None:
    nodes = {"n": ("number", {}), "b": ("blocks_undeclared", {"number": link("n.number")})}
    with pytest.raises(NodeFailed, match=r"says so in its return type: `T \| Blocked`"):
        runner.run(flow(nodes, {"n": "b.number"}))


# expansion


def test_a_workflow_that_a_node_gives_takes_its_place(runner: Runner, calls: Calls) -> None:
    events: list[Event] = []
    nodes = {"n": ("number", {"value": 1}), "x": ("added_often", {"number": link("n.number"), "times": 3})}
    workflow = flow(nodes, {"n": "x.number"})
    assert runner.run(workflow, on_event=events.append).outputs["n"].value == 8
    assert "x/rest/rest/sum" in names(events, NodeStarted)
    calls()
    events.clear()
    assert runner.run(workflow, on_event=events.append).outputs["n"].value == 8
    assert calls() == [], "not even the node that gave it is called again"
    assert "x/rest/rest/sum" in names(events, NodeCached)


def test_an_expansion_that_holds_itself_is_an_error(runner: Runner) -> None:
    nodes = {"n": ("number", {}), "x": ("expands_for_ever", {"number": link("n.number")})}
    with pytest.raises(NodeFailed, match="100 graphs deep in one another; does it give a workflow that holds itself"):
        runner.run(flow(nodes, {"n": "x.number"}))


def test_an_expansion_is_validated_with_all_its_defects(runner: Runner) -> None:
    nodes = {"n": ("number", {}), "x": ("expands_badly", {"number": link("n.number")})}
    with pytest.raises(NodeFailed) as failure:
        runner.run(flow(nodes, {"n": "x.number"}))
    for text in (
        "node 'x' (expands_badly)",
        "no node type 'ad'",
        "y.a: it needs Number",
        "it lacks an output 'number'",
    ):
        assert text in str(failure.value)


# events


def test_loops_report_their_rounds(runner: Runner) -> None:
    events: list[Event] = []
    runner.run(each_number([1, 2, 3]), on_event=events.append)
    done = [each.progress.done for each in events if isinstance(each, NodeProgress) and each.node == "each"]
    assert done == [1, 2, 3]
    assert [each.sequence for each in events] == [*range(len(events))]


def test_a_bad_loop_is_refused_before_anything_runs(runner: Runner, calls: Calls) -> None:
    node = ("for_each", {"value": "three"}, {"graph": "make", "each": ["value"]})
    with pytest.raises(InvalidWorkflow, match=r"each\.value = 'three'"):
        runner.run(flow({"n": ("number", {}), "each": node}, {"n": "each.number"}, graphs={"make": NUMBER}))
    assert calls() == []


def test_names_of_files_may_mention_the_round_and_what_it_is_given(runner: Runner) -> None:
    body = graph({"w": ("write_text", {"text": "", "name": "{round}-{word}"})}, {"file": "w.file"}, {"word": "w.text"})
    workflow = flow(
        {"each": ("for_each", {"word": ["a", "b"]}, {"graph": "g", "each": ["word"]})},
        {"files": "each.file"},
        graphs={"g": body},
    )
    assert [path.name[:4] for path in runner.run(workflow).files] == ["0-a-", "1-b-"]


@pytest.mark.parametrize("kind", ["for_each", "repeat"])
def test_a_cancelled_loop_goes_on_where_it_was(make_runner: Callable[..., Runner], calls: Calls, kind: str) -> None:
    token = CancelToken()

    def stop_in_the_third_round(event: Event) -> None:
        if isinstance(event, NodeFinished) and event.node.startswith("loop[2]/"):
            token.cancel()

    if kind == "for_each":
        loop = ("for_each", {"value": [1, 2, 3, 4, 5]}, {"graph": "make", "each": ["value"]})
    else:
        inputs = {"number": link("one.number"), "more": link("one.number"), "times": 5}
        loop = ("repeat", inputs, {"graph": "add", "carry": ["number"]})
    nodes = {"one": ("number", {"value": 1}), "loop": loop}
    workflow = flow(nodes, {"n": "loop.number"}, graphs={"make": NUMBER, "add": ADD})
    with pytest.raises(Cancelled):
        make_runner().run(workflow, on_event=stop_in_the_third_round, cancel=token)
    first = calls()
    make_runner().run(workflow)
    assert len(first) + len(calls()) == (5 if kind == "for_each" else 6)


def test_what_rounds_gave_before_one_failed_is_kept(make_runner: Callable[..., Runner], calls: Calls) -> None:
    body = graph(
        {
            "make": ("number", {"value": 0}),
            "odd": ("calculate", {"a": 1, "b": 2, "how": ":"}),
            "half": ("number", {"value": link("odd.value")}),
        },
        {"number": "make.number", "half": "half.number"},
        {"value": "make.value", "divide": "odd.b"},
    )

    def over(divide: list[int]) -> Workflow:
        loop = ("for_each", {"value": [1, 2, 3], "divide": divide}, {"graph": "g", "each": ["value", "divide"]})
        return flow({"loop": loop}, {"n": "loop.half"}, graphs={"g": body})

    with pytest.raises(NodeFailed, match=r"'loop\[2\]/odd' \(calculate\) failed: b = 0.0: nothing is divided by zero"):
        make_runner().run(over([1, 2, 0]))
    calls()
    assert values(make_runner().run(over([1, 2, 4])).outputs["n"]) == [1, 0.5, 0.25]
    assert calls() == ["number"]


def test_an_input_called_like_a_wire_inside_is_another_thing(runner: Runner) -> None:
    """The graph's input `same.number` and the output `number` of its node `same`, which is moved before the loop."""
    body = graph(
        {
            "same": ("number", {"value": 5}),
            "make": ("number", {}),
            "sum": ("add", {"a": link("same.number"), "b": link("make.number")}),
        },
        {"sum": "sum.number"},
        {"same.number": "make.value"},
    )
    loop = ("for_each", {"same.number": [1, 2]}, {"graph": "g", "each": ["same.number"]})
    assert values(runner.run(flow({"loop": loop}, {"n": "loop.sum"}, graphs={"g": body})).outputs["n"]) == [6, 7]


def test_many_rounds_at_once_leave_nothing_behind(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds end while the threads of others still put things in order behind their last node."""
    schedulers: list[Scheduler] = []
    made = Scheduler.__init__

    def noting(self: Scheduler, **given: Any) -> None:
        schedulers.append(self)
        made(self, **given)

    monkeypatch.setattr(Scheduler, "__init__", noting)
    body = graph(
        {"first": ("waits", {"number": 0}), "second": ("waits", {"number": link("first.value")})},
        {"number": "second.value"},
        {"number": "first.number"},
    )
    loop = ("for_each", {"number": [*range(300)]}, {"graph": "g", "each": ["number"]})
    workflow = flow({"each": loop}, {"n": "each.number"}, graphs={"g": body})
    for _ in range(3):
        assert runner.run(workflow, use_cache=False).outputs["n"] == [*range(300)]
    assert [set(each._done) for each in schedulers] == [{"each"}] * 3
