"""Which node runs when: one at a time on the device, and beside it those that mostly wait or need only the CPU.

The calling thread runs the nodes of the device's lane, in the plan's order, so Ctrl-C reaches them; nodes of the other
lanes run in threads of their own as soon as what they need is there.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Mapping
from queue import SimpleQueue
from typing import Literal, TypeAlias

from ..definition import Lane

WIDTH = 16
"""Nodes of the lane "io" that run at once, those included whose results wait for a node that needs them."""

Track: TypeAlias = Lane | Literal["engine"]
"""Where a node runs: in the lane it declares, or, for loops over nodes that wait, beside all of them."""

WIDTHS: Mapping[Track, int] = {"engine": 64, "io": WIDTH, "cpu": 2}
"""The same for each lane beside the device."""

Priority: TypeAlias = tuple[int, ...]

RunNode = Callable[[str], list[str]]
"""Runs a node; gives the names of nodes that must run before it can, none when it ran."""


class Scheduler:
    """Runs nodes in an order that their needs allow.

    priority: of each node; lower ones go first where there is a choice. lane: of each node. needs: the nodes that must
    have run before one, as far as that is known before it is tried. run: see `RunNode`; called from several threads.
    stopped: whether to begin nothing more.
    """

    def __init__(
        self,
        *,
        priority: Callable[[str], Priority],
        lane: Callable[[str], Track],
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
        self._ready: dict[Track, list[tuple[Priority, str]]] = {"device": [], **{each: [] for each in WIDTHS}}
        self._held: dict[Track, set[str]] = {each: set() for each in WIDTHS}
        self._running: dict[Track, int] = dict.fromkeys(WIDTHS, 0)
        self._error: Exception | None = None
        self._work: SimpleQueue[tuple[str, Track] | None] = SimpleQueue()
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
            for held in self._held.values():
                held.discard(name)

    def also(self, names: Iterable[str]) -> None:
        """Run more nodes, which nobody waits for yet; call it while a node runs."""
        with self._changed:
            for name in names:
                self._demand(name)
            self._start_others()
            self._changed.notify_all()

    def unfinished(self, names: Iterable[str]) -> list[str]:
        """Those of some nodes that have not run to their end."""
        with self._changed:
            return [name for name in names if name not in self._done]

    def forget(self, names: Iterable[str]) -> None:
        """Forget nodes that have run and that nobody will need again."""
        with self._changed:
            for name in names:
                self._done.pop(name, None)
                self._dependents.pop(name, None)

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
            self._put(name)

    def _put(self, name: str) -> None:
        heapq.heappush(self._ready[self._lane(name)], (self._priority(name), name))

    def _next(self) -> str | None:
        """The next node of the device's lane; None when nothing is left, or nothing may begin any more."""
        with self._changed:
            while True:
                self._start_others()
                if self._ready["device"] and not self._ending():
                    return heapq.heappop(self._ready["device"])[1]
                if not any(self._running.values()):
                    return None
                self._changed.wait(timeout=0.2)  # so that a Ctrl-C is seen that came just before

    def _ending(self) -> bool:
        return self._error is not None or self._stopped()

    def _start_others(self) -> None:
        for lane, width in WIDTHS.items():
            waiting = self._ready[lane]
            while waiting and not self._ending():
                crowded = len(self._held[lane]) + self._running[lane] >= width
                if crowded and (any(self._running.values()) or self._ready["device"]):
                    break
                self._running[lane] += 1
                self._work.put((heapq.heappop(waiting)[1], lane))
                if self._threads < sum(self._running.values()):
                    self._threads += 1
                    threading.Thread(target=self._work_beside, name="nodegraph-beside", daemon=True).start()

    def _work_beside(self) -> None:
        while (work := self._work.get()) is not None:
            name, lane = work
            self._run_one(name)
            with self._changed:
                self._running[lane] -= 1
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
            if dependents and (lane := self._lane(name)) in self._held:
                self._held[lane].add(name)
            for other in dependents:
                self._missing[other] -= 1
                if self._missing[other] == 0:
                    self._put(other)
            self._start_others()
