"""Taking jobs in: each once, however often it is sent."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Table, insert, select, update

from . import journal
from .errors import ClientKeyReused
from .listing import batch_of
from .model import Batch, BatchRequest, Job, JobId, JobRequest, Origin
from .ordering import GAP, next_position
from .rows import digest_of, digest_of_key, digest_of_request, job_of, new_id, packed, request_to_json, searched_in
from .schema import BATCHES, DOCUMENTS, JOBS


class Submitted(NamedTuple):
    """What became of a request. is_new: no when its client key had been sent before."""

    job: Job
    is_new: bool


class Ready(NamedTuple):
    """A request whose digests and texts are made, which needs no lock."""

    request: JobRequest
    workflow: str
    digest: str
    key: str | None
    text: str
    search: str


def prepare(request: JobRequest, title: str) -> Ready:
    """Do beforehand what needs no transaction. Raises RequestTooLarge."""
    workflow = digest_of(request.workflow)
    text = request_to_json(request, request.inputs, title, request.client_key)
    digest = digest_of_request(request, workflow) if request.client_key is not None else ""
    return Ready(
        request,
        workflow,
        digest,
        digest_of_key(request.client_key),
        text,
        searched_in({"request": text, "result": None}),
    )


def submit(connection: Connection, now: int, ready: Ready, origin: Origin, owner: str | None) -> Submitted:
    """Take a job in; with an owner it is running at once. Raises ClientKeyReused."""
    request = ready.request
    known = None if ready.key is None else _of_key(connection, JOBS, ready.key)
    if known is not None:
        if known["request_digest"] != ready.digest:
            raise ClientKeyReused(request.client_key or "", f"the job {known['id']}")
        return Submitted(job_of(known), False)
    _store_document(connection, ready.workflow, request.workflow)
    row = _row(now, ready.workflow, request.priority) | {
        "position": next_position(connection),
        "client_key": ready.key,
        "request_digest": ready.digest,
        "request": ready.text,
        "search": ready.search,
        "origin": origin,
    }
    if owner is not None:
        row |= {"state": "running", "owner": owner, "claim": 1, "started": now}
    key = connection.execute(insert(JOBS), row).inserted_primary_key
    assert key is not None
    journal.record(connection, now, row["id"], "queued")
    if owner is not None:
        journal.record(connection, now, row["id"], "started", {"claim": 1})
    return Submitted(job_of(row | {"number": key[0]}), True)


def submit_batch(
    connection: Connection, now: int, request: BatchRequest, title: str, workflow: str
) -> tuple[Batch, list[JobId], bool]:
    """Take all jobs of a batch in, or none. workflow: the digest of its workflow. Raises ClientKeyReused."""
    key, digest = digest_of_key(request.client_key), ""
    if request.client_key is not None:
        digest = digest_of_request(request, workflow)
    known = None if key is None else _of_key(connection, BATCHES, key)
    if known is not None:
        if known["request_digest"] != digest:
            raise ClientKeyReused(request.client_key or "", f"the batch {known['id']}")
        ids = select(JOBS.c.id).where(JOBS.c.batch == known["id"]).order_by(JOBS.c.number)
        return batch_of(connection, known), list(connection.execute(ids).scalars()), False
    _store_document(connection, workflow, request.workflow)
    batch = {"id": new_id(), "label": "", "client_key": key, "request_digest": digest, "created": now}
    batch["label"] = request.label.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    connection.execute(insert(BATCHES), batch)
    first = next_position(connection, len(request.rows))
    rows = [
        _batch_row(now, request, title, workflow, index)
        | {"batch": batch["id"], "batch_index": index, "position": first + index * GAP}
        for index in range(len(request.rows))
    ]
    connection.execute(insert(JOBS), rows)
    ids = select(JOBS.c.id).where(JOBS.c.batch == batch["id"]).order_by(JOBS.c.number)
    journal.record_for(connection, now, ids, "queued")
    return batch_of(connection, batch), [row["id"] for row in rows], True


def _of_key(connection: Connection, table: Table, key: str) -> RowMapping | None:
    return connection.execute(select(table).where(table.c.client_key == key)).mappings().one_or_none()


def _store_document(connection: Connection, digest: str, workflow: dict[str, Any]) -> None:
    content = connection.execute(select(DOCUMENTS.c.content).where(DOCUMENTS.c.digest == digest)).scalar_one_or_none()
    if content is None:
        connection.execute(insert(DOCUMENTS), {"digest": digest, "content": packed(workflow)})
    elif not content:  # lost by damage; now it is here again
        connection.execute(update(DOCUMENTS).where(DOCUMENTS.c.digest == digest).values(content=packed(workflow)))


def _row(now: int, workflow: str, priority: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "state": "queued",
        "wish": None,
        "origin": "queue",
        "owner": None,
        "batch": None,
        "batch_index": None,
        "client_key": None,
        "request_digest": "",
        "workflow": workflow,
        "priority": priority,
        "losses": 0,
        "claim": 0,
        "created": now,
        "started": None,
        "finished": None,
        "seconds": None,
        "result": None,
    }


def _batch_row(now: int, request: BatchRequest, title: str, workflow: str, index: int) -> dict[str, Any]:
    options = request.model_copy(update={"fields": request.fields | {"index": index}})
    text = request_to_json(options, request.rows[index], title, None)
    return _row(now, workflow, request.priority) | {
        "request": text,
        "search": searched_in({"request": text, "result": None}),
    }
