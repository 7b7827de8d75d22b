"""What supervisor and worker say to each other, and how it goes through a socket.

A message is a JSON document with its length before it. The worker speaks with `Channel`; the supervisor, which serves
several workers at once, with asyncio's streams and `read_message` and `framed`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ..ports.glimpse import Glimpse
from ..settings import Settings
from .model import JobId, JobRequest, NewEvent, Outcome

_LENGTH = struct.Struct("!I")
LARGEST = 2**28
"""Bytes of a message; a longer one was written by somebody else."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Start(_Message):
    """To a new worker. settings: with which it works. search: where it finds packages; the supervisor's `sys.path`.

    box: where it tells which nodes are at work. beat: seconds between its signs of life.
    """

    kind: Literal["start"] = "start"
    settings: Settings
    search: list[str]
    box: Path
    beat: float


class RunJob(_Message):
    """To a worker that waits: run this. targets: node, number and path of files that earlier attempts announced."""

    kind: Literal["run"] = "run"
    job: JobId
    claim: int
    request: JobRequest
    targets: list[tuple[str, int, str]]


class StopJob(_Message):
    """To a working worker: stop within a step."""

    kind: Literal["stop"] = "stop"
    job: JobId
    claim: int


class Noted(_Message):
    """To a worker that announced a file: it is noted, write it here."""

    kind: Literal["noted"] = "noted"
    ticket: int
    path: str


class Watch(_Message):
    """To a worker: whether somebody looks at what nodes show while they run; at first nobody does."""

    kind: Literal["watch"] = "watch"
    watched: bool


class Look(_Message):
    """To a worker: look into what is stored under a key. output: of which to give a picture; None: tell of all.

    size: of the picture's longer side; None for PNG as it is.
    """

    kind: Literal["look"] = "look"
    ticket: int
    key: str
    output: str | None = None
    item: int = 0
    size: int | None = None


class Leave(_Message):
    """To a worker that waits: end."""

    kind: Literal["leave"] = "leave"


class Ready(_Message):
    """From a worker: it waits for work."""

    kind: Literal["ready"] = "ready"


class Beat(_Message):
    """From a worker: a sign of life."""

    kind: Literal["beat"] = "beat"


class Happened(_Message):
    """From a worker: what happened in its job since the last time."""

    kind: Literal["happened"] = "happened"
    claim: int
    events: list[NewEvent]


class Target(_Message):
    """From a worker: a node is about to write a file; it waits for `Noted`. number: counts the files of that node."""

    kind: Literal["target"] = "target"
    claim: int
    ticket: int
    node: str
    number: int
    path: str


class Shown(_Message):
    """From a worker: what a node shows. step: how many of its steps were done. type: the picture's media type."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Literal["shown"] = "shown"
    claim: int
    node: str
    step: int | None
    width: int
    height: int
    type: str
    picture: bytes


class Looked(_Message):
    """From a worker: the answer to a `Look`. type: the picture's media type."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Literal["looked"] = "looked"
    ticket: int
    state: Literal["seen", "gone", "no picture", "failed"] = "seen"
    reason: str = ""
    glimpses: dict[str, Glimpse] = Field(default_factory=dict)
    type: str = ""
    picture: bytes = b""


class Ended(_Message):
    """From a worker: the job is over. sick: why the worker had better be replaced, "" where it is well."""

    kind: Literal["ended"] = "ended"
    claim: int
    outcome: Outcome
    sick: str = ""


ToWorker: TypeAlias = Annotated[Start | RunJob | StopJob | Noted | Watch | Look | Leave, Field(discriminator="kind")]
FromWorker: TypeAlias = Annotated[
    Ready | Beat | Happened | Target | Shown | Looked | Ended, Field(discriminator="kind")
]

TO_WORKER: TypeAdapter[ToWorker] = TypeAdapter(ToWorker)
FROM_WORKER: TypeAdapter[FromWorker] = TypeAdapter(FromWorker)


def framed(message: BaseModel) -> bytes:
    """A message as it goes through the socket."""
    content = message.model_dump_json().encode()
    return _LENGTH.pack(len(content)) + content


async def read_message(reader: asyncio.StreamReader) -> FromWorker:
    """The next message of a worker. Raises EOFError when there will be none, ValueError for what is no message."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > LARGEST:
            raise ValueError(f"a message of {length} bytes")
        return FROM_WORKER.validate_json(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError("the worker closed its end") from error


class Channel:
    """The worker's end of the socket; any thread may send, one receives."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: BaseModel) -> None:
        """Send a message. Raises OSError when the supervisor is gone."""
        content = framed(message)
        with self._lock:
            self._connection.sendall(content)

    def receive(self) -> ToWorker:
        """Wait for the next message. Raises EOFError when the supervisor is gone."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return TO_WORKER.validate_json(self._exactly(length))

    def _exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            try:
                part = self._connection.recv(min(count, 1 << 20))
            except ConnectionError:
                part = b""
            if not part:
                raise EOFError("the supervisor is gone")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
