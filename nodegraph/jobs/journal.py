"""The events of jobs, durable and in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, insert, literal, select

from .model import JobEvent, NewEvent
from .rows import event_of, to_json
from .schema import EVENTS

PROGRESS: Final = "node_progress"
"""Events of this kind are worth nothing once their job stands still."""


def record(connection: Connection, now: int, job: str, kind: str, data: Mapping[str, Any] | None = None) -> None:
    """Write one event; job "" for the queue."""
    connection.execute(insert(EVENTS), {"job": job, "kind": kind, "time": now, "data": to_json(dict(data or {}))})


def record_all(connection: Connection, now: int, job: str, events: Sequence[NewEvent]) -> None:
    """Write events of a job in their order."""
    if events:
        rows = [{"job": job, "kind": each.kind, "time": now, "data": to_json(dict(each.data))} for each in events]
        connection.execute(insert(EVENTS), rows)


def record_for(connection: Connection, now: int, jobs: Select[Any], kind: str) -> None:
    """Write an event without data for each job of a query of ids."""
    found = jobs.add_columns(literal(kind), literal(now), literal("{}"))
    connection.execute(insert(EVENTS).from_select(["job", "kind", "time", "data"], found))


def drop_progress(connection: Connection, job: str) -> None:
    """Remove what only told how far a job was."""
    connection.execute(delete(EVENTS).where(EVENTS.c.job == job, EVENTS.c.kind == PROGRESS))


def events(connection: Connection, *, after: int, job: str | None, limit: int) -> list[JobEvent]:
    """What happened after an event, the oldest first."""
    query = select(EVENTS).where(EVENTS.c.sequence > after).order_by(EVENTS.c.sequence).limit(limit)
    if job is not None:
        query = query.where(EVENTS.c.job == job)
    return [event_of(row) for row in connection.execute(query).mappings()]


def last_sequence(connection: Connection) -> int:
    """The number of the last event; 0 where there was none."""
    return connection.execute(select(func.max(EVENTS.c.sequence))).scalar_one() or 0
