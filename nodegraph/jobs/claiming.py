"""Running jobs: an owner claims one, writes for it under that claim, and ends it or gives it back.

Whoever writes under a claim that is over gets `ClaimLost`, so that a worker that was given up cannot disturb its
successor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, insert, select, update

from . import journal
from .changing import settle
from .errors import ClaimLost, WorkflowLost
from .listing import is_paused, request
from .model import Job, JobError, JobId, JobRequest, NewEvent, Outcome, Wish
from .rows import job_of, result_to_json, searched_in, to_json
from .schema import JOBS, TARGETS

INTERRUPTED = "the command that ran it ended before it was done"


class Claimed(NamedTuple):
    """A job to run. targets: where its effects wrote at earlier attempts, by node and number."""

    job: Job
    request: JobRequest
    targets: dict[tuple[str, int], str]


def is_any(connection: Connection) -> bool:
    """Whether there may be something to claim."""
    queued = select(JOBS.c.number).where(JOBS.c.state == "queued").limit(1)
    return connection.execute(queued).first() is not None and not is_paused(connection)


def claim(connection: Connection, now: int, owner: str) -> Claimed | None:
    """Begin the next job of the queue; None where it is paused or empty."""
    if is_paused(connection):
        return None
    order = JOBS.c.priority.desc(), JOBS.c.position, JOBS.c.number
    query = select(JOBS).where(JOBS.c.state == "queued").order_by(*order).limit(1)
    while (row := connection.execute(query).mappings().one_or_none()) is not None:
        try:
            wanted = request(connection, row["id"])
        except WorkflowLost as error:
            _fail(connection, now, row, JobError(kind="invalid", message=str(error)))
            continue
        values = dict.fromkeys(("wish", "finished", "seconds", "result"))
        values |= {"state": "running", "owner": owner, "claim": row["claim"] + 1, "started": now}
        connection.execute(update(JOBS).where(JOBS.c.number == row["number"]).values(**values))
        journal.record(connection, now, row["id"], "started", {"claim": row["claim"] + 1})
        return Claimed(job_of(dict(row) | values), wanted, _targets(connection, row["id"]))
    return None


def wishes(connection: Connection, owner: str) -> dict[JobId, Wish]:
    """What is asked of an owner's running jobs."""
    those = JOBS.c.state == "running", JOBS.c.owner == owner, JOBS.c.wish.is_not(None)
    rows = connection.execute(select(JOBS.c.id, JOBS.c.wish).where(*those)).all()
    return {row[0]: row[1] for row in rows}


def append(connection: Connection, now: int, job: str, claim: int, events: Sequence[NewEvent]) -> None:
    """Write down what happened to a running job. Raises ClaimLost."""
    _claimed(connection, job, claim)
    journal.record_all(connection, now, job, events)


def note_target(connection: Connection, _now: int, job: str, claim: int, node: str, number: int, path: str) -> str:
    """Write down where an effect will write, unless it was written down before; return the first. Raises ClaimLost."""
    _claimed(connection, job, claim)
    key = TARGETS.c.job == job, TARGETS.c.node == to_json(node), TARGETS.c.number == number
    noted = connection.execute(select(TARGETS.c.path).where(*key)).scalar_one_or_none()
    if noted is not None:
        return str(json.loads(noted))
    row = {"job": job, "node": to_json(node), "number": number, "path": to_json(path)}
    connection.execute(insert(TARGETS), row)
    return path


def finish(connection: Connection, now: int, job: str, claim: int, outcome: Outcome) -> Job:
    """End an attempt. Raises ClaimLost.

    A wish that came too late for a job that is done or failed is dropped. A job that paused is cancelled where that was
    wished meanwhile, and queued at its old place where the wish to pause was taken back.
    """
    row = _claimed(connection, job, claim)
    values = {"result": result_to_json(outcome), "seconds": outcome.seconds}
    values["search"] = searched_in({**row, **values})
    if outcome.state == "paused" and row["wish"] is None:
        return settle(connection, now, row, "queued", "resumed", None, **values)
    state = "cancelled" if outcome.state == "paused" and row["wish"] == "cancel" else outcome.state
    data: dict[str, object] = {"seconds": outcome.seconds}
    if outcome.error is not None:
        data |= {"error": outcome.error.model_dump(mode="json")}
    return settle(connection, now, row, state, state, data, **values)


def give_back(connection: Connection, now: int, job: str, claim: int, error: JobError, *, counts: bool) -> Job:
    """Take a running job from a worker that was lost; see `JobTable.give_back`. Raises ClaimLost."""
    return _give_back(connection, now, _claimed(connection, job, claim), error, counts=counts)


def recover(connection: Connection, now: int, is_alive: Callable[[str], bool]) -> list[Job]:
    """Take the running jobs of owners that are dead."""
    running = JOBS.c.state == "running"
    owners = connection.execute(select(JOBS.c.owner).where(running).distinct()).scalars().all()
    dead = [owner for owner in owners if not is_alive(owner)]
    if not dead:
        return []
    query = select(JOBS).where(running, JOBS.c.owner.in_(dead)).order_by(JOBS.c.number)
    rows = connection.execute(query).mappings().all()
    error = JobError(kind="interrupted", message=INTERRUPTED)
    return [_give_back(connection, now, row, error, counts=False) for row in rows]


def _give_back(connection: Connection, now: int, row: RowMapping, error: JobError, *, counts: bool) -> Job:
    losses = row["losses"] + int(counts)
    if row["wish"] == "cancel":
        return settle(connection, now, row, "cancelled", "cancelled", losses=losses)
    attempts = job_of(row).attempts
    if row["origin"] == "run" or (counts and losses >= attempts):
        return _fail(connection, now, row, error, losses=losses)
    data = {"error": error.model_dump(mode="json"), "losses": losses}
    if row["wish"] == "pause":
        return settle(connection, now, row, "paused", "paused", data, losses=losses)
    return settle(connection, now, row, "queued", "interrupted", data, losses=losses)


def _fail(connection: Connection, now: int, row: RowMapping, error: JobError, **values: object) -> Job:
    outcome = Outcome(state="failed", seconds=0, error=error)
    values["result"] = result_to_json(outcome)
    values["search"] = searched_in({**row, **values})
    data = {"error": error.model_dump(mode="json")}
    return settle(connection, now, row, "failed", "failed", data, **values)


def _claimed(connection: Connection, job: str, claim: int) -> RowMapping:
    query = select(JOBS).where(JOBS.c.id == job, JOBS.c.state == "running", JOBS.c.claim == claim)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise ClaimLost(job, claim)
    return row


def _targets(connection: Connection, job: str) -> dict[tuple[str, int], str]:
    rows = connection.execute(select(TARGETS.c.node, TARGETS.c.number, TARGETS.c.path).where(TARGETS.c.job == job))
    return {(json.loads(node), number): json.loads(path) for node, number, path in rows}
