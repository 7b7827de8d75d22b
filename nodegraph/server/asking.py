"""What every client of a server does: finding it, asking it, and turning its refusals into errors."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from ..errors import InvalidWorkflow, NodegraphError, WorkflowFormatError
from ..settings import Settings, load_settings
from ..workflow.defects import Defect
from ..workflow.model import Workflow
from .connection import Connection, Refusal, Unreachable
from .place import read_note
from .tokens import configured, kept_token

Answer = TypeVar("Answer", bound=BaseModel)

Query: TypeAlias = Sequence[tuple[str, str]]

PREFIX = "/api/v1"


class NoServer(NodegraphError):
    """No server answers."""


class ServerRefused(NodegraphError):
    """The server did not do what it was asked. code: names the reason, as the API's errors do. defects: tell more."""

    def __init__(self, status: int, code: str, text: str, defects: Sequence[Mapping[str, Any]] = ()) -> None:
        self.status, self.code, self.defects = status, code, tuple(defects)
        super().__init__(text)


class Asking:
    """Asks a server; see `nodegraph.client.Client`, which is one."""

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
    return ServerRefused(refusal.status, code, text, defects)


def _stranger(url: str) -> NoServer:
    return NoServer(f"what answers at {url} is no nodegraph server of this version; see what listens there")


def document_of(workflow: Workflow | Mapping[str, Any]) -> dict[str, Any]:
    """A workflow as it is sent."""
    return dict(json.loads(workflow.to_json())) if isinstance(workflow, Workflow) else dict(workflow)


def path_part(text: str) -> str:
    """A name as a part of a path, whatever somebody typed."""
    return quote(text, safe="") or "-"
