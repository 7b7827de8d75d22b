"""Jobs that are over: forgetting old ones, and taking them from one table to another.

An export is lines of JSON: a first one that names the format, then workflows and batches, each before the first job
that needs it, and jobs, the oldest first. Events are not part of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from sqlalchemy import Connection, RowMapping, Table, delete, exists, func, insert, or_, select

from . import journal
from .errors import NotAnExport
from .listing import conditions
from .model import FINAL, JobFilter, JobState, Origin
from .ordering import next_position
from .rows import digest_of, digest_of_key, moment, packed, searched_in, stamp, to_json, unpacked, validate
from .schema import BATCHES, DOCUMENTS, EVENTS, JOBS, TARGETS

FORMAT: Final = "nodegraph-jobs/1"
EXPORTED_AT_ONCE: Final = 200
KEPT_NEWS: Final = 10_000
"""How many of the last sequence numbers still tell of jobs that were deleted."""

DAY: Final = 86_400_000_000
"""Microseconds."""


class Loaded(NamedTuple):
    """What came of loading. new: jobs that are here now. known: jobs that were here already, and stay as they were."""

    new: int
    known: int


class _Batch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    label: str
    created: datetime


class _Job(BaseModel):
    """A job as it is exported. request: all of it but workflow and priority. result: what it came to."""

    model_config = ConfigDict(extra="forbid")

    id: str
    state: JobState
    origin: Origin
    batch: str | None
    batch_index: int | None
    workflow: str
    priority: int
    losses: int
    claim: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    seconds: float | None
    request_digest: str
    request: dict[str, JsonValue]
    result: dict[str, JsonValue] | None
    targets: list[tuple[str, int, str]]


def prune_some(connection: Connection, now: int, keep: int | None, days: float | None, limit: int) -> int:
    """Forget some of the jobs that are over and either not among the newest, or older than days; how many."""
    is_old = []
    if keep is not None:
        those = select(JOBS.c.number).where(JOBS.c.state.in_(FINAL)).order_by(JOBS.c.number.desc())
        cut = connection.execute(those.offset(keep).limit(1)).scalar_one_or_none()
        is_old += [] if cut is None else [JOBS.c.number <= cut]
    if days is not None:
        is_old += [JOBS.c.finished < now - round(days * DAY)]
    if not is_old:
        return 0
    those = select(JOBS.c.number, JOBS.c.id).where(JOBS.c.state.in_(FINAL), or_(*is_old)).order_by(JOBS.c.number)
    old = connection.execute(those.limit(limit)).all()
    if not old:
        return 0
    ids = [job for _, job in old]
    connection.execute(delete(EVENTS).where(EVENTS.c.job.in_(ids)))
    connection.execute(delete(JOBS).where(JOBS.c.number.in_([number for number, _ in old])))
    connection.execute(delete(DOCUMENTS).where(~exists().where(JOBS.c.workflow == DOCUMENTS.c.digest)))
    connection.execute(delete(BATCHES).where(~exists().where(JOBS.c.batch == BATCHES.c.id)))
    connection.execute(insert(EVENTS), [{"job": job, "kind": "deleted", "time": now, "data": "{}"} for job in ids])
    past = journal.last_sequence(connection) - KEPT_NEWS
    connection.execute(delete(EVENTS).where(EVENTS.c.kind == "deleted", EVENTS.c.sequence < past))
    return len(old)


def export(read_piece: Callable[[int, set[str]], tuple[list[bytes], int]]) -> Iterator[bytes]:
    """The lines of an export. read_piece: runs `piece` in a transaction of its own."""
    yield _line({"format": FORMAT})
    told: set[str] = set()
    last = 0
    while True:
        lines, last = read_piece(last, told)
        yield from lines
        if not last:
            return


def piece(connection: Connection, wanted: JobFilter, last: int, told: set[str]) -> tuple[list[bytes], int]:
    """The lines of the next jobs after a number, and the number of the last of them; 0 where there are none.

    told: digests and ids of the workflows and batches that were written already.
    """
    query = select(JOBS).where(JOBS.c.number > last, *conditions(wanted)).order_by(JOBS.c.number)
    if wanted.states:
        query = query.where(JOBS.c.state.in_(wanted.states))
    rows = connection.execute(query.limit(EXPORTED_AT_ONCE)).mappings().all()
    lines: list[bytes] = []
    for row in rows:
        lines += _needed(connection, row, told)
        targets = connection.execute(select(TARGETS).where(TARGETS.c.job == row["id"])).all()
        job: dict[str, Any] = {name: row[name] for name in _Job.model_fields if name != "targets"}
        job |= {name: _shown(row[name]) for name in ("created", "started", "finished")}
        job |= {name: json.loads(row[name] or "null") for name in ("request", "result")}
        job["targets"] = [[json.loads(node), number, json.loads(path)] for _, node, number, path in targets]
        lines.append(_line({"job": job}))
    return lines, rows[-1]["number"] if rows else 0


def _needed(connection: Connection, row: RowMapping, told: set[str]) -> Iterator[bytes]:
    if row["workflow"] not in told:
        told.add(row["workflow"])
        query = select(DOCUMENTS.c.content).where(DOCUMENTS.c.digest == row["workflow"])
        content = connection.execute(query).scalar_one()
        document = unpacked(content, row["id"]) if content else None
        yield _line({"workflow": row["workflow"], "document": document})
    if row["batch"] is not None and row["batch"] not in told:
        told.add(row["batch"])
        batch = connection.execute(select(BATCHES).where(BATCHES.c.id == row["batch"])).mappings().one()
        yield _line({"batch": {"id": batch["id"], "label": batch["label"], "created": _shown(batch["created"])}})


def load(connection: Connection, now: int, lines: Iterable[bytes | str]) -> Loaded:
    """Take exported jobs in; those that were not over are paused. Raises NotAnExport."""
    new = known = 0
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if number == 1:
                _expect(record == {"format": FORMAT}, f'it does not say {{"format": "{FORMAT}"}}')
                continue
            match record:
                case {"workflow": str(digest), "document": document, **others} if not others:
                    _load_document(connection, digest, document)
                case {"batch": batch, **others} if not others:
                    _load_batch(connection, _Batch.model_validate(batch))
                case {"job": job, **others} if not others:
                    is_new = _load_job(connection, now, _Job.model_validate(job))
                    new, known = new + is_new, known + (not is_new)
                case _:
                    raise ValueError("it holds neither a workflow, a batch nor a job")
        except (ValueError, RecursionError) as error:
            raise NotAnExport(number, _reason(error)) from error
    return Loaded(new, known)


def _load_document(connection: Connection, digest: str, document: object) -> None:
    if document is not None:
        _expect(isinstance(document, dict) and digest_of(document) == digest, "the workflow's digest differs")
    if not _has(connection, DOCUMENTS, "digest", digest):
        content = packed(document) if isinstance(document, dict) else b""
        connection.execute(insert(DOCUMENTS), {"digest": digest, "content": content})


def _load_batch(connection: Connection, batch: _Batch) -> None:
    if not _has(connection, BATCHES, "id", batch.id):
        row = {"id": batch.id, "label": batch.label, "created": stamp(batch.created), "request_digest": ""}
        connection.execute(insert(BATCHES), row)


def _load_job(connection: Connection, now: int, job: _Job) -> bool:
    if _has(connection, JOBS, "id", job.id):
        return False
    _expect(_has(connection, DOCUMENTS, "digest", job.workflow), "its workflow comes after it, or is missing")
    _expect(job.batch is None or _has(connection, BATCHES, "id", job.batch), "its batch comes after it, or is missing")
    is_over = job.state in FINAL
    request, result = to_json(job.request), None if job.result is None else to_json(job.result)
    row: dict[str, Any] = job.model_dump(exclude={"targets"}) | {
        "state": job.state if is_over else "paused",
        "origin": job.origin if is_over else "queue",
        "wish": None,
        "owner": None,
        "client_key": job.request.get("client_key"),
        "position": 0 if is_over else next_position(connection),
        "created": stamp(job.created),
        "started": None if job.started is None else stamp(job.started),
        "finished": (stamp(job.finished) if job.finished else now) if is_over else None,
        "request": request,
        "result": result,
    }
    validate(row | {"number": 0})
    key = digest_of_key(row["client_key"])
    row["client_key"] = None if key is None or _has(connection, JOBS, "client_key", key) else key
    row["search"] = searched_in(row)
    connection.execute(insert(JOBS), row)
    for node, number, path in job.targets:
        target = {"job": job.id, "node": to_json(node), "number": number, "path": to_json(path)}
        connection.execute(insert(TARGETS), target)
    journal.record(connection, now, job.id, "loaded")
    return True


def _has(connection: Connection, table: Table, column: str, value: str) -> bool:
    query = select(func.count()).select_from(table).where(table.c[column] == value)
    return bool(connection.execute(query).scalar_one())


def _expect(holds: bool, reason: str) -> None:
    if not holds:
        raise ValueError(reason)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)


def _line(value: Mapping[str, object]) -> bytes:
    return to_json(value).encode("ascii") + b"\n"


def _shown(time: int | None) -> str | None:
    found = moment(time)
    return None if found is None else found.isoformat()
