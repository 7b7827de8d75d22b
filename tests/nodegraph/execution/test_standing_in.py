"""Runs that take the place of one that was killed: they write the same files and find what was stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nodegraph import InvalidWorkflow, NodeFailed, NodegraphError
from nodegraph.execution.events import Event, NodeFile
from nodegraph.execution.run import Runner

from ..flows import flow, graph, link

Calls = Callable[[], list[str]]


@dataclass
class Kept:
    """A journal in memory. asked: every question, with whether the proposed file was there by then."""

    targets: dict[tuple[str, int], Path] = field(default_factory=dict)
    asked: list[tuple[str, int, bool]] = field(default_factory=list)

    def target(self, node: str, number: int, proposed: Path) -> Path:
        """The path that was noted first."""
        self.asked.append((node, number, proposed.exists()))
        return self.targets.setdefault((node, number), proposed)


NODES = {
    "read": ("read_text", {"file": "a.txt"}),
    "save": ("write_text", {"text": link("read.text"), "name": "kept/copy"}),
}


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """A file that workflows read."""
    path = tmp_path / "models" / "note" / "a.txt"
    path.parent.mkdir(parents=True)
    path.write_text("before", "utf-8")
    return path


def test_a_target_is_noted_before_the_node_has_it(runner: Runner, note: Path) -> None:
    kept = Kept()
    events: list[Event] = []
    result = runner.run(flow(NODES), journal=kept, on_event=events.append)
    assert kept.asked == [("save", 0, False)]
    assert result.files == (kept.targets["save", 0],)
    assert [each.path for each in events if isinstance(each, NodeFile)] == list(result.files)
    assert result.files[0].read_text("utf-8") == "before"


def test_a_run_again_writes_the_same_file_although_what_it_reads_has_changed(
    make_runner: Callable[..., Runner], note: Path, tmp_path: Path
) -> None:
    kept = Kept()
    [first] = make_runner().run(flow(NODES), journal=kept).files
    note.write_text("after", "utf-8")
    again = make_runner(output=tmp_path / "elsewhere").run(flow(NODES), journal=kept)
    assert again.files == (first,)
    assert first.read_text("utf-8") == "after"
    assert list(first.parent.iterdir()) == [first]
    assert not (tmp_path / "elsewhere").exists()
    [other] = make_runner().run(flow(NODES)).files  # without a journal the recipe says where
    assert other != first


def test_the_folder_of_a_noted_target_is_made_again(runner: Runner, note: Path) -> None:
    kept = Kept()
    [path] = runner.run(flow(NODES), journal=kept).files
    path.unlink()
    path.parent.rmdir()
    assert runner.run(flow(NODES), journal=kept).files == (path,)
    assert path.exists()


def test_what_a_killed_writer_left_beside_a_target_is_removed(runner: Runner, note: Path) -> None:
    kept = Kept()
    [path] = runner.run(flow(NODES), journal=kept).files
    (path.parent / f".{path.name}-abcd1234").write_text("hal")
    runner.run(flow(NODES))
    assert len(list(path.parent.iterdir())) == 2
    runner.run(flow(NODES), journal=kept)
    assert list(path.parent.iterdir()) == [path]


def test_files_of_a_node_are_numbered_anew_when_it_is_called_again(runner: Runner) -> None:
    nodes = {
        "one": ("join", {"texts": ["x"]}),
        "save": ("write_texts", {"texts": ["a", "b"], "last": link("one.text")}),
    }
    kept = Kept()
    result = runner.run(flow(nodes, {"files": "save.files"}), journal=kept)
    assert [(node, number) for node, number, _ in kept.asked] == [("save", n) for n in (0, 1, 0, 1, 2)]
    assert [Path(each).read_text("utf-8") for each in result.outputs["files"]] == ["a", "b", "x"]


def test_rounds_and_branches_have_files_of_their_own(runner: Runner) -> None:
    body = graph({"save": ("write_text", {"text": "", "name": "same"})}, {"file": "save.file"}, {"text": "save.text"})
    nodes = {
        "each": ("for_each", {"text": ["a", "b"]}, {"graph": "body", "each": ["text"]}),
        "save": ("write_text", {"text": "c", "name": "same"}),
    }
    kept = Kept()
    runner.run(flow(nodes, {"files": "each.file"}, graphs={"body": body}), journal=kept)
    assert sorted(kept.targets) == [("each[0]/save", 0), ("each[1]/save", 0), ("save", 0)]
    assert sorted(path.read_text("utf-8") for path in kept.targets.values()) == ["a", "b", "c"]


class Lost(NodegraphError):
    """The job is somebody else's by now."""


