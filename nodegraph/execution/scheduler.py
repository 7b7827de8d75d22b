"""Which node runs when: one at a time on the device, and beside it those that mostly wait.

The calling thread runs the nodes of the device's lane, in the plan's order, so Ctrl-C reaches them; nodes of the lane
"io" run in threads of their own as soon as what they need is there.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Mapping
from queue import SimpleQueue

from ..definition import Lane

WIDTH = 16
"""Nodes of the lane "io" that run at once, those included whose results wait for a node that needs them."""

RunNode = Callable[[str], list[str]]
"""Runs a node; gives the names of nodes that must run before it can, none when it ran."""


class Scheduler:
    """Runs nodes in an order that their needs allow.

    priority: of each node; lower ones go first where there is a choice. lane: of each node. needs: the nodes that must
    have run before one. run: see `RunNode`; called from several threads. stopped: whether to begin nothing more.
    """

    def __init__(
        self,
        *,
        priority: Mapping[str, int],
        lane: Callable[[str], Lane],
        needs: Callable[[str], Iterable[str]],
        run: RunNode,
        stopped: Callable[[], bool],
    ) -> None:
        self._priority, self._lane, self._needs, self._run, self._stopped = priority, lane, needs, run, stopped
        self._changed = threading.Condition()
        self._missing: dict[str, int] = {}
        self._dependents: dict[str, list[str]] = {}
        self._done: dict[str, int] = {}
        self._clock = 0
        self._ready: dict[Lane, list[tuple[int, str]]] = {"device": [], "io": []}
        self._held: set[str] = set()
        self._running = 0
        self._error: Exception | None = None
        self._work: SimpleQueue[str | None] = SimpleQueue()
        self._threads = 0

    def run(self, names: Iterable[str]) -> None:
        """Run nodes and all that they need; returns when nothing is left to do, or after a stop.

        Raises the first error of a node, when all that was running has ended.
        """
        with self._changed:
            for name in names:
                self._demand(name)
        try:
            while (following := self._next()) is not None:
                self._run_one(following)
        finally:
            for _ in range(self._threads):
                self._work.put(None)
            self._threads = 0
        if self._error is not None:
            raise self._error

    def release(self, name: str) -> None:
        """Tell that the result of a node was dropped."""
        with self._changed:
            self._held.discard(name)

    def _demand(self, name: str) -> None:
        """Take a node and what it needs into the plan of work, without recursion."""
        stack = [name]
        while stack:
            each = stack.pop()
            if each in self._missing or each in self._done:
                continue
            needed = [other for other in dict.fromkeys(self._needs(each)) if other not in self._done]
            self._wait_for(each, needed)
            stack += needed

    def _wait_for(self, name: str, needed: list[str]) -> None:
        self._missing[name] = len(needed)
        for other in needed:
            self._dependents.setdefault(other, []).append(name)
        if not needed:
            heapq.heappush(self._ready[self._lane(name)], (self._priority.get(name, -1), name))

    def _next(self) -> str | None:
        """The next node of the device's lane; None when nothing is left, or nothing may begin any more."""
        with self._changed:
            while True:
                self._start_others()
                if self._ready["device"] and not self._ending():
                    return heapq.heappop(self._ready["device"])[1]
                if self._running == 0:
                    return None
                self._changed.wait()

    def _ending(self) -> bool:
        return self._error is not None or self._stopped()

    def _start_others(self) -> None:
        waiting = self._ready["io"]
        while waiting and not self._ending():
            crowded = len(self._held) + self._running >= WIDTH
            if crowded and (self._running or self._ready["device"]):
                return
            self._running += 1
            self._work.put(heapq.heappop(waiting)[1])
            if self._threads < min(self._running, WIDTH):
                self._threads += 1
                threading.Thread(target=self._work_beside, name="nodegraph-io", daemon=True).start()

    def _work_beside(self) -> None:
        while (name := self._work.get()) is not None:
            self._run_one(name)
            with self._changed:
                self._running -= 1
                self._start_others()
                self._changed.notify_all()

    def _run_one(self, name: str) -> None:
        began = self._clock
        try:
            needed = self._run(name)
        except Exception as error:  # noqa: BLE001 - raised by `run` when all others have ended
            with self._changed:
                self._error = self._error or error
            return
        with self._changed:
            if needed:
                needed = [each for each in needed if self._done.get(each, 0) <= began]  # others came meanwhile
                for each in needed:
                    self._done.pop(each, None)
                self._wait_for(name, needed)
                for other in needed:
                    self._demand(other)
                return
            self._done[name] = self._clock = self._clock + 1
            del self._missing[name]
            dependents = self._dependents.pop(name, [])
            if dependents and self._lane(name) == "io":
                self._held.add(name)
            for other in dependents:
                self._missing[other] -= 1
                if self._missing[other] == 0:
                    heapq.heappush(self._ready[self._lane(other)], (self._priority.get(other, -1), other))
            self._start_others()
