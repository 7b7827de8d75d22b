"""The server itself and its workers."""

from __future__ import annotations

from ... import __version__
from ..http import Route
from ..schemas import System, Workers
from ..services import Services


def get_system(services: Services) -> System:
    """What the server is and how it stands."""
    table = services.table
    return System(
        version=__version__,
        started=services.started,
        paused=table.is_paused(),
        counts=table.counts(),
        sequence=table.last_sequence(),
        definitions=services.definitions.count,
        token_needed=services.access.is_needed,
    )


def get_workers(services: Services) -> Workers:
    """The processes that run jobs."""
    return Workers(workers=[each.model_dump(mode="json") for each in services.workforce.workers()])


ROUTES = (
    Route("GET", "/system", get_system),
    Route("GET", "/workers", get_workers),
)
