"""The order in which jobs run: by priority, the higher first, then by position, the lower first.

Positions are whole numbers with gaps. A job that is moved takes the middle of a gap; where that is used up, all jobs of
the priority get new positions.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from . import journal
from .errors import WrongPlacement, WrongState
from .listing import job_row
from .model import Job, Placement
from .rows import job_of
from .schema import JOBS, MARKS

GAP: Final = 2**31
"""Between two jobs; 2^31 jobs can come before 64 bits are used up."""

WAITING: Final = ("queued", "paused")
PLACED: Final = ("queued", "paused", "running")
"""The states in which a position counts: a running job may be given back to its own."""


def next_position(connection: Connection, count: int = 1) -> int:
    """A position behind all others; `count` of them in a row, a gap apart, of which this is the first."""
    last: int = connection.execute(select(MARKS.c.value).where(MARKS.c.name == "position")).scalar_one()
    connection.execute(update(MARKS).where(MARKS.c.name == "position").values(value=last + count * GAP))
    return last + GAP


def move(connection: Connection, now: int, job: str, placement: Placement) -> Job:
    """Give a waiting job another place. Raises UnknownJob, WrongState, WrongPlacement."""
    row = job_row(connection, job)
    if row["state"] not in WAITING:
        raise WrongState(job, row["state"], "move", "only jobs that are queued or paused have a place")
    priority, position = _place(connection, row, placement)
    changed = {"priority": priority, "position": position}
    connection.execute(update(JOBS).where(JOBS.c.number == row["number"]).values(**changed))
    journal.record(connection, now, job, "moved", {"priority": priority})
    return job_of(dict(row) | changed)


def _place(connection: Connection, row: Any, placement: Placement) -> tuple[int, int]:
    beside = placement.before or placement.after
    asked = [placement.to, placement.before, placement.after]
    if len([each for each in asked if each is not None]) > 1 or placement == Placement():
        raise WrongPlacement(row["id"], "give one of to, before and after, or a priority alone")
    if beside is None:
        priority = row["priority"] if placement.priority is None else placement.priority
        if placement.to == "first":
            first = _nearest(connection, priority, above=None)
            return priority, next_position(connection) if first is None else first - GAP
        return priority, next_position(connection)
    if beside == row["id"]:
        raise WrongPlacement(row["id"], "it cannot go beside itself")
    other = job_row(connection, beside)
    if other["state"] not in WAITING:
        raise WrongPlacement(row["id"], f"the job {beside} is {other['state']}, so that it has no place to go beside")
    if placement.priority not in (None, other["priority"]):
        raise WrongPlacement(row["id"], f"the job {beside} has the priority {other['priority']}; give no priority")
    return other["priority"], _between(connection, other, is_before=placement.before is not None)


def _between(connection: Connection, other: Any, *, is_before: bool) -> int:
    """A free position next to a job's; new ones are given out first where there is none."""
    priority: int = other["priority"]
    position: int = other["position"]
    for _ in range(2):
        if is_before:
            low = _nearest(connection, priority, below=position)
            high = position
            low = high - 2 * GAP if low is None else low
        else:
            low, following = position, _nearest(connection, priority, above=position)
            high = next_position(connection) + GAP if following is None else following
        if high - low > 1:
            return (low + high) // 2
        _renumber(connection, priority)
        query = select(JOBS.c.position).where(JOBS.c.number == other["number"])
        position = connection.execute(query).scalar_one()
    raise AssertionError("new positions leave gaps")


def _nearest(
    connection: Connection, priority: int, *, above: int | None = None, below: int | None = None
) -> int | None:
    """The position next to one in a priority, the first one without it; None where there is none."""
    found = []
    for state in PLACED:
        query = select(JOBS.c.position).where(JOBS.c.state == state, JOBS.c.priority == priority).limit(1)
        if below is not None:
            query = query.where(JOBS.c.position < below).order_by(JOBS.c.position.desc())
        else:
            query = query.order_by(JOBS.c.position)
            query = query if above is None else query.where(JOBS.c.position > above)
        position = connection.execute(query).scalar_one_or_none()
        found += [] if position is None else [position]
    if not found:
        return None
    nearest: int = max(found) if below is not None else min(found)
    return nearest


def _renumber(connection: Connection, priority: int) -> None:
    query = (
        select(JOBS.c.number)
        .where(JOBS.c.state.in_(PLACED), JOBS.c.priority == priority)
        .order_by(JOBS.c.position, JOBS.c.number)
    )
    numbers = connection.execute(query).scalars().all()
    first = next_position(connection, len(numbers))
    change = update(JOBS).where(JOBS.c.number == bindparam("job")).values(position=bindparam("place"))
    rows = [{"job": number, "place": first + index * GAP} for index, number in enumerate(numbers)]
    connection.execute(change, rows)
