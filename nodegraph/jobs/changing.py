"""What people ask of jobs: to cancel, pause, resume, retry, delete them, one by one, by batch, or the whole queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, delete, select, update

from . import journal
from .errors import WrongState
from .listing import batch, job_row
from .model import FINAL, Batch, Job, JobState, Wish
from .ordering import next_position
from .rows import job_of, searched_in
from .schema import DOCUMENTS, EVENTS, JOBS, MARKS

GERUNDS: Final[dict[Wish, str]] = {"cancel": "cancelling", "pause": "pausing"}
OVER: Final = "it is over; `retry` takes it back into the queue"


def change(connection: Connection, row: RowMapping | Mapping[str, Any], values: Mapping[str, Any]) -> Job:
    """Write some columns of a job."""
    connection.execute(update(JOBS).where(JOBS.c.number == row["number"]).values(**values))
    return job_of(dict(row) | dict(values))


def settle(
    connection: Connection,
    now: int,
    row: RowMapping,
    state: JobState,
    kind: str,
    data: Mapping[str, Any] | None = None,
    **values: Any,
) -> Job:
    """Let a job stand still: no owner, no wish, no progress; with one event of `kind`."""
    values |= {"state": state, "owner": None, "wish": None}
    if state in FINAL:
        values["finished"] = now
    if row["state"] == "running":
        journal.drop_progress(connection, row["id"])
    journal.record(connection, now, row["id"], kind, data)
    return change(connection, row, values)


def cancel(connection: Connection, now: int, job: str) -> Job:
    """End a waiting job; wish a running one to end."""
    row = job_row(connection, job)
    match row["state"]:
        case "cancelled":
            return job_of(row)
        case "queued" | "paused":
            return settle(connection, now, row, "cancelled", "cancelled")
        case "running":
            return _wish(connection, now, row, "cancel")
    raise WrongState(job, row["state"], "cancel", OVER)


def pause(connection: Connection, now: int, job: str) -> Job:
    """Hold a waiting job back; wish a running one to stop where it can go on later."""
    row = job_row(connection, job)
    match row["state"]:
        case "paused":
            return job_of(row)
        case "queued":
            return settle(connection, now, row, "paused", "paused")
        case "running" if row["origin"] == "run":
            raise WrongState(job, "run by a command", "pause", "it can be cancelled")
        case "running" if row["wish"] == "cancel":
            raise WrongState(job, "being cancelled", "pause", "it can be retried once it is cancelled")
        case "running":
            return _wish(connection, now, row, "pause")
    raise WrongState(job, row["state"], "pause", OVER)


def resume(connection: Connection, now: int, job: str) -> Job:
    """Let a paused job run again at its old place; take back the wish to pause."""
    row = job_row(connection, job)
    match row["state"]:
        case "queued":
            return job_of(row)
        case "paused":
            return settle(connection, now, row, "queued", "resumed")
        case "running" if row["wish"] == "cancel":
            raise WrongState(job, "being cancelled", "resume", "it can be retried once it is cancelled")
        case "running" if row["wish"] is None:
            return job_of(row)
        case "running":
            journal.record(connection, now, job, "resumed")
            return change(connection, row, {"wish": None})
    raise WrongState(job, row["state"], "resume", OVER)


def retry(connection: Connection, now: int, job: str) -> Job:
    """Take a job that is over back to the end of its priority, as if it had just been submitted."""
    row = job_row(connection, job)
    if row["state"] not in FINAL:
        raise WrongState(job, row["state"], "retry", "only jobs that are over can be retried")
    journal.record(connection, now, job, "retried")
    values = dict.fromkeys(("wish", "owner", "started", "finished", "seconds", "result"))
    values |= {
        "search": searched_in({**row, "result": None}),
        "state": "queued",
        "origin": "queue",
        "losses": 0,
        "position": next_position(connection),
    }
    return change(connection, row, values)


def delete_job(connection: Connection, now: int, job: str) -> Job:
    """Forget a job that is over, and return what it was."""
    row = job_row(connection, job)
    if row["state"] not in FINAL:
        raise WrongState(job, row["state"], "delete", "cancel it first")
    connection.execute(delete(EVENTS).where(EVENTS.c.job == job))
    connection.execute(delete(JOBS).where(JOBS.c.number == row["number"]))
    others = select(JOBS.c.number).where(JOBS.c.workflow == row["workflow"]).limit(1)
    if connection.execute(others).first() is None:
        connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.digest == row["workflow"]))
    journal.record(connection, now, job, "deleted")
    return job_of(row)


def cancel_batch(connection: Connection, now: int, name: str) -> Batch:
    """End all jobs of a batch that wait; wish those that run to end."""
    batch(connection, name)
    _change_all(connection, now, name, ("queued", "paused"), "cancelled", state="cancelled", finished=now)
    _wish_all(connection, now, name, "cancel")
    return batch(connection, name)


def pause_batch(connection: Connection, now: int, name: str) -> Batch:
    """Hold back all jobs of a batch that wait; wish those that run to stop."""
    batch(connection, name)
    _change_all(connection, now, name, ("queued",), "paused", state="paused")
    _wish_all(connection, now, name, "pause")
    return batch(connection, name)


def resume_batch(connection: Connection, now: int, name: str) -> Batch:
    """Let all paused jobs of a batch run again."""
    batch(connection, name)
    _change_all(connection, now, name, ("paused",), "resumed", state="queued")
    taken_back = JOBS.c.batch == name, JOBS.c.state == "running", JOBS.c.wish == "pause"
    journal.record_for(connection, now, select(JOBS.c.id).where(*taken_back), "resumed")
    connection.execute(update(JOBS).where(*taken_back).values(wish=None))
    return batch(connection, name)


def set_paused(connection: Connection, now: int, *, is_paused: bool) -> None:
    """Let no further job begin, or let them begin again."""
    where = MARKS.c.name == "paused", MARKS.c.value != int(is_paused)
    if connection.execute(update(MARKS).where(*where).values(value=int(is_paused))).rowcount:
        journal.record(connection, now, "", "queue_paused" if is_paused else "queue_resumed")


def _wish(connection: Connection, now: int, row: RowMapping, wish: Wish) -> Job:
    if row["wish"] == wish:
        return job_of(row)
    journal.record(connection, now, row["id"], GERUNDS[wish])
    return change(connection, row, {"wish": wish})


def _change_all(
    connection: Connection, now: int, name: str, states: tuple[str, ...], kind: str, **values: object
) -> None:
    those = JOBS.c.batch == name, JOBS.c.state.in_(states)
    journal.record_for(connection, now, select(JOBS.c.id).where(*those).order_by(JOBS.c.number), kind)
    connection.execute(update(JOBS).where(*those).values(**values))


def _wish_all(connection: Connection, now: int, name: str, wish: Wish) -> None:
    """Of running jobs; a wish to cancel stays one."""
    wishes = JOBS.c.wish.is_(None) if wish == "pause" else JOBS.c.wish.is_distinct_from(wish)
    those = JOBS.c.batch == name, JOBS.c.state == "running", wishes
    journal.record_for(connection, now, select(JOBS.c.id).where(*those).order_by(JOBS.c.number), GERUNDS[wish])
    connection.execute(update(JOBS).where(*those).values(wish=wish))
