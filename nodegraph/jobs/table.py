"""The durable job table: everything that jobs are and were, for several processes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from ..settings import Settings
from . import changing, claiming, history, journal, listing, ordering, submitting
from .claiming import Claimed
from .database import damaged
from .errors import TableDamaged
from .history import Loaded
from .model import (
    Batch,
    BatchRequest,
    Job,
    JobError,
    JobEvent,
    JobFilter,
    JobId,
    JobPage,
    JobRequest,
    JobState,
    NewEvent,
    Origin,
    Outcome,
    Placement,
    Wish,
)
from .opening import Opened, parsed, url_of_file
from .owners import Owner
from .rows import Undecodable, digest_of, new_id, stamp, utc_now
from .submitting import Submitted

P = ParamSpec("P")
T = TypeVar("T")

BUSY_TIMEOUT = 30.0
"""Seconds to wait for other writers."""

PRUNED_AT_ONCE = 1000
"""Jobs that are forgotten in one transaction, so that others can write in between."""


class JobTable:
    """Jobs, their events and results, in a SQLite file or a PostgreSQL database.

    All methods may be called from several threads; several processes may use one table. What a method was asked to
    write is durable when it returns; where it raises, nothing was written. Each raises JobTableUnusable where the
    database cannot be used.

    url: `sqlite:////folder/file` or `postgresql://...`. owners: the folder of the locks of those who run jobs, the same
    for all who use the file; beside it by default. now: the clock, for people to read; no order depends on it.
    busy_timeout: seconds to wait for other writers.
    """

    def __init__(
        self,
        url: str,
        *,
        owners: Path | None = None,
        now: Callable[[], datetime] = utc_now,
        busy_timeout: float = BUSY_TIMEOUT,
    ) -> None:
        self._clock = now
        self._opened = Opened(parsed(url), owners, busy_timeout)
        self._database = self._opened.database

    @classmethod
    def open(cls, settings: Settings) -> JobTable:
        """The table that the settings name; made where there is none. Raises JobTableUnusable."""
        return cls(settings.database or url_of_file(settings.state / "jobs.sqlite"))

    def close(self) -> None:
        """Close it; it cannot be used afterwards."""
        self._opened.close()

    def __enter__(self) -> JobTable:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def where(self) -> str:
        """The file, or the URL without its password."""
        return self._database.where

    @contextmanager
    def owner(self) -> Iterator[Owner]:
        """Somebody who runs jobs: alive until the block is left, or the process ends in whatever way."""
        owner = Owner(new_id())
        with self._opened.owners.hold(owner.id):
            yield owner

    def submit(
        self, request: JobRequest, *, title: str = "", origin: Origin = "queue", owner: str | None = None
    ) -> Submitted:
        """Take a job in. A client key that was sent before gives the job of then.

        owner: who runs it from now on; without, it is queued. Raises ClientKeyReused, RequestTooLarge.
        """
        return self._write(submitting.submit, submitting.prepare(request, title), origin, owner)

    def submit_batch(self, request: BatchRequest, *, title: str = "") -> tuple[Batch, list[JobId], bool]:
        """Take all jobs of a batch in, or none; the last value is no where its client key had been sent before.

        Raises ClientKeyReused, RequestTooLarge.
        """
        return self._write(submitting.submit_batch, request, title, digest_of(request.workflow))

    def job(self, job: JobId) -> Job:
        """A job as it stands. Raises UnknownJob."""
        return self._read(listing.job, job)

    def request(self, job: JobId) -> JobRequest:
        """What a job is to do. Raises UnknownJob, WorkflowLost."""
        return self._read(listing.request, job)

    def page(self, wanted: JobFilter | None = None, *, before: int | None = None, limit: int = 50) -> JobPage:
        """Jobs, the newest first. before: the number at which the last page ended."""
        return self._read(listing.page, wanted or JobFilter(), before=before, limit=limit)

    def queue(self, limit: int = 50) -> list[Job]:
        """The jobs that wait, queued or paused, in the order in which they will run."""
        return self._read(listing.queue, limit)

    def batch(self, batch: str) -> Batch:
        """A batch as it stands. Raises UnknownBatch."""
        return self._read(listing.batch, batch)

    def batches(self, limit: int = 50) -> list[Batch]:
        """The newest batches, the newest first."""
        return self._read(listing.batches, limit)

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in which state."""
        return self._read(listing.counts)

    def cancel(self, job: JobId) -> Job:
        """End a waiting job; wish a running one to end. Raises UnknownJob, WrongState."""
        return self._write(changing.cancel, job)

    def pause(self, job: JobId) -> Job:
        """Hold a waiting job back; wish a running one to stop where it can go on. Raises UnknownJob, WrongState."""
        return self._write(changing.pause, job)

    def resume(self, job: JobId) -> Job:
        """Let a paused job run again, at its old place. Raises UnknownJob, WrongState."""
        return self._write(changing.resume, job)

    def retry(self, job: JobId) -> Job:
        """Take a job that is over back into the queue, at the end of its priority. Raises UnknownJob, WrongState."""
        return self._write(changing.retry, job)

    def move(self, job: JobId, placement: Placement) -> Job:
        """Give a waiting job another place. Raises UnknownJob, WrongState, WrongPlacement."""
        return self._write(ordering.move, job, placement)

    def delete(self, job: JobId) -> Job:
        """Forget a job that is over; what it was. Raises UnknownJob, WrongState."""
        return self._write(changing.delete_job, job)

    def cancel_batch(self, batch: str) -> Batch:
        """Cancel all jobs of a batch that are not over. Raises UnknownBatch."""
        return self._write(changing.cancel_batch, batch)

    def pause_batch(self, batch: str) -> Batch:
        """Pause all jobs of a batch that are not over. Raises UnknownBatch."""
        return self._write(changing.pause_batch, batch)

    def resume_batch(self, batch: str) -> Batch:
        """Resume all paused jobs of a batch. Raises UnknownBatch."""
        return self._write(changing.resume_batch, batch)

    def pause_queue(self) -> None:
        """Let no further job begin; those that run go on."""
        self._write(changing.set_paused, is_paused=True)

    def resume_queue(self) -> None:
        """Let jobs begin again."""
        self._write(changing.set_paused, is_paused=False)

    def is_paused(self) -> bool:
        """Whether the queue is paused."""
        return self._read(listing.is_paused)

    def claim(self, owner: str) -> Claimed | None:
        """Begin the next job; None where the queue is paused or empty. owner: the id of a living owner."""
        if not self._read(claiming.is_any):
            return None
        return self._write(claiming.claim, owner)

    def wishes(self, owner: str) -> dict[JobId, Wish]:
        """What is asked of the running jobs of an owner."""
        return self._read(claiming.wishes, owner)

    def append(self, job: JobId, claim: int, events: Sequence[NewEvent]) -> None:
        """Write down what happened to a running job. Raises ClaimLost."""
        self._write(claiming.append, job, claim, events)

    def note_target(self, job: JobId, claim: int, node: str, number: int, path: str) -> str:
        """Write down where an effect is going to write; the path that was noted first. Raises ClaimLost."""
        return self._write(claiming.note_target, job, claim, node, number, path)

    def finish(self, job: JobId, claim: int, outcome: Outcome) -> Job:
        """End an attempt. Raises ClaimLost.

        A wish that came too late is dropped. A job that paused is cancelled where that was wished meanwhile, and queued
        where the wish to pause was taken back.
        """
        return self._write(claiming.finish, job, claim, outcome)

    def give_back(self, job: JobId, claim: int, error: JobError, *, counts: bool) -> Job:
        """Take a running job from a worker that was lost. Raises ClaimLost.

        It is queued at its old place, or failed with the error where it lost too many workers, or what was wished.
        counts: whether this was a loss of the job's; no where it had no part in it.
        """
        return self._write(claiming.give_back, job, claim, error, counts=counts)

    def recover(self) -> list[Job]:
        """Take the running jobs of owners that are dead: those of the queue go back to their old places.

        A database server notices the end of a process that was killed a moment later than the system does.
        """

        def change(connection: Connection, now: int) -> list[Job]:
            return claiming.recover(connection, now, lambda owner: self._opened.owners.is_alive(owner, connection))

        return self._write(change)

    def events(self, *, after: int = 0, job: JobId | None = None, limit: int = 1000) -> list[JobEvent]:
        """What happened after an event, of all jobs or of one, the oldest first."""
        return self._read(journal.events, after=after, job=job, limit=limit)

    def last_sequence(self) -> int:
        """The number of the last event; 0 where there was none."""
        return self._read(journal.last_sequence)

    def version(self) -> int:
        """A number that rises when any process changed a job or the queue."""
        return self.last_sequence()

    def prune(self, *, keep: int | None, days: float | None) -> int:
        """Forget jobs that are over; how many.

        keep: how many of them stay, the newest. days: how long they stay. None for no limit.
        """
        total = 0
        while count := self._write(history.prune_some, keep, days, PRUNED_AT_ONCE):
            total += count
        return total

    def export(self, wanted: JobFilter | None = None) -> Iterator[bytes]:
        """Jobs, their workflows and batches, as lines of JSON, the oldest first."""
        return history.export(lambda last, told: self._read(history.piece, wanted or JobFilter(), last, told))

    def load(self, lines: Iterable[bytes | str]) -> Loaded:
        """Take exported jobs in, all or none; those that were not over are paused. Raises NotAnExport."""
        return self._write(history.load, lines)

    def _read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        with self._noting_damage(), self._database.reading() as connection:
            return query(connection, *args, **options)

    def _write(self, change: Callable[Concatenate[Connection, int, P], T], *args: P.args, **options: P.kwargs) -> T:
        now = stamp(self._clock())
        with self._noting_damage(), self._database.writing() as connection:
            return change(connection, now, *args, **options)

    @contextmanager
    def _noting_damage(self) -> Iterator[None]:
        try:
            yield
        except TableDamaged:
            self._opened.suspect()
            raise
        except Undecodable as error:
            self._opened.suspect()
            raise damaged(self.where, str(error)) from error
