"""Small pictures of what running nodes show, made beside them and only while somebody looks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..execution.events import Event, NodeBlocked, NodeErred, NodeFinished, NodePreview, NodeProgress
from ..pictures import Encoded, as_preview
from ..ports.glimpse import Pictured
from ..ports.looking import shower_of

log = logging.getLogger(__name__)

SIZE = 256
"""Pixels of the longer side at most."""
PAUSE_SECONDS = 0.2
"""Between two times that pictures are made."""
CLOSE_SECONDS = 1.0
"""How long the end of a run waits for a picture that is being made."""
SHARE = 0.01
"""Of the time that pictures may take of a processor; the pause is the longer for it."""

Show: TypeAlias = Callable[[str, int | None, Encoded], None]
"""Is given a node's name, how many of its steps were done, and the picture."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    step: int | None
    value: object


class Previewer:
    """A listener of a run that makes pictures of what nodes show, in a thread of its own: of each node the newest.

    watched: whether somebody looks; else nothing is made. show: is given the pictures.
    """

    def __init__(self, show: Show, *, watched: Callable[[], bool]) -> None:
        self._show, self._watched = show, watched
        self._steps: dict[str, int] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._now: str | None = None
        self._told: set[type] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        match event:
            case NodeProgress(node=node, progress=progress):
                self._steps[node] = progress.done
            case NodePreview(node=node, value=value) if self._watched():
                with self._changed:
                    self._waiting[node] = _Waiting(self._steps.get(node), value)
                    self._changed.notify()
                self._start()
            case NodeFinished(node=node) | NodeErred(node=node) | NodeBlocked(node=node):
                self._steps.pop(node, None)
                with self._changed:
                    self._waiting.pop(node, None)
                    if self._now == node:
                        self._now = None
            case _:
                pass

    def close(self) -> None:
        """Make no more pictures."""
        with self._changed:
            self._closing = True
            self._now = None
            self._waiting.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="nodegraph-previews", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        from PIL import Image

        Image.preinit()
        while (taken := self._next()) is not None:
            began = time.thread_time()
            self._make(*taken)
            pause = max(PAUSE_SECONDS, (time.thread_time() - began) / SHARE)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, timeout=pause)

    def _next(self) -> tuple[str, _Waiting] | None:
        """What has waited longest; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            self._now = node = next(iter(self._waiting))
            return node, self._waiting.pop(node)

    def _make(self, node: str, waiting: _Waiting) -> None:
        try:
            shown = shower_of(waiting.value)
            if not isinstance(shown, Pictured):
                return
            picture = as_preview(shown.picture(0), SIZE)
        except Exception as error:  # noqa: BLE001 - a preview that fails must not fail the run
            if type(waiting.value) not in self._told:
                self._told.add(type(waiting.value))
                log.warning("%s: its preview could not be shown: %s: %s", node, type(error).__name__, error)
            return
        with self._changed:
            if self._now != node:  # it has finished meanwhile
                return
        self._show(node, waiting.step, picture)
