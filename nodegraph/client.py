"""Asking a running server from Python: `from nodegraph.client import Client`.

with Client() as client:
    job = client.submit(Workflow.load("flow.json"), {"prompt": "a cat"})
    print(client.wait(job.id).outputs)
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from pydantic import JsonValue

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
from .server.asking import PREFIX, NoServer, ServerRefused, document_of, path_part
from .server.connection import Unreachable
from .server.library_client import LibraryClient
from .server.schemas import Added, BatchAccepted, Events, Forgotten, Queue, Results, Retention, System, Workers
from .server.schemas_values import Preview, ValueGlimpses, read_preview
from .workflow.model import Workflow

OnPreview: TypeAlias = Callable[[Preview, bytes], None]

RETRY_SECONDS = 0.3
PATIENCE_SECONDS = 60.0
"""How long `events` and `wait` try to reach a server again that went away."""


__all__ = ["Client", "NoServer", "ServerRefused"]


class Client(LibraryClient):
    """Speaks with a server. A context manager; no two threads may use one at once.

    url: of the server; the one that works on the job table of these settings where none is given.
    token: what the server asks for, where others can reach it; by default the setting `token`. The token that a server
        made for itself is found with the server, so it is not sent to one that was named by its address.
    Every method raises NoServer where none answers, and ServerRefused where it refuses.
    """

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
            workflow=document_of(workflow),
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
            workflow=document_of(workflow),
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
        return self._get(f"/jobs/{path_part(job)}", Job)

    def request(self, job: JobId) -> JobRequest:
        """What a job was asked to do, its workflow included."""
        return self._get(f"/jobs/{path_part(job)}/request", JobRequest)

    def results(self, job: JobId) -> Results:
        """What a job gave."""
        return self._get(f"/jobs/{path_part(job)}/results", Results)

    def save_file(self, job: JobId, number: int, path: Path) -> None:
        """Write a file that a job made to a path of this machine; a file that is there is replaced as a whole."""
        parts = self._parts(f"/jobs/{path_part(job)}/files/{number}")
        first = next(parts, b"")
        with replacing(path) as file:
            file.write(first)
            for part in parts:
                file.write(part)

    def value(self, key: str) -> ValueGlimpses:
        """What is told of a result that is stored under a key, which events name."""
        return self._get(f"/values/{path_part(key)}", ValueGlimpses)

    def picture(self, key: str, output: str, item: int = 0, size: int | None = None) -> bytes:
        """A picture of an output: WebP whose longer side has at most `size` pixels, or PNG of the whole size."""
        query = [("item", str(item)), *([("size", str(size))] if size is not None else [])]
        return b"".join(self._parts(f"/values/{path_part(key)}/{path_part(output)}/picture", query))

    def cancel(self, job: JobId) -> Job:
        """Stop a job for good."""
        return self._send("POST", f"/jobs/{path_part(job)}/cancel", Job)

    def pause(self, job: JobId) -> Job:
        """Stop a job for a while."""
        return self._send("POST", f"/jobs/{path_part(job)}/pause", Job)

    def resume(self, job: JobId) -> Job:
        """Let a paused job go on."""
        return self._send("POST", f"/jobs/{path_part(job)}/resume", Job)

    def retry(self, job: JobId) -> Job:
        """Run a finished job again."""
        return self._send("POST", f"/jobs/{path_part(job)}/retry", Job)

    def move(self, job: JobId, placement: Placement) -> Job:
        """Put a waiting job elsewhere in the queue."""
        return self._send("POST", f"/jobs/{path_part(job)}/move", Job, placement)

    def delete(self, job: JobId) -> Job:
        """Forget a job; the files that it wrote stay."""
        return self._send("DELETE", f"/jobs/{path_part(job)}", Job)

    def batch(self, batch: str) -> Batch:
        """How far a batch is."""
        return self._get(f"/batches/{path_part(batch)}", Batch)

    def cancel_batch(self, batch: str) -> Batch:
        """Stop all jobs of a batch for good."""
        return self._send("POST", f"/batches/{path_part(batch)}/cancel", Batch)

    def pause_batch(self, batch: str) -> Batch:
        """Stop all jobs of a batch for a while."""
        return self._send("POST", f"/batches/{path_part(batch)}/pause", Batch)

    def resume_batch(self, batch: str) -> Batch:
        """Let the paused jobs of a batch go on."""
        return self._send("POST", f"/batches/{path_part(batch)}/resume", Batch)

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
        return self._get(f"/jobs/{path_part(job)}/events", Events, [("after", str(after)), ("limit", str(limit))])

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


def _query(chosen: JobFilter) -> list[tuple[str, str]]:
    """A filter as it is written into a URL."""
    found: list[tuple[str, str]] = []
    for name, value in chosen.model_dump(mode="json", exclude_defaults=True).items():
        found += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
    return found
