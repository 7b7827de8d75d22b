"""The queue: what waits, and whether it is paused."""

from __future__ import annotations

from ..http import Route
from ..schemas import LimitQuery, Queue
from ..services import Services


def get_queue(services: Services, query: LimitQuery) -> Queue:
    """The waiting jobs in the order in which they will run."""
    table = services.table
    jobs = [services.veil.job(each) for each in table.queue(query.limit)]
    return Queue(paused=table.is_paused(), jobs=jobs, counts=table.counts())


def pause(services: Services) -> Queue:
    """Begin no more jobs; what runs goes on."""
    services.table.pause_queue()
    return get_queue(services, LimitQuery())


def resume(services: Services) -> Queue:
    """Begin jobs again."""
    services.table.resume_queue()
    return get_queue(services, LimitQuery())


ROUTES = (
    Route("GET", "/queue", get_queue),
    Route("POST", "/queue/pause", pause),
    Route("POST", "/queue/resume", resume),
)
