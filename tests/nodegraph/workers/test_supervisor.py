"""Real worker processes on nodes that misbehave: one job ends or is tried again, everything else goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nodegraph.jobs.model import JobEvent
from nodegraph.jobs.table import JobTable

from .conftest import Running, one, request

Supervised = Callable[..., None]
Log = Callable[[], list[str]]


def kinds(events: list[JobEvent], job: str) -> list[str]:
    return [event.kind for event in events if event.job == job]


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_job_goes_through_with_its_results_and_events(
    supervised: Supervised, table: JobTable, rogue_log: Log
) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "a": ("rogue.good", {"number": 2}),
        "b": ("rogue.add_all", {"numbers": [{"from": "a.value"}, {"from": "a.value"}]}),
        "w": ("rogue.write_text", {"text": "hello", "name": "greeting"}),
    }

    async def act(running: Running) -> None:
        job = await running.end_of(request(nodes, {"sum": "b.value", "file": "w.value"}))
        assert job.state == "done", job.error
        assert job.outputs["sum"] == 4
        assert job.ran == 3
        (file,) = job.files
        assert Path(file.path).read_text() == "hello"
        assert file.bytes == 5
        found = kinds(table.events(job=job.id), job.id)
        assert found[:2] == ["queued", "started"]
        assert found[-1] == "done"
        assert {"run_started", "node_started", "node_finished", "node_file", "run_finished"} <= set(found)
        again = await running.end_of(request(nodes, {"sum": "b.value", "file": "w.value"}))
        assert (again.ran, again.files) == (1, job.files)  # the file alone is written again

    supervised(act)


@pytest.mark.parametrize(
    ("crime", "told"),
    [("segfault", "SIGSEGV"), ("exit", "code 7"), ("kill", "SIGKILL"), ("corrupt channel", "SIGKILL")],
)
def test_a_crash_costs_one_attempt_and_the_job_is_tried_again(
    crime: str, told: str, supervised: Supervised, table: JobTable, rogue_log: Log
) -> None:
    async def act(running: Running) -> None:
        first, victim = running.submit(one("who")), running.submit(one("bad", {"crime": crime, "times": 1}))
        last = running.submit(one("who"))
        before = await running.until(first.id, "done")
        survived = await running.until(victim.id, "done", "failed")
        after = await running.until(last.id, "done")
        assert survived.state == "done", survived.error
        assert (survived.claim, survived.losses) == (2, 1)
        assert before.outputs["out"] != after.outputs["out"]  # the worker was replaced
        (interrupted,) = [event for event in table.events(job=victim.id) if event.kind == "interrupted"]
        assert told in str(interrupted.data)
        assert "rogue.bad" in str(interrupted.data)
        assert f"about to {crime}" in str(interrupted.data)

    supervised(act)


def test_a_job_that_crashes_each_time_fails_after_its_attempts(
    supervised: Supervised, table: JobTable, rogue_log: Log
) -> None:
    async def act(running: Running) -> None:
        job = await running.end_of(one("bad", {"crime": "segfault"}, attempts=2))
        assert job.state == "failed"
        assert job.error is not None
        assert (job.error.kind, job.error.node) == ("worker", "n")
        assert "SIGSEGV" in job.error.message
        assert rogue_log().count("bad 0") == 2
        assert (await running.end_of(one("good"))).state == "done"

    supervised(act)


@pytest.mark.parametrize("crime", ["raise", "system exit"])
def test_what_a_node_raises_fails_the_job_and_keeps_the_worker(
    crime: str, supervised: Supervised, rogue_log: Log
) -> None:
    async def act(running: Running) -> None:
        before = await running.end_of(one("who"))
        job = await running.end_of(one("bad", {"crime": crime}))
        assert job.state == "failed"
        assert job.error is not None
        assert (job.error.kind, job.error.node) == ("node", "n")
        assert rogue_log().count("bad 0") == 1
        after = await running.end_of(one("who"))
        assert before.outputs == after.outputs

    supervised(act)


def test_an_invalid_workflow_fails_with_its_defects(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        job = await running.end_of(request({"n": ("rogue.nothing", {})}, {"out": "n.value"}))
        assert job.error is not None
        assert job.error.kind == "invalid"
        assert job.error.defects[0]["node"] == "n"

    supervised(act)


def test_a_worker_that_hangs_in_c_is_replaced(supervised: Supervised, table: JobTable, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        job = await running.end_of(one("bad", {"crime": "hang", "times": 1}))
        assert (job.state, job.losses) == ("done", 1)
        (interrupted,) = [event for event in table.events(job=job.id) if event.kind == "interrupted"]
        assert "no sign of life" in str(interrupted.data)

    supervised(act, worker_silence_seconds=5.0)


def test_a_worker_that_takes_too_much_memory_is_ended(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        job = await running.end_of(one("bad", {"crime": "hog"}, attempts=1))
        assert job.state == "failed"
        assert job.error is not None
        assert (job.error.kind, job.error.node) == ("memory", "n")
        assert "300 MB" in job.error.message
        assert (await running.end_of(one("good"))).state == "done"

    supervised(act, worker_memory_bytes=300_000_000)


@pytest.mark.parametrize("kind", ["patient", "deaf"])
def test_a_time_limit_ends_the_job_for_good(kind: str, supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        job = await running.end_of(one(kind, time_limit=0.2))
        assert job.state == "failed"
        assert job.error is not None
        assert job.error.kind == "time"
        assert "0.2 s" in job.error.message
        assert (await running.end_of(one("good"))).state == "done"

    supervised(act)


def test_cancel_stops_within_a_step_and_keeps_the_worker(
    supervised: Supervised, table: JobTable, rogue_log: Log
) -> None:
    async def act(running: Running) -> None:
        before = await running.end_of(one("who"))
        job = running.submit(one("patient"))
        await running.noted(rogue_log, "patient 0")
        table.cancel(job.id)
        running.supervisor.wake()
        assert (await running.until(job.id, "cancelled", "done", "failed")).state == "cancelled"
        after = await running.end_of(one("who"))
        assert before.outputs == after.outputs

    supervised(act)


@pytest.mark.parametrize(("kind", "values"), [("deaf", {}), ("bad", {"crime": "spin"})])
def test_what_does_not_stop_is_ended_after_the_grace_period(
    kind: str, values: dict[str, Any], supervised: Supervised, table: JobTable, rogue_log: Log
) -> None:
    async def act(running: Running) -> None:
        job = running.submit(one(kind, values))
        await running.noted(rogue_log, "deaf" if kind == "deaf" else "bad 0")
        table.cancel(job.id)
        running.supervisor.wake()
        assert (await running.until(job.id, "cancelled", "done", "failed")).state == "cancelled"
        assert (await running.end_of(one("good"))).state == "done"

    supervised(act)


def test_a_running_job_is_paused_and_gone_on_with(supervised: Supervised, table: JobTable, rogue_log: Log) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "a": ("rogue.good", {"number": 5}),
        "p": ("rogue.patient", {"number": {"from": "a.value"}, "steps": 60}),
    }

    async def act(running: Running) -> None:
        job = running.submit(request(nodes, {"out": "p.value"}))
        await running.noted(rogue_log, "patient 5")
        table.pause(job.id)
        running.supervisor.wake()
        await running.until(job.id, "paused")
        assert (await running.end_of(one("good"))).state == "done"
        assert table.job(job.id).state == "paused"
        table.resume(job.id)
        running.supervisor.wake()
        assert (await running.until(job.id, "done", "failed")).state == "done"
        assert rogue_log().count("good 5") == 1  # its result was stored

    supervised(act)


def test_a_queue_that_is_paused_gives_no_work(supervised: Supervised, table: JobTable, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        table.pause_queue()
        job = running.submit(one("good", {"number": 3}))
        await asyncio.sleep(0)
        for _ in range(3):  # whatever the supervisor does about it, it does when it is woken
            running.supervisor.wake()
            await asyncio.sleep(0.05)
        assert table.job(job.id).state == "queued"
        assert rogue_log() == []
        table.resume_queue()
        running.supervisor.wake()
        await running.until(job.id, "done")

    supervised(act)


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ({"what": "threads", "count": 350}, {}),
        ({"what": "memory", "count": 260}, {"worker_memory_bytes": 330_000_000}),
    ],
)
def test_a_worker_that_keeps_too_much_is_replaced_after_the_job(
    values: dict[str, Any], changes: dict[str, Any], supervised: Supervised, rogue_log: Log
) -> None:
    async def act(running: Running) -> None:
        first = await running.end_of(one("leak", values))
        assert first.state == "done", first.error
        second = await running.end_of(one("who"))
        assert second.outputs != first.outputs
        assert second.losses == first.losses == 0

    supervised(act, **changes)


def test_a_file_announced_before_a_crash_is_written_again_under_its_name(
    supervised: Supervised, table: JobTable, rogue_log: Log, tmp_path: Path
) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "c": ("rogue.chance", {}),
        "w": ("rogue.write_then_die", {"text": {"from": "c.value"}}),
    }

    async def act(running: Running) -> None:
        job = await running.end_of(request(nodes, {"out": "w.value"}))
        assert (job.state, job.losses) == ("done", 1)
        (file,) = (tmp_path / "output").iterdir()
        assert str(file) == job.outputs["out"]
        assert file.read_text() == rogue_log()[-1].removeprefix("chance ")

    supervised(act)


def test_nothing_that_a_worker_started_outlives_it(supervised: Supervised, table: JobTable, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        job = running.submit(one("children"))
        async with asyncio.timeout(60):
            while not (children := [line for line in rogue_log() if line.startswith("child ")]):
                await asyncio.sleep(0.01)
        table.cancel(job.id)
        running.supervisor.wake()
        await running.until(job.id, "cancelled")
        async with asyncio.timeout(60):
            while is_alive(int(children[0].removeprefix("child "))):
                await asyncio.sleep(0.01)

    supervised(act)


def test_a_stop_of_the_supervisor_gives_the_job_back(supervised: Supervised, table: JobTable, rogue_log: Log) -> None:
    async def begin(running: Running) -> None:
        running.submit(one("patient"))
        await running.noted(rogue_log, "patient 0")

    supervised(begin)
    (job,) = table.queue()
    assert (job.state, job.losses) == ("queued", 0)

    async def end(running: Running) -> None:
        table.cancel(job.id)
        running.supervisor.wake()
        await running.until(job.id, "cancelled")

    supervised(end)


def test_two_workers_work_at_once(supervised: Supervised, table: JobTable, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        jobs = [running.submit(one("patient", {"number": number})) for number in (1, 2)]
        await running.noted(rogue_log, "patient 1")
        await running.noted(rogue_log, "patient 2")
        infos = running.supervisor.workers()
        assert {info.job for info in infos} == {job.id for job in jobs}
        assert len({info.process for info in infos} - {os.getpid()}) == 2
        for job in jobs:
            table.cancel(job.id)
        running.supervisor.wake()
        for job in jobs:
            await running.until(job.id, "cancelled")

    supervised(act, workers=2)
