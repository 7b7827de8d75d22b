"""Long nodes go on from the state that they offered last; nothing about checkpoints ever ends a run."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Cancelled
from nodegraph.execution import checkpoints as checkpoints_module
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.checkpoints import OLDEST_SECONDS, Checkpoints
from nodegraph.execution.events import Event, NodeLog, NodeProgress
from nodegraph.execution.run import Runner, RunResult
from nodegraph.execution.store import ResultStore
from nodegraph.files import replacing

from ..flows import flow

Calls = Callable[[], list[str]]
MakeRunner = Callable[..., Runner]

WORKFLOW = flow({"n": ("counts", {"number": 3.0, "steps": 5})}, {"r": "n.number"})
DAY = 24 * 3600.0


def run_until(runner: Runner, steps: int, **more: Any) -> list[str]:
    """Cancel after some steps; gives the log lines."""
    told: list[str] = []
    cancel = CancelToken()

    def listen(event: Event) -> None:
        if isinstance(event, NodeLog):
            told.append(event.text)
        if isinstance(event, NodeProgress) and event.progress.done == steps:
            cancel.cancel()

    with pytest.raises(Cancelled):
        runner.run(WORKFLOW, on_event=listen, cancel=cancel, **more)
    return told


def run_on(runner: Runner, **more: Any) -> tuple[RunResult, list[str]]:
    """Run to the end; gives the result and the log lines."""
    told: list[str] = []
    result = runner.run(
        WORKFLOW, on_event=lambda event: told.append(event.text) if isinstance(event, NodeLog) else None, **more
    )
    return result, told


def kept(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "state" / "checkpoints"
    return sorted(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("steps", range(1, 5))
def test_a_stopped_node_goes_on_where_it_was(make_runner: MakeRunner, calls: Calls, tmp_path: Path, steps: int) -> None:
    assert run_until(make_runner(checkpoint_seconds=0.0), steps) == []
    assert calls() == ["count"] * (steps + 1)  # the step after the last one that was told of is taken before the cancel
    assert [path.suffix for path in kept(tmp_path)] == [".safetensors"]
    result, told = run_on(make_runner(checkpoint_seconds=0.0))
    assert calls() == ["count"] * (5 - steps - 1)
    assert (result.outputs["r"].value, told) == (30.0, [])
    assert kept(tmp_path) == []


def test_a_cancelled_node_keeps_the_state_that_it_offers_then(make_runner: MakeRunner, calls: Calls) -> None:
    run_until(make_runner(checkpoint_seconds=1000.0), 2)
    assert calls() == ["count"] * 3
    run_on(make_runner(checkpoint_seconds=1000.0))
    assert calls() == ["count"] * 2


def test_without_a_cache_nothing_is_kept_or_looked_at(make_runner: MakeRunner, calls: Calls, tmp_path: Path) -> None:
    run_until(make_runner(checkpoint_seconds=0.0), 2, use_cache=False)
    assert kept(tmp_path) == []
    run_until(make_runner(checkpoint_seconds=0.0), 2)
    [path] = kept(tmp_path)
    calls()
    result, _ = run_on(make_runner(checkpoint_seconds=0.0), use_cache=False)
    assert calls() == ["count"] * 5
    assert result.outputs["r"].value == 30.0
    assert kept(tmp_path) == [path]


def test_another_recipe_finds_none(make_runner: MakeRunner, calls: Calls) -> None:
    run_until(make_runner(checkpoint_seconds=0.0), 2)
    calls()
    other = flow({"n": ("counts", {"number": 2.0, "steps": 5})}, {"r": "n.number"})
    assert make_runner().run(other).outputs["r"].value == 20.0
    assert calls() == ["count"] * 5


def test_a_checkpoint_goes_only_when_the_result_is_written(
    make_runner: MakeRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, there = ResultStore.flush, []

    def flushed(store: ResultStore) -> None:
        there.append(len(kept(tmp_path)))
        flush(store)

    monkeypatch.setattr(ResultStore, "flush", flushed)
    run_on(make_runner(checkpoint_seconds=0.0))
    assert there == [1, 0]


def test_nodes_that_are_never_cached_have_checkpoints_of_their_own(
    make_runner: MakeRunner, calls: Calls, tmp_path: Path
) -> None:
    nodes = {name: ("counts_anew", {"number": 3.0, "steps": 4}) for name in ("a", "b")}
    workflow = flow(nodes, {name: f"{name}.number" for name in nodes})
    cancel = CancelToken()

    def listen(event: Event) -> None:
        if isinstance(event, NodeProgress) and event.progress.done == 2:
            cancel.cancel()

    with pytest.raises(Cancelled):
        make_runner(checkpoint_seconds=0.0).run(workflow, cancel=cancel, on_event=listen, token="job")
    assert calls() == ["count"] * 3
    make_runner(checkpoint_seconds=0.0).run(workflow, token="another job")
    assert calls() == ["count"] * 8
    make_runner(checkpoint_seconds=0.0).run(workflow, token="job")
    assert calls() == ["count"] * 5
    assert kept(tmp_path) == []


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"xxx"),
    "other number": lambda path: path.write_bytes(path.read_bytes().replace(b"4022", b"4024")),
    "other class": lambda path: path.write_bytes(path.read_bytes().replace(b"Counted", b"Counter")),
    "no text": lambda path: path.write_bytes(path.read_bytes().replace(b'"', b"\xff")),
    "folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_told_of_and_passed_over(
    make_runner: MakeRunner, calls: Calls, tmp_path: Path, damage: str
) -> None:
    run_until(make_runner(checkpoint_seconds=0.0), 2)
    [path] = kept(tmp_path)
    calls()
    before = path.read_bytes()
    DAMAGE[damage](path)
    assert path.is_dir() or path.read_bytes() != before
    result, told = run_on(make_runner())
    assert calls() == ["count"] * 5
    assert result.outputs["r"].value == 30.0
    assert [str(path) in line and "so this begins anew" in line for line in told] == [True]


def test_no_flipped_bit_goes_unseen(make_runner: MakeRunner, tmp_path: Path) -> None:
    run_until(make_runner(checkpoint_seconds=0.0), 2)
    [path] = kept(tmp_path)
    whole = path.read_bytes()
    place = Checkpoints(path.parent, 0.0)
    right = place.of(path.stem, print).resumed()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert place.of(path.stem, lambda _: None).resumed() in (None, right), position


def test_a_checkpoint_under_a_foreign_name_is_passed_over(
    make_runner: MakeRunner, calls: Calls, tmp_path: Path
) -> None:
    run_until(make_runner(checkpoint_seconds=0.0), 2)
    [path] = kept(tmp_path)
    told: list[str] = []
    (path.parent / "other.safetensors").write_bytes(path.read_bytes())
    assert Checkpoints(path.parent, 0.0).of("other", told.append).resumed() is None
    assert "it belongs to another recipe" in told[0]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), PermissionError(13, "read-only")])
def test_what_cannot_be_written_is_told_once_and_the_run_goes_on(
    make_runner: MakeRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def full(path: Path) -> object:
        raise error

    monkeypatch.setattr(checkpoints_module, "replacing", full)
    result, told = run_on(make_runner(checkpoint_seconds=0.0))
    assert result.outputs["r"].value == 30.0
    assert len(told) == 1
    assert told[0].startswith(f"no checkpoint could be written to {tmp_path / 'state' / 'checkpoints'}")
    assert str(error.strerror) in told[0]


def test_a_state_folder_that_is_none_is_told_of_once(make_runner: MakeRunner, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    result, told = run_on(make_runner(checkpoint_seconds=0.0))
    assert result.outputs["r"].value == 30.0
    assert [line.startswith("no checkpoint could be written") for line in told[-1:]] == [True]
    assert len(told) == len(set(told)) == 2  # reading fails in its own way


def test_a_state_that_cannot_be_kept_is_told_of_once(make_runner: MakeRunner, tmp_path: Path) -> None:
    told: list[str] = []
    make_runner(checkpoint_seconds=0.0).run(
        flow({"n": ("offers_a_resident", {"number": 1.0})}, {"r": "n.number"}),
        on_event=lambda event: told.append(event.text) if isinstance(event, NodeLog) else None,
    )
    assert len(told) == 1
    assert "values of this type live in the memory of one process" in told[0]
    assert kept(tmp_path) == []


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def offered(place: Checkpoints, clock: Clock, *, step: float, cost: float, steps: int) -> list[int]:
    """The steps after which a state is written, where a step and a write take so many seconds."""
    written = []
    checkpoint = place.of("key", print)
    for index in range(steps):
        clock.time += step

        def make(index: int = index) -> int:
            clock.time += cost
            written.append(index)
            return index

        checkpoint.offer(make)
    return written


def test_a_state_is_written_when_it_is_time(tmp_path: Path) -> None:
    clock = Clock()
    place = Checkpoints(tmp_path, 5.0, clock=clock)
    assert offered(place, clock, step=2.0, cost=0.0, steps=9) == [2, 5, 8]
    assert place.of("key", print).resumed() == 8
    assert offered(Checkpoints(tmp_path, 0.0, clock=clock), clock, step=0.0, cost=3.0, steps=3) == [0, 1, 2]


def test_writing_that_takes_long_is_done_the_less_often(tmp_path: Path) -> None:
    clock = Clock()
    written = offered(Checkpoints(tmp_path, 5.0, clock=clock), clock, step=1.0, cost=2.0, steps=200)
    spent, whole = 2.0 * len(written), clock.time - 100.0
    assert len(written) > 3
    assert spent / whole <= 0.05 + 2.0 / whole  # the first one is not known to be so dear


def test_old_checkpoints_and_leftovers_are_swept(tmp_path: Path) -> None:
    for key in ("old", "young"):
        Checkpoints(tmp_path, 0.0).of(key, print).offer(lambda: 1)
    old = tmp_path / "old.safetensors"
    os.utime(old, (0, old.stat().st_mtime - OLDEST_SECONDS - DAY))
    (tmp_path / ".young.safetensors-abcd1234").write_text("half")
    (tmp_path / "readme").write_text("somebody's")
    place = Checkpoints(tmp_path, 0.0)
    with replacing(tmp_path / "young.safetensors") as file:
        file.write(b"another process is at work")
        assert place.of("young", print).resumed() == 1
        assert len(list(tmp_path.iterdir())) == 3
    assert place.sweep() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["readme", "young.safetensors"]


def test_a_clock_that_jumped_removes_nothing_that_it_should_not(tmp_path: Path) -> None:
    Checkpoints(tmp_path, 0.0).of("key", print).offer(lambda: 1)
    long_ago = Checkpoints(tmp_path, 0.0, now=lambda: 0.0)
    assert long_ago.of("key", print).resumed() == 1
