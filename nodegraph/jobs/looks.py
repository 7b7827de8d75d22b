"""Asking workers to look into stored results."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from ..errors import NodegraphError
from .messages import Look, Looked

LONGEST = 30.0
"""Seconds until a look is given up; a worker may have to be started and to import its packs."""
AT_ONCE = 4
"""Looks that workers are given at a time; further ones wait."""
MOST = 64
"""Looks that may wait, those under way included."""
TRIES = 2
"""How often a look is tried whose worker is lost."""


class ValueGone(NodegraphError):
    """A result is stored no more."""


class NoPicture(NodegraphError):
    """A value has no such picture."""


class LookFailed(NodegraphError):
    """The code that shows a value went wrong."""


class LookTimedOut(NodegraphError):
    """No worker answered in time."""


class TooManyLooks(NodegraphError):
    """More is looked into at once than can be shown."""


class WorkerLost(NodegraphError):
    """The worker that looked was lost, or none can be started."""


class Eye(Protocol):
    """A place of a worker, as far as looks go."""

    @property
    def awake(self) -> bool:
        """Whether there is a worker that can be asked."""

    async def look(self, wanted: Look) -> Looked:
        """Ask the worker, which is started where there is none. Raises WorkerLost."""


class Looks:
    """Looks into results, a few at a time. The models of one worker are known to no other, so all are asked in turn."""

    def __init__(self, eyes: Sequence[Eye]) -> None:
        self._eyes = eyes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._count = 0
        self._tickets = itertools.count()

    async def look(self, key: str, output: str | None = None, item: int = 0, size: int | None = None) -> Looked:
        """What is stored under a key: glimpses of all outputs, or a picture of one.

        size: of the picture's longer side; None for PNG as it is. Raises what is wrong, see the classes above.
        """
        async with self._turn():
            try:
                async with asyncio.timeout(LONGEST):
                    found = await self._ask(key, output, item, size)
            except TimeoutError as error:
                raise LookTimedOut(
                    f"no worker answered within {LONGEST:g} s; a node may hold it up: look again when it has finished"
                ) from error
        match found.state:
            case "gone":
                raise ValueGone("the result is stored no more; run it again to look into it")
            case "no picture":
                raise NoPicture(f"there is no picture {item} of {output!r}; its glimpse tells how many there are")
            case "failed":
                raise LookFailed(f"it cannot be shown: {found.reason}")
        return found

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._count >= MOST:
            raise TooManyLooks(f"{MOST} looks wait already; look again in a moment")
        self._count += 1
        try:
            async with self._turns:
                yield
        finally:
            self._count -= 1

    async def _ask(self, key: str, output: str | None, item: int, size: int | None) -> Looked:
        for left in reversed(range(TRIES)):
            try:
                return await self._ask_all(
                    Look(ticket=next(self._tickets), key=key, output=output, item=item, size=size)
                )
            except WorkerLost:
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def _ask_all(self, wanted: Look) -> Looked:
        """Ask workers until one has the result; one is started where there is none."""
        found = None
        for eye in [each for each in self._eyes if each.awake] or self._eyes[:1]:
            found = await eye.look(wanted)
            if found.state != "gone":
                return found
        assert found is not None, "there is a place for a worker"
        return found
