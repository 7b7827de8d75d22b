"""The results of a run while somebody may still need them; nothing is held longer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ..ports.wire import wire_class
from ..workflow.graph import GraphNode

Outputs: TypeAlias = dict[str, Any]


class Results:
    """Outputs by node, dropped when the last node that may need them is done.

    A node that may need others is entered by `expect`, and leaves by `done`, whether it needed them or not. What nobody
    may need any more before it ran lets go of what it would have needed.

    on_drop: is told which result was dropped.
    """

    def __init__(self, on_drop: Callable[[str], None]) -> None:
        self._on_drop = on_drop
        self._values: dict[str, Outputs] = {}
        self._users: Counter[str] = Counter()
        self._expected: dict[str, tuple[str, ...]] = {}
        self.lock = threading.RLock()

    def expect(self, node: GraphNode) -> None:
        """A node that may need what is wired into it; entered once."""
        with self.lock:
            if node.name not in self._expected:
                needed = tuple(link.node for link in node.links())
                self._expected[node.name] = needed
                for each in needed:
                    self._users[each] += 1

    def want(self, names: Iterable[str]) -> None:
        """Hold the results of some nodes until `unwant`."""
        with self.lock:
            self._users.update(names)

    def unwant(self, names: Iterable[str]) -> None:
        """Let go of results that were wanted."""
        with self.lock:
            self._release(list(names))

    def put(self, name: str, outputs: Outputs) -> None:
        """The result of a node, which is not done by that."""
        with self.lock:
            self._values[name] = outputs

    def done(self, name: str) -> None:
        """A node needs nothing more. Its own result is dropped at once where nobody needs it."""
        with self.lock:
            self._release(list(self._expected.pop(name, ())))
            if self._users[name] <= 0:
                self._drop(name)

    def snapshot(self, names: Iterable[str]) -> dict[str, Outputs]:
        """The results that are there, of some nodes."""
        with self.lock:
            return {name: self._values[name] for name in names if name in self._values}

    def get(self, name: str) -> Outputs | None:
        """The result of a node, None where it is not there."""
        return self._values.get(name)

    def forget(self, names: Iterable[str]) -> None:
        """Forget nodes altogether."""
        with self.lock:
            for name in names:
                self.done(name)
                self._values.pop(name, None)
                self._users.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def _release(self, names: list[str]) -> None:
        while names:
            name = names.pop()
            self._users[name] -= 1
            if self._users[name] > 0:
                continue
            if name in self._values:
                self._drop(name)
            else:  # it will not be needed, so neither is what it would have needed
                names += self._expected.pop(name, ())

    def _drop(self, name: str) -> None:
        if self._values.pop(name, None) is not None:
            self._on_drop(name)


def holds_resident(value: object) -> bool:
    """Whether a value, or one within a list or map of values, is of a wire type that stays in memory."""
    if isinstance(value, Mapping):
        return any(map(holds_resident, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_resident, value))
    return any(note is not None and not note.portable for note in map(wire_class, type(value).__mro__))
