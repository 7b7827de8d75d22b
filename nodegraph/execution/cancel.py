"""The one way to stop a run: a token that nodes and the executor look at."""

from __future__ import annotations

import threading


class CancelToken:
    """Set once, from any thread or signal handler; seen by every node of the run."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the run to stop at the next harmless place."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether the run was asked to stop."""
        return self._event.is_set()
