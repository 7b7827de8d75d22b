"""Asking a running server from Python: `from nodegraph.client import Client`.

with Client() as client:
    job = client.submit(Workflow.load("flow.json"), {"prompt": "a cat"})
    print(client.wait(job.id).outputs)
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, JsonValue, ValidationError

from .errors import InvalidWorkflow, NodegraphError, WorkflowFormatError
from .files import replacing
from .jobs.model import (
    FINAL,
    Batch,
    BatchRequest,
    Job,
    JobEvent,
    JobFilter,
    JobId,
    JobOptions,
    JobPage,
    JobRequest,
    Placement,
)
from .server.connection import Connection, Refusal, Unreachable
from .server.place import read_note
from .server.schemas import Added, BatchAccepted, Events, Forgotten, Queue, Results, Retention, System, Workers
from .server.schemas_values import Preview, read_preview
from .server.tokens import configured, kept_token
from .settings import Settings, load_settings
from .workflow.defects import Defect
from .workflow.model import Workflow

Answer = TypeVar("Answer", bound=BaseModel)

Query: TypeAlias = Sequence[tuple[str, str]]

OnPreview: TypeAlias = Callable[[Preview, bytes], None]

PREFIX = "/api/v1"
RETRY_SECONDS = 0.3
PATIENCE_SECONDS = 60.0
"""How long `events` and `wait` try to reach a server again that went away."""


class NoServer(NodegraphError):
    """No server answers."""


class ServerRefused(NodegraphError):
    """The server did not do what it was asked. code: names the reason, as the API's errors do."""

    def __init__(self, status: int, code: str, text: str) -> None:
        self.status, self.code = status, code
        super().__init__(text)


