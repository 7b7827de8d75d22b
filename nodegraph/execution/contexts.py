"""The contexts of a run's nodes: events under their names, journalled targets, checkpoints until they have finished."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from ..files import remove_leftovers
from ..workflow.graph import GraphNode
from .checkpoints import Checkpoint, Checkpoints
from .context import Context, Surroundings
from .events import EventStream, NodeFile, NodeLog, NodePreview, NodeProgress
from .late_keys import LateKeys
from .store import ResultStore


class TargetJournal(Protocol):
    """Where the files of a run were to be written, kept for a run that takes its place. Threads share it."""

    def target(self, node: str, number: int, proposed: Path) -> Path:
        """Where to write a file of a node: noted durably before this returns; the path that was noted first stays.

        node: its name as in events. number: which of its files, from 0. proposed: what to note.
        """


class Contexts:
    """Makes the contexts of one run's nodes.

    fields: what names of files may mention beside the workflow's own, by the name of the node. journal: None writes
    where the recipe says. checkpoints: kept only where there is a store.
    """

    def __init__(
        self,
        around: Surroundings,
        events: EventStream,
        keys: LateKeys,
        fields: Callable[[str], Mapping[str, JsonValue]],
        journal: TargetJournal | None = None,
        checkpoints: Checkpoints | None = None,
        store: ResultStore | None = None,
    ) -> None:
        self._around, self._events, self._keys = around, events, keys
        self._fields, self._journal, self._checkpoints, self._store = fields, journal, checkpoints, store
        self._kept: dict[str, Checkpoint] = {}
        self._told: set[str] = set()

    def of(self, node: GraphNode) -> Context | None:
        """The context of one call of a node's function, where it takes one."""
        if not node.definition.takes_context:
            return None
        name, key = node.name, self._keys.first(node.name)
        around = self._speaking_for(name)
        if self._checkpoints is None or self._store is None:
            return Context(key, around)
        kept = self._kept[name] = self._checkpoints.of(key, lambda text: self._tell_once(around, text))

        def offered(make: Callable[[], object]) -> None:
            kept.offer(make, at_once=around.cancel.is_set())

        return Context(key, replace(around, resumed=kept.resumed, on_checkpoint=offered))

    def finished(self, name: str) -> None:
        """A node has finished and its result is in the store: when that is written, its checkpoint goes."""
        kept = self._kept.pop(name, None)
        if kept is not None and kept.exists() and self._store is not None:
            self._store.flush()
            kept.remove()

    def _tell_once(self, around: Surroundings, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            around.on_log(text)

    def _speaking_for(self, name: str) -> Surroundings:
        around, emit = self._around, self._events.emit
        return replace(
            around,
            provenance=lambda: {**around.provenance(), "node": name},
            fields=lambda: {**around.fields(), **self._fields(name)},
            on_progress=lambda value: emit(NodeProgress(node=name, progress=value)),
            on_preview=lambda value: emit(NodePreview(node=name, value=value)),
            on_log=lambda text: emit(NodeLog(node=name, text=text)),
            on_file=lambda path: emit(NodeFile(node=name, path=path)),
            target=lambda number, proposed: self._target(name, number, proposed),
        )

    def _target(self, name: str, number: int, proposed: Path) -> Path:
        if self._journal is None:
            return proposed
        target = self._journal.target(name, number, proposed)
        remove_leftovers(target)  # of a run that was killed here
        return target
