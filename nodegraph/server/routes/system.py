"""The server itself and its workers."""

from __future__ import annotations

from ... import __version__
from ..http import MAX_BODY_BYTES, Route
from ..machine import device_of, disk_room, memory_room
from ..picture_checks import MOST_PIXELS
from ..schemas import SizeLimits, System, Workers
from ..services import Services
from ..uploads import MOST_BYTES as UPLOAD_BYTES


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
        device=device_of(services.settings),
        workers=len(services.workforce.workers()),
        memory=memory_room(),
        output=disk_room(services.settings.output),
        limits=SizeLimits(body_bytes=MAX_BODY_BYTES, upload_bytes=UPLOAD_BYTES, picture_pixels=MOST_PIXELS),
    )


def get_workers(services: Services) -> Workers:
    """The processes that run jobs."""
    return Workers(workers=[each.model_dump(mode="json") for each in services.workforce.workers()])


ROUTES = (
    Route("GET", "/system", get_system),
    Route("GET", "/workers", get_workers),
)
