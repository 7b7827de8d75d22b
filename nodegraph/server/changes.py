"""Telling everybody who waits that the table changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..errors import NodegraphError

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
"""How often the table is asked whether another process changed it."""


class Changes:
    """Wakes all who wait; it holds nothing of what changed, which everybody reads from the table at their own pace.

    Belongs to the event loop in which it is made.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._next = asyncio.Event()

    def next(self) -> asyncio.Event:
        """Set at the next change. Take it before reading the table, then no change is missed."""
        return self._next

    def tell(self) -> None:
        """Something changed; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        waiting, self._next = self._next, asyncio.Event()
        waiting.set()

    async def look(self, version: Callable[[], int], changed: Callable[[], None]) -> None:
        """Call `changed` whenever another process changed the table, until cancelled. version: asks the table."""
        known: int | None = None
        while True:
            try:
                seen = await asyncio.to_thread(version)
            except NodegraphError as error:  # the next look may succeed
                log.warning("the job table could not be asked for changes: %s", error)
            else:
                if seen != known:
                    changed()
                known = seen
            await asyncio.sleep(LOOK_SECONDS)
