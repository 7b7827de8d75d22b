"""What workers are made of: what is told of a run, signs of sickness, where workers work, messages."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import threading
from pathlib import Path

import pytest
import torch

from nodegraph.execution.context import Progress
from nodegraph.execution.events import Event, NodeFile, NodeFinished, NodePreview, NodeProgress, NodeStarted, RunStarted
from nodegraph.jobs import health
from nodegraph.jobs.blackbox import BlackBox
from nodegraph.jobs.lifelines import machine_memory, own_memory
from nodegraph.jobs.messages import LARGEST, Channel, Leave, Ready, framed, read_message
from nodegraph.jobs.model import JobError, NewEvent, Outcome
from nodegraph.jobs.places import environments
from nodegraph.jobs.supervisor import worker_limits
from nodegraph.jobs.telling import Teller
from nodegraph.settings import Settings

FAILED = Outcome(state="failed", seconds=1.0, error=JobError(kind="node", message="on purpose"))
DONE = Outcome(state="done", seconds=1.0)


def progress(done: int, total: int = 10) -> NodeProgress:
    return NodeProgress(node="n", progress=Progress(done, total))


def told(events: list[Event], times: list[float]) -> list[NewEvent]:
    found: list[NewEvent] = []
    moments = iter(times)
    teller = Teller(found.append, clock=lambda: next(moments))
    for event in events:
        teller(event)
    return found


def test_everything_but_previews_is_told_as_json() -> None:
    events: list[Event] = [
        RunStarted(nodes=("a", "b"), to_run=2, cached=0),
        NodeStarted(node="a", type_id="toy.add"),
        NodePreview(node="a", value=object()),
        NodeFile(node="a", path=Path("out") / "x.png"),
        NodeFinished(node="a", seconds=0.5),
    ]
    found = told(events, [])
    assert [event.kind for event in found] == ["run_started", "node_started", "node_file", "node_finished"]
    assert found[0].data == {"nodes": ["a", "b"], "to_run": 2, "cached": 0}
    assert found[2].data == {"node": "a", "path": str(Path("out") / "x.png")}


def test_progress_is_told_ten_times_a_second_and_at_its_end() -> None:
    events: list[Event] = [progress(done) for done in (0, 1, 2, 3, 4, 10)]
    found = told(events, [0.0, 0.05, 0.11, 0.12, 0.3, 0.3])
    assert [event.data["progress"]["done"] for event in found] == [0, 2, 4, 10]  # type: ignore[index,call-overload]


def test_an_accelerator_that_does_not_compute_makes_a_worker_sick_after_a_failure() -> None:
    assert "torch" in sys.modules, torch
    assert "does not work any more" in health.sickness(FAILED, "meta")  # nothing can be read from this device
    assert health.sickness(DONE, "meta") == ""
    assert health.sickness(FAILED, "cpu") == ""


def test_threads_that_are_left_make_a_worker_sick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MOST_THREADS", threading.active_count() - 1)
    assert "threads" in health.sickness(DONE, "cpu")


def test_files_that_are_left_open_make_a_worker_sick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FILES_SHARE", 0.0)
    assert "files" in health.sickness(DONE, "cpu")


def test_a_worker_for_each_accelerator_that_may_be_seen(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    on_gpu = settings.model_copy(update={"device": "cuda"})
    assert environments(on_gpu) == [{"CUDA_VISIBLE_DEVICES": "2"}, {"CUDA_VISIBLE_DEVICES": "5"}]
    assert len(environments(on_gpu.model_copy(update={"workers": 3}))) == 3
    assert environments(settings.model_copy(update={"device": "cpu"})) == [{}]


def test_workers_share_the_memory_of_the_machine(settings: Settings) -> None:
    machine = machine_memory()
    assert machine is not None
    assert machine > 10**8
    assert worker_limits(settings.model_copy(update={"workers": 2})).memory == int(0.9 * machine) // 2
    assert worker_limits(settings.model_copy(update={"worker_memory_bytes": 7})).memory == 7
    assert worker_limits(settings.model_copy(update={"worker_memory_bytes": 0})).memory is None


def test_memory_of_its_own_is_seen(tmp_path: Path) -> None:
    import os

    before = own_memory(os.getpid())
    held = bytearray(b"x" * 50_000_000)
    after = own_memory(os.getpid())
    assert before is not None
    assert after is not None
    assert 40_000_000 < after - before < 80_000_000
    del held


def test_messages_go_through_a_socket_in_pieces() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        content = framed(Leave()) * 2
        for byte in content:
            ours.sendall(bytes([byte]))
        channel = Channel(theirs)
        assert channel.receive() == Leave()
        assert channel.receive() == Leave()
        ours.close()
        with pytest.raises(EOFError):
            channel.receive()


@pytest.mark.parametrize("content", [struct.pack("!I", LARGEST + 1), struct.pack("!I", 2) + b"{}", b"\xff" * 64])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(content)
        with pytest.raises(ValueError, match=r"."):
            await read_message(reader)
        reader = asyncio.StreamReader()
        reader.feed_data(framed(Ready())[:-1])
        reader.feed_eof()
        with pytest.raises(EOFError):
            await read_message(reader)

    asyncio.run(read())


def test_the_black_box_tells_what_was_at_work(tmp_path: Path) -> None:
    ours, theirs = BlackBox(tmp_path / "0.now"), BlackBox(tmp_path / "0.now")
    assert ours.read() == {}
    for nodes in ({"a": "toy.add", "é": "toy.b"}, {}, {"b": "toy.c"}):
        theirs.write(nodes)
        assert ours.read() == nodes
    many = {f"node {number}": "toy.add" for number in range(1000)}
    theirs.write(many)
    found = ours.read()
    assert len(found) > 50
    assert found.items() <= many.items()
    theirs._page[0:2] = b"\xff{"  # lost in the middle of writing
    assert ours.read() == {}
