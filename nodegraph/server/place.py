"""Where a server is: the lock that keeps a table to one server, and the note by which clients find it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import NodegraphError
from ..files import write_atomically

NOTE = "server.json"


class ServerRuns(NodegraphError):
    """Another server works on the same job table."""


class Note(BaseModel):
    """Where a server answers. output: the folder into which its jobs write."""

    model_config = ConfigDict(frozen=True)

    url: str
    pid: int
    output: Path


def read_note(state: Path) -> Note | None:
    """The note that a server left; None where there is none. The server may have ended without removing it."""
    try:
        return Note.model_validate_json((state / NOTE).read_bytes())
    except (OSError, ValidationError):
        return None


@contextlib.contextmanager
def leave_note(state: Path, note: Note) -> Iterator[None]:
    """Let clients find the server while the block lasts."""
    write_atomically(state / NOTE, note.model_dump_json().encode() + b"\n")
    try:
        yield
    finally:
        if read_note(state) == note:
            (state / NOTE).unlink(missing_ok=True)


class TableLock:
    """Held by the one server of a table; it ends with the process, however that ends.

    The file tells others the server's address.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    @classmethod
    def take(cls, path: Path) -> TableLock:
        """Raises ServerRuns where another server holds it, OSError where its folder cannot be used."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with os.fdopen(descriptor, "rb") as file:
                url = _url_in(file.read())
            raise ServerRuns(
                f"another server works on this job table{f': {url}' if url else ''}; use that one, or end it first, "
                "or give this one another state folder (NODEGRAPH_STATE)"
            ) from error
        os.ftruncate(descriptor, 0)
        return cls(path, descriptor)

    def tell(self, url: str) -> None:
        """Tell others where the server answers."""
        os.pwrite(self._descriptor, json.dumps({"url": url}).encode(), 0)

    def release(self) -> None:
        """Let another server have the table."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def _url_in(content: bytes) -> str:
    try:
        return str(json.loads(content)["url"])
    except (ValueError, KeyError, TypeError):
        return ""
