"""What happens during a run, as one typed stream with sequence numbers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from .context import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    sequence: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Event):
    """The plan is made. `to_run` and `cached` count nodes."""

    nodes: tuple[str, ...]
    to_run: int
    cached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted(_Event):
    """A node's function is about to be called."""

    node: str
    type_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProgress(_Event):
    """A node reports how far it is."""

    node: str
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePreview(_Event):
    """A node shows an intermediate value."""

    node: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLog(_Event):
    """A node tells the user something."""

    node: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFile(_Event):
    """A node is about to write a file of the output folder."""

    node: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCached(_Event):
    """A node's result was there already, or nothing needs it, since all that it leads to is there.

    key: under which its result is stored; "" where it is not stored.
    """

    node: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFinished(_Event):
    """A node's function returned; `seconds` of wall time. key: under which its result is stored; "" where it is not."""

    node: str
    seconds: float
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBlocked(_Event):
    """A node does not run, because something it needs is blocked; its results are blocked as well."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeErred(_Event):
    """A node raised; the run ends."""

    node: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Event):
    """The run is over; `kept` counts the nodes whose results are stored."""

    status: Literal["done", "failed", "cancelled"]
    seconds: float
    kept: int


Event: TypeAlias = (
    RunStarted
    | NodeStarted
    | NodeProgress
    | NodePreview
    | NodeLog
    | NodeFile
    | NodeCached
    | NodeFinished
    | NodeBlocked
    | NodeErred
    | RunFinished
)
Listener: TypeAlias = Callable[[Event], None]


@dataclass(slots=True)
class EventStream:
    """Numbers events and hands them to a listener, in order."""

    listener: Listener
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def emit(self, event: Event) -> None:
        """Give `event` its number and pass it on; nodes on several threads may do so at once."""
        with self._lock:
            object.__setattr__(event, "sequence", next(self._numbers))
            self.listener(event)
