"""Keys that are known only during a run: those of nodes with lazy inputs, of what needs them, of rounds of loops."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping

from ..workflow.graph import GraphNode
from .keys import KeyMaker
from .store import ResultStore

ASKED = "asked"


def trace_of(store: ResultStore, known: str) -> str | None:
    """What a node with lazy inputs asked for next when it knew as much before; see `KeyMaker`."""
    found = store.get(_trace_key(known))
    asked = found[0].get(ASKED) if found is not None else None
    return asked if isinstance(asked, str) else None


def _trace_key(known: str) -> str:
    return hashlib.sha256(f"trace\0{known}".encode()).hexdigest()


class LateKeys:
    """The keys of a run's nodes; they grow as nodes say which of their lazy inputs they ask for. Threads may share it.

    planned: what was known before. store: where it is kept what nodes asked for; None keeps nothing.
    """

    def __init__(
        self, maker: KeyMaker, nodes: Mapping[str, GraphNode], planned: Mapping[str, str], store: ResultStore | None
    ) -> None:
        self._maker, self._store = maker, store
        self._nodes: dict[str, GraphNode] = {}
        self._planned = planned
        self._keys: dict[str, str] = {}
        self._below: dict[str, dict[str, None]] = {}
        self._lock = threading.RLock()
        for name, node in nodes.items():
            if name not in planned:
                self.add(node)

    def __getitem__(self, name: str) -> str:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str) -> str | None:
        """The key of a node, None while it is not known."""
        return self._planned.get(name) or self._keys.get(name)

    def add(self, node: GraphNode) -> None:
        """A node whose key may have to wait for others; those wired into it were added before."""
        with self._lock:
            self._nodes[node.name] = node
            key = self._maker.key(node, self)
            if key is not None:
                self._keys[node.name] = key
                return
            for link in node.links():
                if self.get(link.node) is None:
                    self._below.setdefault(link.node, {})[node.name] = None

    def forget(self, names: Iterable[str]) -> None:
        """Forget nodes that nobody will ask about."""
        with self._lock:
            for name in names:
                node = self._nodes.pop(name, None)
                for link in node.links() if node is not None and name not in self._keys else ():
                    self._below.get(link.node, {}).pop(name, None)
                for each in (self._keys, self._below):
                    each.pop(name, None)

    def decided(self, name: str) -> bool:
        """Whether a node can be run or looked up: its key is known, or it is known but for what it will ask for."""
        return self.get(name) is not None or self._first(name) is not None

    def first(self, name: str) -> str:
        """The key of a node, without what it asks for where that is not known yet."""
        found = self.get(name) or self._first(name)
        assert found is not None, name
        return found

    def deciders(self, name: str) -> list[str]:
        """The nodes that must run before the key of a node can be known."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [name]
        with self._lock:
            while waiting:
                each = waiting.pop()
                if each in seen or self.get(each) is not None:
                    continue
                seen.add(each)
                if each != name and self._first(each) is not None:
                    found[each] = None
                    continue
                waiting += [link.node for link in self._nodes[each].links()]
        return list(found)

    def decide(self, name: str, asked: Iterable[str]) -> None:
        """A node ran and asked for some of its lazy inputs, in this order: now its key is known.

        Nothing is learned where the node ran although its inputs have no keys, as in a run without a store.
        """
        with self._lock:
            if self.get(name) is not None:
                return
            node = self._nodes[name]
            known = self._first(name)
            for each in asked:
                if known is None:
                    return
                self._note(known, each)
                known = self._maker.further_key(node, known, each, self)
            if known is not None:
                self._note(known, "")
                self._learn(name, known)

    def _first(self, name: str) -> str | None:
        node = self._nodes.get(name)
        if node is None or not node.definition.lazy:
            return None
        return self._maker.first_key(node, self)

    def _note(self, known: str, asked: str) -> None:
        if self._store is not None:
            self._store.put(_trace_key(known), {ASKED: asked}, portable=True)

    def _learn(self, name: str, key: str) -> None:
        self._keys[name] = key
        waiting = [name]
        while waiting:
            for each in self._below.pop(waiting.pop(), ()):
                if each in self._keys or each not in self._nodes:
                    continue
                found = self._maker.key(self._nodes[each], self)
                if found is not None:
                    self._keys[each] = found
                    waiting.append(each)
