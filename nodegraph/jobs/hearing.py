"""From a job's history back to the events of its run, for whoever shows them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

from ..execution.context import Progress
from ..execution.events import Event, NodeFile, NodePreview, NodeProgress
from .model import JobEvent
from .telling import event_kind


def run_event(event: JobEvent) -> Event | None:
    """The event of a run that a job's event tells; None for what happened to the job itself."""
    kind = next((each for each in get_args(Event) if event_kind(each) == event.kind), None)
    if kind is None or kind in (NodePreview, NodeFile):
        return None
    given: dict[str, Any] = {each.name: event.data[each.name] for each in fields(kind) if each.name in event.data}
    if kind is NodeProgress:
        given["progress"] = Progress(**given["progress"])
    return kind(**given)
