"""Looking into stored results in real workers: beside jobs, after restarts, and whatever the code that shows does."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from nodegraph.jobs import looks
from nodegraph.jobs.looks import LookFailed, LookTimedOut, NoPicture, TooManyLooks, ValueGone, WorkerLost
from nodegraph.jobs.table import JobTable

from .conftest import Running, one, request

Supervised = Callable[..., None]
Log = Callable[[], list[str]]


def odd(way: str = "well") -> object:
    return request({"n": ("rogue.odd", {"way": way})}, {"out": "n.oddity"})


def key_of(table: JobTable, job: str, node: str = "n") -> str:
    """Under which a node's result is stored, as its events tell."""
    found = [each.data["key"] for each in table.events(job=job) if each.kind in ("node_finished", "node_cached")]
    return str(found[-1])


async def made(running: Running, wanted: object) -> str:
    """Run a job of one node; the key of its result."""
    job = await running.end_of(wanted)  # type: ignore[arg-type]
    assert job.state == "done", job.error
    return key_of(running.table, job.id)


def test_a_result_is_seen_in_its_worker_and_from_the_disk(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        key = await made(running, odd())
        look = running.supervisor.looks.look
        assert (await look(key)).glimpses["oddity"].text == "well"
        picture = await look(key, "oddity", 0, 16)
        assert (picture.type, Image.open(io.BytesIO(picture.picture)).size) == ("image/webp", (16, 8))
        picture = await look(key, "oddity")
        assert (picture.type, Image.open(io.BytesIO(picture.picture)).size) == ("image/png", (40, 20))
        for output, item in (("oddity", 1), ("other", 0)):
            with pytest.raises(NoPicture):
                await look(key, output, item)
        with pytest.raises(ValueGone):
            await look("0" * 64)
        keys.append(key)

    async def again(running: Running) -> None:
        assert [each.state for each in running.supervisor.workers()] == ["none"]
        assert (await running.supervisor.looks.look(keys[0])).glimpses["oddity"].text == "well"
        assert (await running.end_of(one("good", {"number": 1}))).state == "done"

    keys: list[str] = []
    supervised(act)
    supervised(again)


def test_one_looks_while_a_job_runs_and_while_it_is_cancelled(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        key = await made(running, odd())
        job = running.submit(one("patient"))
        await running.noted(rogue_log, "patient 0")
        look = running.supervisor.looks.look
        assert (await look(key)).glimpses["oddity"].text == "well"
        assert running.table.job(job.id).state == "running"
        looking = asyncio.gather(*(look(key) for _ in range(5)))
        running.table.cancel(job.id)
        running.supervisor.wake()
        await running.until(job.id, "cancelled")
        assert [each.glimpses["oddity"].text for each in await looking] == ["well"] * 5

    supervised(act)


def test_fifty_looks_at_once_are_answered_and_more_than_may_wait_refused(
    supervised: Supervised, rogue_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(running: Running) -> None:
        key = await made(running, odd())
        look = running.supervisor.looks.look
        found = await asyncio.gather(*(look(key) for _ in range(50)))
        assert {each.glimpses["oddity"].text for each in found} == {"well"}
        monkeypatch.setattr(looks, "MOST", 10)
        tried = await asyncio.gather(*(look(key) for _ in range(50)), return_exceptions=True)
        assert sum(isinstance(each, TooManyLooks) for each in tried) == 40
        assert (await look(key)).glimpses

    supervised(act)


def test_code_that_raises_is_told_and_does_no_harm(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        key = await made(running, odd("raise"))
        with pytest.raises(LookFailed, match="RuntimeError: on purpose"):
            await running.supervisor.looks.look(key)
        (before,) = running.supervisor.workers()
        assert (await running.supervisor.looks.look(await made(running, odd()))).glimpses
        (after,) = running.supervisor.workers()
        assert before.process == after.process

    supervised(act)


def test_a_worker_that_is_lost_while_it_looks_is_told_and_replaced(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        good, bad = await made(running, odd()), await made(running, odd("kill"))
        with pytest.raises(WorkerLost):
            await running.supervisor.looks.look(bad)
        assert rogue_log().count("glimpse kill") == looks.TRIES
        assert (await running.supervisor.looks.look(good)).glimpses
        job = await running.end_of(one("who"))
        assert (job.state, job.losses) == ("done", 0)

    supervised(act)


def test_a_worker_that_is_killed_beside_its_job_costs_that_one_attempt(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        key = await made(running, odd())
        job = running.submit(one("patient", {"steps": 100}))
        await running.noted(rogue_log, "patient 0")
        looking = [asyncio.create_task(running.supervisor.looks.look(key)) for _ in range(20)]
        (worker,) = running.supervisor.workers()
        assert worker.process is not None
        os.kill(worker.process, signal.SIGKILL)
        for each in await asyncio.gather(*looking, return_exceptions=True):
            assert isinstance(each, WorkerLost) or not isinstance(each, BaseException), each
        found = await running.until(job.id, "done", "failed")
        assert (found.state, found.losses) == ("done", 1)

    supervised(act)


def test_code_that_never_ends_is_given_up_and_an_idle_worker_is_replaced(
    supervised: Supervised, rogue_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(running: Running) -> None:
        good, bad = await made(running, odd()), await made(running, odd("wait"))
        monkeypatch.setattr(looks, "LONGEST", 0.3)
        with pytest.raises(LookTimedOut):
            await running.supervisor.looks.look(bad)
        monkeypatch.undo()
        assert (await running.supervisor.looks.look(good)).glimpses["oddity"].text == "well"

    supervised(act)


def test_an_idle_worker_that_died_costs_the_next_job_nothing(supervised: Supervised, rogue_log: Log) -> None:
    async def act(running: Running) -> None:
        await made(running, odd())
        (worker,) = running.supervisor.workers()
        assert worker.process is not None
        os.kill(worker.process, signal.SIGKILL)
        async with asyncio.timeout(30):
            while running.supervisor.workers()[0].state != "none" and not gone(worker.process):
                await asyncio.sleep(0.01)
        job = await running.end_of(one("who"))
        assert job.state == "done", job.error

    def gone(process: int) -> bool:
        return not Path(f"/proc/{process}").exists()

    supervised(act)
