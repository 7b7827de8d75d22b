"""Running workflows of toy nodes: what runs, what is cached, and what errors say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph import Cancelled, InvalidWorkflow, NodeFailed, Workflow
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.events import Event, NodeCached, NodeFinished, NodeProgress, RunFinished, RunStarted
from nodegraph.execution.run import Runner

from ..flows import flow

Calls = Callable[[], list[str]]


def sum_of(a: float, b: float) -> Workflow:
    return flow(
        {
            "a": ("number", {"value": a}),
            "b": ("number", {"value": b}),
            "sum": ("add", {"a": {"from": "a.number"}, "b": {"from": "b.number"}}),
            "unused": ("number", {"value": 5.0}),
        },
        {"result": "sum.number"},
        {"a": {"to": ["a.value"]}},
    )


def test_a_result_and_only_what_it_needs(runner: Runner, calls: Calls) -> None:
    result = runner.run(sum_of(1, 2))
    assert result.outputs["result"].value == 3.0
    assert calls() == ["number", "number", "add"]


def test_a_second_process_recomputes_nothing(make_runner: Callable[..., Runner], calls: Calls) -> None:
    first = make_runner().run(sum_of(1, 2))
    calls()
    second = make_runner().run(sum_of(1, 2))
    assert calls() == []
    assert second.outputs == first.outputs
    assert second.cached == ("sum",)


def test_the_same_recipe_twice_in_a_graph_is_computed_once(runner: Runner, calls: Calls) -> None:
    nodes = {
        "a": ("number", {"value": 3}),
        "b": ("number", {"value": 3.0}),
        "machine1": ("machine", {}),
        "machine2": ("machine", {"factor": 2.0}),
        "one": ("use_machine", {"machine": {"from": "machine1.machine"}, "number": {"from": "a.number"}}),
        "two": ("use_machine", {"machine": {"from": "machine2.machine"}, "number": {"from": "b.number"}}),
        "sum": ("add", {"a": {"from": "one.number"}, "b": {"from": "two.number"}}),
        "p": ("process_id", {}),
        "q": ("process_id", {}),
    }
    events: list[Event] = []
    for use_cache in (True, False):
        workflow = flow(nodes, {"sum": "sum.number", "a": "a.number", "b": "b.number", "p": "p.value", "q": "q.value"})
        result = runner.run(workflow, use_cache=use_cache, on_event=events.append)
        assert (result.outputs["sum"].value, result.outputs["b"].value) == (12.0, 3.0)
        assert sorted(calls()) == ["add", "machine", "number", "process_id", "process_id", "use_machine"]
        assert set(result.ran) == {"a", "machine1", "one", "sum", "p", "q"}
    assert {each.node for each in events if isinstance(each, NodeCached)} == {"b", "machine2", "two"}


def test_only_the_changed_branch_runs_again(runner: Runner, calls: Calls) -> None:
    runner.run(sum_of(1, 2))
    calls()
    assert runner.run(sum_of(1, 2), {"a": 4}).outputs["result"].value == 6.0
    assert calls() == ["number", "add"]


def test_names_of_nodes_do_not_matter_to_the_cache(runner: Runner, calls: Calls) -> None:
    runner.run(flow({"x": ("number", {"value": 1.5})}, {"r": "x.number"}))
    calls()
    runner.run(flow({"y": ("number", {"value": 1.5})}, {"r": "y.number"}))
    assert calls() == []


def test_a_written_default_is_the_same_recipe(runner: Runner, calls: Calls) -> None:
    runner.run(flow({"x": ("number", {})}, {"r": "x.number"}))
    calls()
    runner.run(flow({"y": ("number", {"value": 0})}, {"r": "y.number"}))
    assert calls() == []


def test_without_cache_everything_runs_and_nothing_is_kept(runner: Runner, calls: Calls) -> None:
    for _ in range(2):
        runner.run(sum_of(1, 2), use_cache=False)
        assert calls() == ["number", "number", "add"]
    runner.run(sum_of(1, 2))
    assert calls() == ["number", "number", "add"]


def test_a_file_replaced_in_place_gives_the_new_result(
    make_runner: Callable[..., Runner], calls: Calls, tmp_path: Path
) -> None:
    note = tmp_path / "models" / "note" / "hello.txt"
    note.parent.mkdir(parents=True)
    note.write_text("one", "utf-8")
    stat = note.stat()
    workflow = flow({"text": ("read_text", {"file": "hello.txt"})}, {"r": "text.text"})
    assert make_runner().run(workflow).outputs["r"] == "one"
    note.write_text("two", "utf-8")
    os.utime(note, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert make_runner().run(workflow).outputs["r"] == "two"
    assert calls() == ["read_text", "read_text"]


def test_a_file_renamed_is_the_same_recipe(runner: Runner, calls: Calls, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "note"
    folder.mkdir(parents=True)
    (folder / "one.txt").write_text("text", "utf-8")
    runner.run(flow({"text": ("read_text", {"file": "one.txt"})}))
    (folder / "one.txt").rename(folder / "two.txt")
    runner.run(flow({"text": ("read_text", {"file": "two.txt"})}))
    assert calls() == ["read_text"]


def test_residents_are_rebuilt_from_their_recipe(make_runner: Callable[..., Runner], calls: Calls) -> None:
    nodes = {
        "m": ("machine", {"factor": 3}),
        "n": ("number", {"value": 2}),
        "used": ("use_machine", {"machine": {"from": "m.machine"}, "number": {"from": "n.number"}}),
    }
    assert make_runner().run(flow(nodes, {"r": "used.number"})).outputs["r"].value == 6.0
    assert sorted(calls()) == ["machine", "number", "use_machine"]
    assert make_runner().run(flow(nodes, {"r": "used.number"})).ran == ()
    nodes["n"] = ("number", {"value": 5})
    assert make_runner().run(flow(nodes, {"r": "used.number"})).outputs["r"].value == 15.0
    assert sorted(calls()) == ["machine", "number", "use_machine"]


def test_effects_always_run_and_rewrite_the_same_file(
    make_runner: Callable[..., Runner], calls: Calls, tmp_path: Path
) -> None:
    nodes = {"n": ("number", {"value": 7}), "w": ("write_number", {"number": {"from": "n.number"}})}
    first = make_runner().run(flow(nodes, {"f": "w.file"})).outputs["f"]
    second = make_runner().run(flow(nodes, {"f": "w.file"})).outputs["f"]
    assert calls() == ["number", "write_number", "write_number"]
    assert first == second
    assert [path.name for path in (tmp_path / "output").iterdir()] == [first.name]
    assert first.read_text("utf-8") == "7.0"


def test_never_cached_nodes_run_with_all_that_follows(runner: Runner, calls: Calls) -> None:
    workflow = flow({"id": ("process_id", {}), "s": ("scaled", {"value": {"from": "id.value"}})}, {"r": "s.value"})
    for _ in range(2):
        assert runner.run(workflow).outputs["r"] == float(os.getpid())
        assert calls() == ["process_id", "scaled"]


def test_lists_may_mix_wires_and_values(runner: Runner) -> None:
    nodes = {
        "a": ("join", {"texts": ["x", "y"]}),
        "b": ("join", {"texts": ["1", {"from": "a.text"}, {"value": "3"}], "last": "end", "separator": "-"}),
    }
    assert runner.run(flow(nodes, {"r": "b.text"})).outputs["r"] == "1-x, y-3-end"


def test_enums_models_unions_generics_and_named_outputs(runner: Runner) -> None:
    nodes = {
        "n": ("number", {"value": 2.5}),
        "up": ("rounded", {"number": {"from": "n.number"}, "how": "up"}),
        "area": ("area", {"box": {"value": {"width": 3, "height": 4}}, "scale": 0.5}),
        "first": ("first", {"items": [{"from": "up.value"}, 9]}),
        "split": ("split", {"number": {"from": "n.number"}}),
        "scaled": ("scaled", {"value": {"from": "split.whole"}, "times": {"from": "first.result"}}),
    }
    outputs = {
        "up": "up.value",
        "area": "area.area",
        "first": "first.result",
        "rest": "split.rest",
        "scaled": "scaled.value",
    }
    found = runner.run(flow(nodes, outputs)).outputs
    assert found == {"up": 3, "area": 6.0, "first": 3, "rest": 0.5, "scaled": 6.0}
    assert type(found["scaled"]) is float


def test_an_error_names_node_inputs_and_cause_and_keeps_what_finished(runner: Runner, calls: Calls) -> None:
    nodes = {"n": ("number", {"value": 7}), "bad": ("fails", {"number": {"from": "n.number"}})}
    with pytest.raises(NodeFailed) as caught:
        runner.run(flow(nodes, {"r": "bad.number"}))
    message = str(caught.value)
    assert "'bad' (fails)" in message
    assert "RuntimeError: cannot work with 7.0" in message
    assert "number=<Number>" in message
    assert calls() == ["number"]
    with pytest.raises(NodeFailed):
        runner.run(flow(nodes, {"r": "bad.number"}))
    assert calls() == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("refuses", "number = 7.0: it is odd; give an even one"),
        ("lies", "'number' should be Number, but it is str"),
        ("leaves", "SystemExit: 3"),
    ],
)
def test_bad_nodes_end_only_the_run(runner: Runner, kind: str, words: str) -> None:
    nodes = {"n": ("number", {"value": 7}), "bad": (kind, {"number": {"from": "n.number"}})}
    with pytest.raises(NodeFailed, match=r".*") as caught:
        runner.run(flow(nodes, {"r": "bad.number"}))
    assert words in str(caught.value)


def test_a_node_that_changes_its_input_is_caught_when_asked(runner: Runner) -> None:
    workflow = flow({"m": ("mutates", {"numbers": [1, 2]})}, {"r": "m.value"})
    with pytest.raises(NodeFailed, match="changed a value it was given"):
        runner.run(workflow, check_purity=True)


def test_cancelling_stops_within_a_step_and_keeps_what_finished(runner: Runner, calls: Calls) -> None:
    nodes = {"n": ("number", {"value": 1}), "s": ("steps", {"number": {"from": "n.number"}, "count": 100})}
    token = CancelToken()
    events: list[Event] = []

    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, NodeProgress) and event.progress.done == 3:
            token.cancel()

    with pytest.raises(Cancelled):
        runner.run(flow(nodes, {"r": "s.number"}), on_event=watch, cancel=token)
    assert calls().count("step") == 4
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].status, events[-1].kept) == ("cancelled", 1)
    runner.run(flow(nodes, {"r": "s.number"}))
    assert "number" not in calls()


def test_events_are_numbered_and_tell_the_story(runner: Runner) -> None:
    events: list[Event] = []
    runner.run(sum_of(1, 2))
    runner.run(sum_of(3, 2), on_event=events.append)
    assert [event.sequence for event in events] == list(range(len(events)))
    assert isinstance(events[0], RunStarted)
    assert (events[0].to_run, events[0].cached) == (2, 1)
    assert [event.node for event in events if isinstance(event, NodeCached)] == ["b"]


def test_events_tell_where_results_are_stored(runner: Runner) -> None:
    events: list[Event] = []
    workflow = flow({"p": ("process_id", {}), "n": ("number", {"value": 1})}, {"n": "n.number", "p": "p.value"})
    keys = runner.run(workflow, on_event=events.append).keys
    told = {event.node: event.key for event in events if isinstance(event, NodeFinished)}
    assert told == {"n": keys["n"], "p": ""}
    assert runner.store.get(told["n"]) is not None
    events.clear()
    runner.run(workflow, on_event=events.append)
    assert {event.node: event.key for event in events if isinstance(event, NodeCached)} == {"n": keys["n"]}
    events.clear()
    runner.run(workflow, use_cache=False, on_event=events.append)
    assert {event.key for event in events if isinstance(event, NodeFinished)} == {""}


def test_what_lies_before_a_stored_result_is_told_as_cached(make_runner: Callable[..., Runner], calls: Calls) -> None:
    nodes = {
        "n": ("number", {"value": 1}),
        "machine": ("machine", {}),
        "use": ("use_machine", {"machine": {"from": "machine.machine"}, "number": {"from": "n.number"}}),
    }
    workflow = flow(nodes, {"r": "use.number"})
    keys = make_runner().run(workflow).keys
    events: list[Event] = []
    calls()
    again = make_runner().run(workflow, on_event=events.append)
    assert (calls(), again.cached) == ([], ("use",))
    told = {event.node: event.key for event in events if isinstance(event, NodeCached)}
    assert told == {"use": keys["use"], "n": keys["n"], "machine": ""}  # a machine stays in its process's memory


def test_running_up_to_a_node(runner: Runner, calls: Calls) -> None:
    runner.run(sum_of(1, 2), targets=["a"])
    assert calls() == ["number"]
    with pytest.raises(InvalidWorkflow, match="no node 'zzz'"):
        runner.run(sum_of(1, 2), targets=["zzz"])


def test_a_corrupted_result_is_computed_again(make_runner: Callable[..., Runner], calls: Calls, tmp_path: Path) -> None:
    first = make_runner()
    first.run(sum_of(1, 2))
    first.close()
    calls()
    for file in (tmp_path / "cache" / "results").rglob("index.sqlite*"):
        content = bytearray(file.read_bytes())
        for index in range(len(content)):
            if content[index : index + 5] == b"value":
                content[index] ^= 0xFF
        file.write_bytes(content)
    assert make_runner().run(sum_of(1, 2)).outputs["result"].value == 3.0
    assert calls() == ["number", "number", "add"]


def test_unknown_workflow_inputs_are_refused(runner: Runner) -> None:
    with pytest.raises(InvalidWorkflow, match="no input 'aa'; did you mean 'a'"):
        runner.run(sum_of(1, 2), {"aa": 4})
