"""Jobs that a command runs in its own process: they stand in the same table and history as those of a server."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..errors import Cancelled, NodegraphError
from ..execution.events import Event
from .errors import JobTableUnusable
from .model import Job, JobRequest, NewEvent, Outcome
from .perform import failure, run_token, success
from .telling import Teller

if TYPE_CHECKING:
    from ..execution.run import Runner, RunResult
    from .table import JobTable

log = logging.getLogger(__name__)

T = TypeVar("T")

WRITE_SECONDS = 0.5
"""Events are written down no more often, except at the end."""


class JobHere:
    """A job at work in this process.

    Nothing it does for the history stops the run: where the table cannot be used, one warning says so.
    """

    def __init__(self, table: JobTable, job: Job) -> None:
        self._table, self._job = table, job
        self._teller = Teller(self._keep)
        self._events: list[NewEvent] = []
        self._written = self._began = time.monotonic()
        self._trouble = False

    @property
    def token(self) -> str:
        """Of the run."""
        return run_token(self._job.id)

    def hear(self, event: Event) -> None:
        """Hear an event of the run."""
        self._teller(event)

    def target(self, node: str, number: int, proposed: Path) -> Path:
        """Note where a node is about to write a file."""
        noted = self._try(lambda: self._table.note_target(self._job.id, self._job.claim, node, number, str(proposed)))
        return Path(noted) if noted is not None else proposed

    def done(self, result: RunResult, runner: Runner) -> None:
        """The run went to its end."""
        self._finish(success(result, runner))

    def failed(self, error: BaseException) -> None:
        """The run raised."""
        known = error if isinstance(error, NodegraphError) else Cancelled("the command was stopped")
        self._finish(failure(known, time.monotonic() - self._began, self._teller.files))

    def _finish(self, outcome: Outcome) -> None:
        self._write()
        self._try(lambda: self._table.finish(self._job.id, self._job.claim, outcome))

    def _keep(self, event: NewEvent) -> None:
        self._events.append(event)
        if time.monotonic() - self._written > WRITE_SECONDS:
            self._write()

    def _write(self) -> None:
        events, self._events = self._events, []
        self._written = time.monotonic()
        self._try(lambda: self._table.append(self._job.id, self._job.claim, events))

    def _try(self, write: Callable[[], T]) -> T | None:
        if self._trouble:
            return None
        try:
            return write()
        except JobTableUnusable as error:
            self._trouble = True
            log.warning("the history of this run cannot be kept: %s", error)
            return None


@contextlib.contextmanager
def job_here(runner: Runner, request: JobRequest, *, title: str = "") -> Iterator[JobHere | None]:
    """Enter a run of this process into the table while the block lasts; None where the table cannot be used.

    Raises nothing of its own. What the block raises is the job's end.
    """
    from .table import JobTable

    with contextlib.ExitStack() as stack:
        try:
            table = stack.enter_context(JobTable.open(runner.settings))
            owner = stack.enter_context(table.owner())
            job = JobHere(table, table.submit(request, title=title, origin="run", owner=owner).job)
        except JobTableUnusable as error:
            log.warning("this run is not entered into the history: %s", error)
            yield None
            return
        try:
            yield job
        except BaseException as error:
            job.failed(error)
            raise