def test_a_journal_that_refuses_stops_the_node_before_it_writes(runner: Runner, note: Path, tmp_path: Path) -> None:
    class Refusing:
        def target(self, node: str, number: int, proposed: Path) -> Path:
            raise Lost("the job was given to another worker")

    with pytest.raises(NodeFailed, match="the job was given to another worker") as caught:
        runner.run(flow(NODES), journal=Refusing())
    assert isinstance(caught.value.__cause__, Lost)
    assert not (tmp_path / "output").exists()


BELOW_NEVER = {
    "id": ("process_id", {}),
    "scaled": ("scaled", {"value": link("id.value")}),
    "again": ("scaled", {"value": link("scaled.value"), "times": 2}),
    "save": ("write_text", {"text": "x"}),
}


def test_a_run_with_the_same_token_finds_results_below_nodes_that_are_never_cached(
    make_runner: Callable[..., Runner], calls: Calls
) -> None:
    workflow = flow(BELOW_NEVER, {"r": "again.value"})
    first = make_runner().run(workflow, token="job 1")
    assert sorted(calls()) == ["process_id", "scaled", "scaled", "write_text"]
    again = make_runner().run(workflow, token="job 1")
    assert calls() == ["write_text"]
    assert again.outputs["r"] == first.outputs["r"]
    assert again.keys == first.keys
    for token in ("job 2", None, None):
        other = make_runner().run(workflow, token=token)
        assert sorted(calls()) == ["process_id", "scaled", "scaled", "write_text"]
        assert other.keys["again"] != first.keys["again"]
        assert other.keys["save"] == first.keys["save"]


def test_a_run_that_takes_anothers_place_keeps_to_what_was_drawn(make_runner: Callable[..., Runner]) -> None:
    nodes = {"drawn": ("drawn", {}), "twice": ("scaled", {"value": link("drawn.value"), "times": 2})}
    outputs = {"once": "drawn.value", "twice": "twice.value"}
    first = make_runner().run(flow(nodes, {"once": "drawn.value"}), token="job").outputs["once"]
    found = make_runner().run(flow(nodes, outputs), token="job").outputs
    assert found == {"once": first, "twice": 2 * first}
    assert make_runner().run(flow(nodes, outputs)).outputs["once"] != first


def test_a_token_reaches_the_rounds_of_loops(make_runner: Callable[..., Runner], calls: Calls) -> None:
    body = graph(
        {"id": ("process_id", {}), "sum": ("scaled", {"value": link("id.value"), "times": 1})},
        {"value": "sum.value"},
        {"times": "sum.times"},
    )
    nodes = {"each": ("for_each", {"times": [2, 2]}, {"graph": "body", "each": ["times"]})}
    workflow = flow(nodes, {"r": "each.value"}, graphs={"body": body})
    make_runner().run(workflow, token="job")
    assert calls() == ["process_id", "scaled"] * 2
    make_runner().run(workflow, token="job")
    assert calls() == []
    make_runner().run(workflow, token="another job")
    assert calls() == ["process_id", "scaled"] * 2


def test_a_plan_asks_with_the_token_of_its_run(runner: Runner) -> None:
    workflow = flow(BELOW_NEVER, {"r": "again.value"})
    runner.run(workflow, token="job")
    assert runner.prepare(workflow, token="job").plan.cached == {"again"}
    assert runner.prepare(workflow).plan.cached == frozenset()


def test_a_workflow_with_defects_asks_no_journal(runner: Runner) -> None:
    kept = Kept()
    with pytest.raises(InvalidWorkflow):
        runner.run(flow(NODES), journal=kept)  # there is no file to read
    assert kept.asked == []


@pytest.mark.parametrize("use_cache", [True, False])
def test_what_needs_different_nodes_that_are_never_cached_is_not_taken_for_the_same(
    runner: Runner, calls: Calls, use_cache: bool
) -> None:
    nodes = {"a": ("drawn", {}), "b": ("drawn", {})}
    nodes |= {f"of_{name}": ("scaled", {"value": link(f"{name}.value"), "times": 2}) for name in nodes}
    result = runner.run(flow(nodes, {name: f"{name}.value" for name in nodes}), use_cache=use_cache)
    found = result.outputs
    assert found["a"] != found["b"]
    assert (found["of_a"], found["of_b"]) == (2 * found["a"], 2 * found["b"])
    assert sorted(calls()) == ["drawn", "drawn", "scaled", "scaled"]
