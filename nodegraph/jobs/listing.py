"""Reading jobs and batches: one, a page of them, those that wait."""

from __future__ import annotations

from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, union_all

from .errors import UnknownBatch, UnknownJob
from .model import Batch, Job, JobFilter, JobPage, JobRequest, JobState
from .rows import job_of, moment, request_of, stamp, words_of
from .schema import BATCHES, DOCUMENTS, JOBS, MARKS

STATES: tuple[JobState, ...] = get_args(JobState)


def job_row(connection: Connection, job: str) -> RowMapping:
    """The row of a job. Raises UnknownJob."""
    row = connection.execute(select(JOBS).where(JOBS.c.id == job)).mappings().one_or_none()
    if row is None:
        raise UnknownJob(job)
    return row


def job(connection: Connection, job: str) -> Job:
    """A job as it stands. Raises UnknownJob."""
    return job_of(job_row(connection, job))


def request(connection: Connection, job: str) -> JobRequest:
    """What a job is to do. Raises UnknownJob, WorkflowLost."""
    query = select(JOBS, DOCUMENTS.c.content).join(DOCUMENTS, DOCUMENTS.c.digest == JOBS.c.workflow)
    row = connection.execute(query.where(JOBS.c.id == job)).mappings().one_or_none()
    if row is None:
        raise UnknownJob(job)
    return request_of(row)


def page(connection: Connection, wanted: JobFilter, *, before: int | None, limit: int) -> JobPage:
    """Some jobs, the newest first; see `JobPage`."""
    query = _parts(select(JOBS), wanted, before, limit + 1)
    rows = connection.execute(query).mappings().all()
    more = len(rows) > limit
    return JobPage(jobs=[job_of(row) for row in rows[:limit]], before=rows[limit - 1]["number"] if more else None)


def _parts(query: Select[Any], wanted: JobFilter, before: int | None, limit: int) -> Any:
    """The newest of each wanted state are found by an index, and then merged."""
    query = query.where(*conditions(wanted), *([] if before is None else [JOBS.c.number < before]))
    query = query.order_by(JOBS.c.number.desc()).limit(limit)
    states = sorted(set(wanted.states))
    if not states:
        return query
    parts = [query.where(JOBS.c.state == state).subquery().select() for state in states]
    if len(parts) == 1:
        return parts[0]
    merged = union_all(*parts).subquery()
    return select(merged).order_by(merged.c.number.desc()).limit(limit)


def conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    """What a filter asks for beside the states."""
    found = [JOBS.c.search.contains(word, autoescape=True) for word in words_of(wanted.search)]
    if wanted.batch is not None:
        found.append(JOBS.c.batch == wanted.batch)
    if wanted.workflow is not None:
        found.append(JOBS.c.workflow == wanted.workflow)
    if wanted.since is not None:
        found.append(JOBS.c.created >= stamp(wanted.since))
    if wanted.until is not None:
        found.append(JOBS.c.created <= stamp(wanted.until))
    return found


def queue(connection: Connection, limit: int) -> list[Job]:
    """The jobs that wait, queued or paused, in the order of the queue."""
    columns = ("priority", "position", "number")
    order = [JOBS.c.priority.desc(), JOBS.c.position, JOBS.c.number]
    parts = [
        select(JOBS).where(JOBS.c.state == state).order_by(*order).limit(limit).subquery().select()
        for state in ("queued", "paused")
    ]
    merged = union_all(*parts).subquery()
    priority, position, number = (merged.c[name] for name in columns)
    query = select(merged).order_by(priority.desc(), position, number).limit(limit)
    return [job_of(row) for row in connection.execute(query).mappings()]


def counts(connection: Connection, batch: str | None = None) -> dict[JobState, int]:
    """How many jobs are in which state, of all or of a batch."""
    query = select(JOBS.c.state, func.count()).group_by(JOBS.c.state)
    if batch is not None:
        query = query.where(JOBS.c.batch == batch)
    found: dict[JobState, int] = {row[0]: row[1] for row in connection.execute(query).all()}
    return {state: found.get(state, 0) for state in STATES}


def batch(connection: Connection, batch: str) -> Batch:
    """A batch as it stands. Raises UnknownBatch."""
    row = connection.execute(select(BATCHES).where(BATCHES.c.id == batch)).mappings().one_or_none()
    if row is None:
        raise UnknownBatch(batch)
    return batch_of(connection, row)


def batches(connection: Connection, limit: int) -> list[Batch]:
    """The newest batches, the newest first."""
    query = select(BATCHES).order_by(BATCHES.c.number.desc()).limit(limit)
    return [batch_of(connection, row) for row in connection.execute(query).mappings().all()]


def batch_of(connection: Connection, row: Any) -> Batch:
    """The batch of a row."""
    created = moment(row["created"])
    assert created is not None
    return Batch(id=row["id"], label=row["label"], created=created, counts=counts(connection, row["id"]))


def is_paused(connection: Connection) -> bool:
    """Whether the queue is paused."""
    return bool(connection.execute(select(MARKS.c.value).where(MARKS.c.name == "paused")).scalar_one())
