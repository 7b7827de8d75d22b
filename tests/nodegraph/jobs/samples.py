"""Requests to submit."""

from __future__ import annotations

from nodegraph.jobs.model import BatchRequest, JobRequest, NewEvent, Outcome

WORKFLOW = {"format": "nodegraph/1", "nodes": {"a": {"type": "toy", "inputs": {"value": 1}}}}
DONE = Outcome(state="done", seconds=1.5)
FAILED = Outcome(state="failed", seconds=2.0)
PAUSED = Outcome(state="paused", seconds=2.5)
CANCELLED = Outcome(state="cancelled", seconds=3.0)


def a_request(**changes: object) -> JobRequest:
    return JobRequest.model_validate({"workflow": WORKFLOW, **changes})


def a_batch(count: int, **changes: object) -> BatchRequest:
    return BatchRequest.model_validate({"workflow": WORKFLOW, "rows": [{"n": n} for n in range(count)], **changes})


def an_event(kind: str, **data: int) -> NewEvent:
    return NewEvent(kind=kind, data=data)
