"""Batches: many runs of one workflow."""

from __future__ import annotations

from ...jobs.model import Batch, BatchRequest
from ..http import Reply, Route
from ..schemas import BatchAccepted, Batches, LimitQuery
from ..services import Services


def submit(services: Services, body: BatchRequest) -> Reply[BatchAccepted]:
    """Accept all runs or none: 201 when they are new, 200 when the client key names the batch already."""
    workflow = services.definitions.check_all(body.workflow, body.rows, body.targets)
    batch, jobs, is_new = services.table.submit_batch(body, title=workflow.title)
    return Reply(201 if is_new else 200, BatchAccepted(batch=batch, jobs=jobs))


def list_batches(services: Services, query: LimitQuery) -> Batches:
    """Batches, the newest first."""
    return Batches(batches=services.table.batches(query.limit))


def get_batch(services: Services, id: str) -> Batch:
    """How far a batch is; its jobs are listed by `/jobs?batch=`."""
    return services.table.batch(id)


def cancel(services: Services, id: str) -> Batch:
    """Stop all jobs of a batch that are not finished."""
    return services.table.cancel_batch(id)


def pause(services: Services, id: str) -> Batch:
    """Stop all jobs of a batch that are not finished for a while."""
    return services.table.pause_batch(id)


def resume(services: Services, id: str) -> Batch:
    """Let the paused jobs of a batch go on."""
    return services.table.resume_batch(id)


ROUTES = (
    Route("POST", "/batches", submit),
    Route("GET", "/batches", list_batches),
    Route("GET", "/batches/{id}", get_batch),
    Route("POST", "/batches/{id}/cancel", cancel),
    Route("POST", "/batches/{id}/pause", pause),
    Route("POST", "/batches/{id}/resume", resume),
)
