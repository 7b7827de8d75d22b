"""Between rows of the tables and what everybody sees: requests, jobs, events."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .errors import RequestTooLarge, WorkflowLost
from .model import BatchRequest, Job, JobEvent, JobOptions, JobRequest, Outcome

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_REQUEST: Final = 256 * 2**20
"""Bytes of JSON."""

SEARCHED: Final = 20_000
"""Characters of a job that searching looks at."""

ID_BYTES: Final = 10

EMPTY: Final = zlib.compress(b"{}")
"""The document of a workflow without anything."""


def new_id() -> str:
    """A name that no other job, batch or owner has, in any table."""
    return secrets.token_hex(ID_BYTES)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> int:
    """Microseconds since 1970. A time without a zone is taken for UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)


def moment(stamp: int | None) -> datetime | None:
    """The time of a stamp."""
    return None if stamp is None else EPOCH + timedelta(microseconds=stamp)


def to_json(value: object) -> str:
    """Compact JSON in ASCII, so that every string can be stored anywhere."""
    return json.dumps(value, separators=(",", ":"))


def digest_of(value: object) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    canonical = json.dumps(value, separators=(",", ":"), sort_keys=True)
    if len(canonical) > LARGEST_REQUEST:
        raise RequestTooLarge(len(canonical), LARGEST_REQUEST)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def digest_of_key(key: str | None) -> str | None:
    """What stands for a client key in the table: of fixed size, and without characters that a database may refuse."""
    return None if key is None else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def packed(workflow: Mapping[str, Any]) -> bytes:
    """A workflow's document as it is stored."""
    return zlib.compress(to_json(workflow).encode("ascii"), 6)


def unpacked(content: bytes, job: str) -> dict[str, Any]:
    """A workflow's document again. Raises WorkflowLost."""
    if not content:
        raise WorkflowLost(job)
    found: dict[str, Any] = json.loads(zlib.decompress(content))
    return found


def request_to_json(options: JobOptions, inputs: Mapping[str, Any], title: str, client_key: str | None) -> str:
    """All of a request but its workflow and priority."""
    values = options.model_dump(include=set(JobOptions.model_fields) - {"priority"}, exclude_defaults=True)
    more = {"inputs": dict(inputs), "title": title, "client_key": client_key}
    text = to_json(values | {name: value for name, value in more.items() if value})
    if len(text) > LARGEST_REQUEST:
        raise RequestTooLarge(len(text), LARGEST_REQUEST)
    return text


def digest_of_request(request: JobRequest | BatchRequest, workflow: str) -> str:
    """What must be the same when a client key is sent again. workflow: the digest of the request's workflow."""
    return digest_of(request.model_dump(exclude={"workflow"}, exclude_defaults=True) | {"workflow": workflow})


class Undecodable(ValueError):
    """A row holds something that was never written."""


@contextlib.contextmanager
def _decoding(what: str, name: object) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, AttributeError, OverflowError, zlib.error) as error:
        raise Undecodable(f"the {what} {name} cannot be read: {type(error).__name__}: {error}") from error


def request_of(row: Mapping[Any, Any]) -> JobRequest:
    """The request of a row of jobs that was joined with its document. Raises WorkflowLost, Undecodable."""
    with _decoding("request of job", row["id"]):
        values = json.loads(row["request"])
        values.pop("title", None)
        return JobRequest(workflow=unpacked(row["content"], row["id"]), priority=row["priority"], **values)


def job_of(row: Mapping[Any, Any]) -> Job:
    """The job of a row. Raises Undecodable."""
    with _decoding("job", row["id"]):
        return _job_of(row)


def validate(row: Mapping[Any, Any]) -> None:
    """Raise Undecodable where a row of jobs holds something that was never written."""
    job_of(row)
    request_of({**row, "content": EMPTY})


def _job_of(row: Mapping[Any, Any]) -> Job:
    request = json.loads(row["request"])
    result = json.loads(row["result"]) if row["result"] else {}
    options = JobOptions.model_fields
    return Job(
        id=row["id"],
        number=row["number"],
        state=row["state"],
        wish=row["wish"],
        origin=row["origin"],
        label=request.get("label", ""),
        batch=row["batch"],
        index=row["batch_index"],
        client_key=request.get("client_key"),
        workflow=row["workflow"],
        title=request.get("title", ""),
        inputs=request.get("inputs", {}),
        priority=row["priority"],
        time_limit=request.get("time_limit"),
        attempts=request.get("attempts", options["attempts"].default),
        losses=row["losses"],
        claim=row["claim"],
        created=EPOCH + timedelta(microseconds=row["created"]),
        started=moment(row["started"]),
        finished=moment(row["finished"]),
        seconds=row["seconds"],
        error=result.get("error"),
        outputs=result.get("outputs", {}),
        files=result.get("files", []),
        ran=result.get("ran", 0),
        cached=result.get("cached", 0),
    )


def event_of(row: Mapping[Any, Any]) -> JobEvent:
    """The event of a row."""
    time = EPOCH + timedelta(microseconds=row["time"])
    return JobEvent(sequence=row["sequence"], job=row["job"], kind=row["kind"], time=time, data=json.loads(row["data"]))


def result_to_json(outcome: Outcome) -> str:
    """How an attempt ended, as it is stored."""
    return to_json(outcome.model_dump(mode="json", exclude_defaults=True, exclude={"state", "seconds"}))


def searched_in(row: Mapping[Any, Any]) -> str:
    """What searching looks at: label, title, input values, error and names of files, folded to one case."""
    values = json.loads(row["request"])
    result = json.loads(row["result"]) if row["result"] else {}
    found = [values.get("label", ""), values.get("title", ""), *_leaves(values.get("inputs", {}))]
    found += [(result.get("error") or {}).get("message", ""), *(file["path"] for file in result.get("files", []))]
    text = "\n".join(str(each) for each in found if each is not None)[:SEARCHED]
    return text.casefold().replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def words_of(search: str) -> list[str]:
    """The words to look for, folded as `searched_in` does."""
    return [word.replace("\0", " ").encode("utf-8", "replace").decode("utf-8") for word in search.casefold().split()]


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from _each(value.values())
    elif isinstance(value, list):
        yield from _each(value)
    else:
        yield value


def _each(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        yield from _leaves(value)
