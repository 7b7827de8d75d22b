"""Jobs that a command runs in its own process: they stand in the same table and history as those of a server."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue

from ..errors import Cancelled, NodegraphError
from ..execution.cancel import CancelToken
from ..execution.events import Event, Listener, RunStarted
from ..execution.run import Runner, RunResult
from ..workflow.model import Workflow
from .errors import ClaimLost, JobTableUnusable
from .model import Job, JobRequest, NewEvent, Outcome
from .perform import failure, success
from .telling import Teller

if TYPE_CHECKING:
    from .table import JobTable

log = logging.getLogger(__name__)

T = TypeVar("T")

WRITE_SECONDS = 0.5
"""Events are written down no more often, except at the end."""


class JobHere:
    """A job at work in this process, entered into the table when its run starts, so not where it cannot start.

    Nothing it does for the history stops the run: where the table cannot be used, one warning says so.
    """

    def __init__(self, runner: Runner, request: JobRequest, title: str, stack: contextlib.ExitStack) -> None:
        self._runner, self._request, self._title, self._stack = runner, request, title, stack
        self._table: JobTable | None = None
        self._job: Job | None = None
        self._teller = Teller(self._keep)
        self._events: list[NewEvent] = []
        self._written = self._began = time.monotonic()

    def hear(self, event: Event) -> None:
        """Hear an event of the run."""
        if isinstance(event, RunStarted):
            self._enter()
        self._teller(event)

    def target(self, node: str, number: int, proposed: Path) -> Path:
        """Note where a node is about to write a file."""
        noted = self._try(lambda table, job: table.note_target(job.id, job.claim, node, number, str(proposed)))
        return Path(noted) if noted is not None else proposed

    def done(self, result: RunResult) -> None:
        """The run went to its end."""
        if self._job is not None:
            self._finish(success(result, self._runner))

    def failed(self, error: BaseException) -> None:
        """The run raised."""
        known = error if isinstance(error, NodegraphError) else Cancelled("the command was stopped")
        self._finish(failure(known, time.monotonic() - self._began))

    def _enter(self) -> None:
        try:
            from .table import JobTable
        except ImportError as error:  # there are no locks of files
            log.info("this system keeps no history of runs: %s", error)
            return
        try:
            self._table = self._stack.enter_context(JobTable.open(self._runner.settings))
            owner = self._stack.enter_context(self._table.owner())
            entered = self._table.submit(self._request, title=self._title, origin="run", owner=owner.id)
        except JobTableUnusable as error:
            log.warning("this run is not entered into the history: %s", error)
        else:
            self._job = entered.job

    def _finish(self, outcome: Outcome) -> None:
        self._write()
        self._try(lambda table, job: table.finish(job.id, job.claim, outcome))

    def _keep(self, event: NewEvent) -> None:
        self._events.append(event)
        if time.monotonic() - self._written > WRITE_SECONDS:
            self._write()

    def _write(self) -> None:
        events, self._events = self._events, []
        self._written = time.monotonic()
        self._try(lambda table, job: table.append(job.id, job.claim, events))

    def _try(self, write: Callable[[JobTable, Job], T]) -> T | None:
        if self._table is None or self._job is None:
            return None
        try:
            return write(self._table, self._job)
        except (JobTableUnusable, ClaimLost) as error:
            self._job = None
            log.warning("the history of this run is not kept any more: %s", error)
            return None


@contextlib.contextmanager
def job_here(runner: Runner, request: JobRequest, *, title: str = "") -> Iterator[JobHere]:
    """A run of this process in the job table, while the block lasts; what the block raises is the job's end."""
    with contextlib.ExitStack() as stack:
        job = JobHere(runner, request, title, stack)
        try:
            yield job
        except BaseException as error:
            job.failed(error)
            raise


def run_here(
    runner: Runner,
    workflow: Workflow,
    listener: Listener,
    cancel: CancelToken,
    *,
    targets: list[str] | None = None,
    use_cache: bool = True,
    fields: Mapping[str, JsonValue] | None = None,
) -> RunResult:
    """Run a workflow in this process as a job; arguments, result and errors are those of `Runner.run`."""
    more = dict(fields or {})
    request = JobRequest(workflow=workflow.to_document(), targets=targets, use_cache=use_cache, fields=more)
    with job_here(runner, request, title=workflow.title) as job:

        def hear(event: Event) -> None:
            job.hear(event)
            listener(event)

        result = runner.run(
            workflow,
            targets=targets,
            on_event=hear,
            cancel=cancel,
            use_cache=use_cache,
            fields=more,
            journal=job,
        )
        job.done(result)
    return result
