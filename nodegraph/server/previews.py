"""What running nodes show, on its way to whoever looks at it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from .schemas_values import Preview, preview_message

if TYPE_CHECKING:
    from ..jobs.messages import Shown
    from ..jobs.model import JobId
    from .services import Workforce

MOST_NODES = 32
"""Of which a client that does not keep up is still sent the newest picture."""


class Viewer:
    """One client's pictures that it was not sent yet: of each node the newest. job: of which; None for all."""

    def __init__(self, job: JobId | None) -> None:
        self._job = job
        self._waiting: dict[tuple[JobId, str], bytes] = {}
        self._more = asyncio.Event()

    def put(self, job: JobId, node: str, message: bytes) -> None:
        """A new picture, in the place of the one before it."""
        if self._job not in (None, job):
            return
        self._waiting[job, node] = message
        while len(self._waiting) > MOST_NODES:
            del self._waiting[next(iter(self._waiting))]
        self._more.set()

    def __len__(self) -> int:
        return len(self._waiting)

    async def next(self) -> bytes:
        """Wait for a picture."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Previews:
    """Hands what nodes show to all who look; while nobody does, nothing is made. Belongs to one event loop."""

    def __init__(self, workforce: Workforce) -> None:
        self._workforce = workforce
        self._viewers: set[Viewer] = set()

    @property
    def viewers(self) -> list[Viewer]:
        """Those who look."""
        return list(self._viewers)

    @contextlib.asynccontextmanager
    async def viewer(self, job: JobId | None) -> AsyncIterator[Viewer]:
        """Somebody looks while the block lasts."""
        viewer = Viewer(job)
        self._viewers.add(viewer)
        if len(self._viewers) == 1:
            await self._workforce.watch(self.tell)
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                await self._workforce.watch(None)

    def tell(self, job: JobId, shown: Shown) -> None:
        """A node shows something."""
        preview = Preview(
            job=job, node=shown.node, step=shown.step, width=shown.width, height=shown.height, type=shown.type
        )
        message = preview_message(preview, shown.picture)
        for viewer in self._viewers:
            viewer.put(job, shown.node, message)
