"""One attempt at a job: what its worker says goes into the table, and what it may not do ends it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .claiming import Claimed
from .messages import Ended, Happened, Noted, RunJob, StopJob, Target
from .model import JobError, NewEvent, Wish
from .process import WorkerProcess
from .table import JobTable

LOOK_SECONDS = 0.1
"""Between two looks at what a worker uses."""

Reason: TypeAlias = Wish | Literal["time", "shutdown"]
"""Why a job is asked to stop."""

Persist: TypeAlias = Callable[..., Awaitable[Any]]
"""Calls a method of the table until it can be done."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What workers may use.

    memory: bytes of their own; None for no limit. silence: seconds without a sign of life. grace: seconds between the
    wish to stop and the end of the process. beat: seconds between signs of life.
    """

    memory: int | None
    silence: float
    grace: float
    beat: float = 1.0


class Attempt:
    """A job at work in a worker.

    Its claim is held from beginning to end; what is written under it after it was lost is refused by the table.
    """

    def __init__(self, claimed: Claimed, table: JobTable, persist: Persist, limits: Limits) -> None:
        self.job, self.request = claimed.job, claimed.request
        self._targets = claimed.targets
        self._table, self._persist, self._limits = table, persist, limits
        self._worker: WorkerProcess | None = None
        self._began = time.monotonic()
        self._stopping: float | None = None
        self.reason: Reason | None = None
        self.verdict: JobError | None = None
        self._events: list[NewEvent] = []
        self._more = asyncio.Event()
        self._over = False

    @property
    def seconds(self) -> float:
        """How long it has been at work."""
        return time.monotonic() - self._began

    async def stop(self, reason: Reason) -> None:
        """Ask the worker to stop; the first reason counts, but a shutdown never hides a wish."""
        if self.reason is None or (self.reason == "shutdown" and reason != "time"):
            self.reason = reason
        if self._stopping is None:
            self._stopping = time.monotonic()
            if self._worker is not None:
                with contextlib.suppress(EOFError):
                    await self._worker.send(StopJob(job=self.job.id, claim=self.job.claim))

    async def work(self, worker: WorkerProcess) -> Ended:
        """Let a worker do it. Raises EOFError when the worker is lost, ClaimLost when somebody else has the job."""
        self._worker = worker
        self._began = worker.heard = time.monotonic()
        worker.mark()
        targets = [(node, number, path) for (node, number), path in self._targets.items()]
        job, claim = self.job.id, self.job.claim
        recording = asyncio.create_task(self._record())
        watching = asyncio.create_task(self._watch(worker))
        try:
            await worker.send(RunJob(job=job, claim=claim, request=self.request, targets=targets))
            if self._stopping is not None:
                await worker.send(StopJob(job=job, claim=claim))
            return await self._hear(worker, recording)
        finally:
            watching.cancel()
            self._over = True
            self._more.set()
            await recording

    async def _hear(self, worker: WorkerProcess, recording: asyncio.Task[None]) -> Ended:
        """Listen until the end."""
        while True:
            message = await worker.receive()
            if recording.done():  # the claim is lost
                recording.result()
            match message:
                case Happened(claim=claim, events=events) if claim == self.job.claim:
                    self._events += events
                    self._more.set()
                case Target(claim=claim) if claim == self.job.claim:
                    path = await self._persist(
                        self._table.note_target, self.job.id, claim, message.node, message.number, message.path
                    )
                    await worker.send(Noted(ticket=message.ticket, path=path))
                case Ended(claim=claim) if claim == self.job.claim:
                    return message
                case _:
                    pass

    async def _record(self) -> None:
        """Write events down, while others come."""
        while self._events or not self._over:
            await self._more.wait()
            self._more.clear()
            events, self._events = self._events, []
            if events:
                await self._persist(self._table.append, self.job.id, self.job.claim, events)

    async def _watch(self, worker: WorkerProcess) -> None:
        """End a worker that uses more than it may."""
        limits, allowed = self._limits, self.job.time_limit
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            memory = worker.memory()
            if limits.memory is not None and memory is not None and memory > limits.memory:
                used = f"it used {memory / 1e6:,.0f} MB, its limit is {limits.memory / 1e6:,.0f} MB"
                return self._end(
                    worker, "memory", used + "; use smaller pictures or batches, or raise worker_memory_bytes"
                )
            if now - worker.heard > limits.silence:
                silent = (
                    f"it gave no sign of life for {limits.silence:g} s, so it hangs in code that holds the interpreter"
                )
                return self._end(worker, "hang", silent)
            if allowed is not None and self._stopping is None and self.seconds > allowed:
                self.verdict = JobError(kind="time", message=f"it ran longer than its time limit of {allowed:g} s")
                await self.stop("time")
            if self._stopping is not None and now - self._stopping > limits.grace:
                return worker.kill()

    def _end(self, worker: WorkerProcess, kind: Literal["memory", "hang"], message: str) -> None:
        self.verdict = self._error(kind, message)
        worker.kill()

    def loss(self, manner: str, words: str) -> JobError:
        """Why the worker was lost. manner: how its process ended. words: what it last printed."""
        if self.verdict is not None:
            return self.verdict
        return self._error("worker", f"its worker {manner}", f"; it last printed:\n{words}" if words else "")

    def _error(self, kind: Literal["worker", "memory", "hang"], message: str, more: str = "") -> JobError:
        """An error that names the nodes at work."""
        found = self._worker.at_work() if self._worker is not None else {}
        nodes = ", ".join(f"{node!r} ({type_id})" for node, type_id in found.items())
        message += f" (at work: {nodes})" if nodes else ""
        return JobError(kind=kind, message=message + more, node=next(iter(found), ""))
