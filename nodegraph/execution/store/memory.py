"""Results in memory: least recently used are forgotten when a byte budget is exceeded."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nodegraph.ports.codec import Footprint, footprint
from nodegraph.ports.codec.size import StorageId


@dataclass(frozen=True, kw_only=True)
class MemoryInfo:
    """What the memory tier holds.

    entries: results held.
    bytes: memory of their tensors, each storage counted once, and an estimate for the rest.
    budget: the most bytes it holds.
    """

    entries: int
    bytes: int
    budget: int


@dataclass(frozen=True, slots=True)
class _Entry:
    outputs: dict[str, object]
    size: Footprint


class MemoryTier:
    """Results in memory, within a budget. Threads may share it.

    Values are handed out as they were put in; they are immutable by contract. Tensor storages that several results
    share, such as the weights of a model and of its patched handles, count once.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._users: Counter[StorageId] = Counter()
        self._bytes = 0
        self._lock = threading.RLock()

    def get(self, key: str) -> dict[str, object] | None:
        """Return the outputs under a key, which becomes the most recently used; None where there are none."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return dict(entry.outputs)

    def put(self, key: str, outputs: Mapping[str, object]) -> bool:
        """Keep outputs; return whether they were kept. What alone exceeds the budget is not."""
        entry = _Entry(dict(outputs), footprint(tuple(outputs.values())))
        with self._lock:
            self._forget(key)
            if entry.size.total > self._budget:
                return False
            self._entries[key] = entry
            self._bytes += entry.size.other
            for storage, size in entry.size.storages.items():
                self._users[storage] += 1
                self._bytes += size if self._users[storage] == 1 else 0
            while self._bytes > self._budget:
                self._forget(next(iter(self._entries)))
            return True

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._entries

    def forget_if(self, doomed: Callable[[Mapping[str, object]], bool]) -> int:
        """Forget the results whose outputs are `doomed`; return how many."""
        with self._lock:
            keys = [key for key, entry in self._entries.items() if doomed(entry.outputs)]
            for key in keys:
                self._forget(key)
            return len(keys)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._users.clear()
            self._bytes = 0

    def info(self) -> MemoryInfo:
        """Return what is held."""
        with self._lock:
            return MemoryInfo(entries=len(self._entries), bytes=self._bytes, budget=self._budget)

    def _forget(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._bytes -= entry.size.other
        for storage, size in entry.size.storages.items():
            self._users[storage] -= 1
            if not self._users[storage]:
                del self._users[storage]
                self._bytes -= size
