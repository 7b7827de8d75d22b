"""A table, and supervisors with real worker processes on nodes that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.jobs.model import Job, JobRequest, JobState
from nodegraph.jobs.supervisor import Supervisor
from nodegraph.jobs.table import JobTable
from nodegraph.settings import Settings

ROGUES = Path(__file__).parent / "rogues"
PATIENCE = 30.0
"""Seconds until a test gives up waiting for what must come."""


@pytest.fixture
def rogue_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What the rogue nodes noted, in all processes."""
    log = tmp_path / "rogue.log"
    monkeypatch.setenv("ROGUE_LOG", str(log))
    return lambda: log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def job_settings(settings: Settings, definitions_cache: Path, tmp_path: Path) -> Settings:
    """Settings of this test with the rogue nodes; definitions are shared by all tests."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "definitions").symlink_to(definitions_cache, target_is_directory=True)
    return settings.model_copy(update={"plugins": [ROGUES], "worker_grace_seconds": 0.5, "workers": 1})


@pytest.fixture
def table(job_settings: Settings) -> Iterator[JobTable]:
    """The job table of this test."""
    with JobTable.open(job_settings) as opened:
        yield opened


def request(nodes: dict[str, tuple[str, dict[str, Any]]], outputs: dict[str, str], **options: Any) -> JobRequest:
    """A request from `{name: (type, inputs)}` and `{output: "node.output"}`."""
    document = {
        "format": "nodegraph/1",
        "nodes": {name: {"type": kind, "inputs": values} for name, (kind, values) in nodes.items()},
        "outputs": {name: {"from": source} for name, source in outputs.items()},
    }
    return JobRequest.model_validate({"workflow": document, **options})


def one(kind: str, values: dict[str, Any] | None = None, **options: Any) -> JobRequest:
    """A request to run one node whose output is named like its type's only output."""
    return request({"n": (f"rogue.{kind}", values or {})}, {"out": "n.value"}, **options)


class Running:
    """A supervisor at work."""

    def __init__(self, supervisor: Supervisor, table: JobTable) -> None:
        self.supervisor, self.table = supervisor, table

    async def until(self, job: str, *states: JobState) -> Job:
        """Wait until a job is in one of some states."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := self.table.job(job)).state not in states:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{self.table.job(job)}; {self.supervisor.workers()}") from None
        return found

    async def end_of(self, wanted: JobRequest) -> Job:
        """Submit a request and wait for its end."""
        job = self.submit(wanted)
        return await self.until(job.id, "done", "failed", "cancelled")

    def submit(self, wanted: JobRequest) -> Job:
        """Submit a request."""
        job = self.table.submit(wanted).job
        self.supervisor.wake()
        return job

    async def noted(self, log: Callable[[], list[str]], line: str, count: int = 1) -> None:
        """Wait until a node has noted a line."""
        async with asyncio.timeout(PATIENCE):
            while log().count(line) < count:
                await asyncio.sleep(0.01)


@pytest.fixture
def supervised(job_settings: Settings, table: JobTable) -> Callable[..., None]:
    """Runs an async function beside a supervisor, which is stopped afterwards."""

    def run(action: Callable[[Running], Awaitable[None]], **changes: Any) -> None:
        async def main() -> None:
            supervisor = Supervisor(job_settings.model_copy(update=changes), table)
            task = asyncio.create_task(supervisor.run())
            try:
                await action(Running(supervisor, table))
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

        asyncio.run(main())

    return run