class Client:
    """Speaks with a server. A context manager; no two threads may use one at once.

    url: of the server; the one that works on the job table of these settings where none is given.
    token: what the server asks for, where others can reach it; by default the setting `token`. The token that a server
        made for itself is found with the server, so it is not sent to one that was named by its address.
    Every method raises NoServer where none answers, and ServerRefused where it refuses.
    """

    def __init__(self, url: str | None = None, *, token: str | None = None, settings: Settings | None = None) -> None:
        self._given = url
        self._settings = settings if settings is not None else load_settings()
        self._token = token if token is not None else configured(self._settings)
        self._connection = Connection(self._headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    @property
    def url(self) -> str:
        """Where the server should be."""
        if self._given is not None:
            return self._given.rstrip("/")
        note = read_note(self._settings.state)
        if note is None:
            raise NoServer(
                f"no server works on the jobs in {self._settings.state}; start one with nodegraph serve, "
                "or name one with --server URL"
            )
        return note.url

    @property
    def output(self) -> Path | None:
        """The folder into which the server's jobs write; None where the server was named by its address."""
        note = read_note(self._settings.state) if self._given is None else None
        return note.output if note is not None else None

    def _headers(self) -> dict[str, str]:
        """What goes with every request."""
        token = self._token
        if token is None and self._given is None:
            token = kept_token(self._settings.state)
        return {"Authorization": f"Bearer {token}"} if token is not None else {}

    def submit(
        self,
        workflow: Workflow | Mapping[str, Any],
        inputs: Mapping[str, JsonValue] | None = None,
        *,
        options: JobOptions | None = None,
        client_key: str | None = None,
    ) -> Job:
        """Send a workflow to be run; it is durable when this returns.

        client_key: one's own name for this request; sending it again gives the same job.
        Raises InvalidWorkflow with every defect.
        """
        request = JobRequest(
            **dict(options or JobOptions()),
            workflow=_document(workflow),
            inputs=dict(inputs or {}),
            client_key=client_key,
        )
        return self._send("POST", "/jobs", Job, request)

    def submit_batch(
        self,
        workflow: Workflow | Mapping[str, Any],
        rows: Sequence[Mapping[str, JsonValue]],
        *,
        options: JobOptions | None = None,
        client_key: str | None = None,
    ) -> BatchAccepted:
        """Send a workflow to be run once for each row of inputs, all of them or none."""
        request = BatchRequest(
            **dict(options or JobOptions()),
            workflow=_document(workflow),
            rows=[dict(each) for each in rows],
            client_key=client_key,
        )
        return self._send("POST", "/batches", BatchAccepted, request)

    def jobs(self, chosen: JobFilter | None = None, *, before: int | None = None, limit: int = 50) -> JobPage:
        """A page of jobs, the newest first."""
        page = [("limit", str(limit)), *([("before", str(before))] if before is not None else [])]
        return self._get("/jobs", JobPage, [*_query(chosen or JobFilter()), *page])

    def job(self, job: JobId) -> Job:
        """One job as it stands."""
        return self._get(f"/jobs/{_id(job)}", Job)

    def request(self, job: JobId) -> JobRequest:
        """What a job was asked to do, its workflow included."""
        return self._get(f"/jobs/{_id(job)}/request", JobRequest)

    def results(self, job: JobId) -> Results:
        """What a job gave."""
        return self._get(f"/jobs/{_id(job)}/results", Results)

    def save_file(self, job: JobId, number: int, path: Path) -> None:
        """Write a file that a job made to a path of this machine; a file that is there is replaced as a whole."""
        parts = self._parts(f"/jobs/{_id(job)}/files/{number}")
        first = next(parts, b"")
        with replacing(path) as file:
            file.write(first)
            for part in parts:
                file.write(part)

    def cancel(self, job: JobId) -> Job:
        """Stop a job for good."""
        return self._send("POST", f"/jobs/{_id(job)}/cancel", Job)

    def pause(self, job: JobId) -> Job:
        """Stop a job for a while."""
        return self._send("POST", f"/jobs/{_id(job)}/pause", Job)

    def resume(self, job: JobId) -> Job:
        """Let a paused job go on."""
        return self._send("POST", f"/jobs/{_id(job)}/resume", Job)

    def retry(self, job: JobId) -> Job:
        """Run a finished job again."""
        return self._send("POST", f"/jobs/{_id(job)}/retry", Job)

    def move(self, job: JobId, placement: Placement) -> Job:
        """Put a waiting job elsewhere in the queue."""
        return self._send("POST", f"/jobs/{_id(job)}/move", Job, placement)

    def delete(self, job: JobId) -> Job:
        """Forget a job; the files that it wrote stay."""
        return self._send("DELETE", f"/jobs/{_id(job)}", Job)

    def batch(self, batch: str) -> Batch:
        """How far a batch is."""
        return self._get(f"/batches/{_id(batch)}", Batch)

    def cancel_batch(self, batch: str) -> Batch:
        """Stop all jobs of a batch for good."""
        return self._send("POST", f"/batches/{_id(batch)}/cancel", Batch)

    def pause_batch(self, batch: str) -> Batch:
        """Stop all jobs of a batch for a while."""
        return self._send("POST", f"/batches/{_id(batch)}/pause", Batch)

    def resume_batch(self, batch: str) -> Batch:
        """Let the paused jobs of a batch go on."""
        return self._send("POST", f"/batches/{_id(batch)}/resume", Batch)

    def queue(self, limit: int = 50) -> Queue:
        """The waiting jobs in the order in which they will run."""
        return self._get("/queue", Queue, [("limit", str(limit))])

    def pause_queue(self) -> Queue:
        """Begin no more jobs."""
        return self._send("POST", "/queue/pause", Queue)

    def resume_queue(self) -> Queue:
        """Begin jobs again."""
        return self._send("POST", "/queue/resume", Queue)

    def system(self) -> System:
        """The server and how it stands."""
        return self._get("/system", System)

    def workers(self) -> Workers:
        """The processes that run jobs."""
        return self._get("/workers", Workers)

    def past_events(self, job: JobId, after: int = 0, limit: int = 1000) -> Events:
        """What happened to a job after a sequence number."""
        return self._get(f"/jobs/{_id(job)}/events", Events, [("after", str(after)), ("limit", str(limit))])

    def events(
        self, *, after: int | None = None, job: JobId | None = None, on_preview: OnPreview | None = None
    ) -> Iterator[JobEvent]:
        """What happens, as it happens, without an end; from now on where no sequence number is given.

        A server that goes away is waited for, then what was missed comes first. on_preview: is given what nodes show
        while they run, and the picture's bytes.
        """
        if job is not None:
            self.job(job)
        seen = after if after is not None else self.system().sequence
        while True:
            query = [("after", str(seen)), *([("job", job)] if job is not None else [])]
            query += [("previews", "1")] if on_preview is not None else []
            with contextlib.suppress(Unreachable):
                for message in self._connection.listen(self.url + PREFIX + "/events", query):
                    if isinstance(message, bytes):
                        if on_preview is not None:
                            on_preview(*read_preview(message))
                        continue
                    event = JobEvent.model_validate_json(message)
                    seen = event.sequence
                    yield event
            self._reach(time.monotonic() + PATIENCE_SECONDS)
            if job is not None:
                self.job(job)

    def wait(self, job: JobId, told: Callable[[JobEvent], None] = lambda event: None) -> Job:
        """Wait until a job is done, failed or cancelled. told: is given all that happened to it and happens."""
        seen = self._tell_past(job, 0, told)
        if (found := self.job(job)).state in FINAL:
            self._tell_past(job, seen, told)
            return found
        for event in self.events(after=seen, job=job):
            told(event)
            if event.kind in (*FINAL, "deleted") and (found := self.job(job)).state in FINAL:
                return found
        raise AssertionError("events do not end")

    def _tell_past(self, job: JobId, seen: int, told: Callable[[JobEvent], None]) -> int:
        """Tell what happened to a job by now; gives the number of the last event."""
        while (past := self.past_events(job, after=seen)).events:
            for event in past.events:
                told(event)
            seen = past.last
        return seen

    def export(self, chosen: JobFilter | None = None) -> Iterator[bytes]:
        """The history as JSON lines, in parts of any length."""
        return self._parts("/history/export", _query(chosen or JobFilter()))

    def load(self, lines: BinaryIO) -> Added:
        """Add the jobs that `export` gave; those that are there already stay as they are."""
        return self._ask("POST", "/history/import", Added, content=lines)

    def prune(self, *, keep: int | None = None, days: float | None = None) -> int:
        """Forget finished jobs beyond the newest `keep`, and those that ended more than `days` ago; how many."""
        return self._send("POST", "/history/prune", Forgotten, Retention(keep=keep, days=days)).jobs

    def _reach(self, until: float) -> None:
        """Wait until a server answers; raises NoServer when that takes too long."""
        while True:
            try:
                self.system()
            except NoServer:
                if time.monotonic() > until:
                    raise
                time.sleep(RETRY_SECONDS)
            else:
                return

    def _get(self, path: str, answer: type[Answer], query: Query = ()) -> Answer:
        return self._ask("GET", path, answer, query=query)

    def _send(self, method: str, path: str, answer: type[Answer], body: BaseModel | None = None) -> Answer:
        content = body.model_dump_json().encode() if body is not None else None
        return self._ask(method, path, answer, content=content)

    def _ask(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        query: Query = (),
        content: bytes | BinaryIO | None = None,
    ) -> Answer:
        url = self.url
        with _explained(url):
            found = self._connection.ask(method, f"{url}{PREFIX}{path}", query, content)
        try:
            return answer.model_validate_json(found)
        except ValidationError as error:
            raise _stranger(url) from error

    def _parts(self, path: str, query: Query = ()) -> Iterator[bytes]:
        url = self.url
        with _explained(url):
            yield from self._connection.parts(f"{url}{PREFIX}{path}", query)


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn what a connection raises into errors for users."""
    try:
        yield
    except Unreachable as error:
        raise NoServer(f"no server answers at {url} ({error}); start one with nodegraph serve") from error
    except Refusal as error:
        raise _refused(url, error) from None


def _refused(url: str, refusal: Refusal) -> NodegraphError:
    """The error that an answer tells."""
    try:
        found = json.loads(refusal.content)
        code, text, defects = found["code"], found["error"], found["defects"]
    except (ValueError, TypeError, KeyError):
        return _stranger(url)
    if code == "invalid_workflow":
        return InvalidWorkflow([Defect(**each) for each in defects])
    if code == "workflow_format_error":
        return WorkflowFormatError(text)
    return ServerRefused(refusal.status, code, text)


def _stranger(url: str) -> NoServer:
    return NoServer(f"what answers at {url} is no nodegraph server of this version; see what listens there")


def _document(workflow: Workflow | Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(workflow.to_json())) if isinstance(workflow, Workflow) else dict(workflow)


def _query(chosen: JobFilter) -> list[tuple[str, str]]:
    """A filter as it is written into a URL."""
    found: list[tuple[str, str]] = []
    for name, value in chosen.model_dump(mode="json", exclude_defaults=True).items():
        found += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
    return found


def _id(text: str) -> str:
    """An id as a part of a path, whatever somebody typed."""
    return quote(text, safe="") or "-"
