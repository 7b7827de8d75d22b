"""A run's events as they are kept with its job."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..execution.events import Event, NodeBlocked, NodeErred, NodeFinished, NodePreview, NodeProgress, NodeStarted
from .model import NewEvent

PROGRESS_SECONDS = 0.1
"""A node's progress is told no more often than this, except for its end."""


def event_kind(event: type[Event]) -> str:
    """What an event is called in the job's history: the name of its class in snake_case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower()


NODE_STARTED = event_kind(NodeStarted)
NODE_ENDS = tuple(map(event_kind, (NodeFinished, NodeErred, NodeBlocked)))


class Teller:
    """A listener of a run that tells what is worth keeping: everything but previews and progress at every step.

    tell: is given each event that is kept, in order; nodes on several threads call one after the other.
    """

    def __init__(self, tell: Callable[[NewEvent], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._told: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        match event:
            case NodePreview():
                return
            case NodeProgress(node=node, progress=progress):
                now = self._clock()
                if progress.done < progress.total and now - self._told.get(node, -1e9) < PROGRESS_SECONDS:
                    return
                self._told[node] = now
            case NodeFinished(node=node) | NodeErred(node=node):
                self._told.pop(node, None)
        self._tell(NewEvent(kind=event_kind(type(event)), data=event_data(event)))


def event_data(event: Event) -> dict[str, Any]:
    """The fields of an event as JSON."""
    found: dict[str, Any] = asdict(event)
    del found["sequence"]
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: object) -> object:
    """Tuples as lists and paths as texts."""
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
