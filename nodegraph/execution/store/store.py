"""The result store: memory first, then disk."""

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from .disk import DiskTier
from .memory import MemoryTier

Tier: TypeAlias = Literal["memory", "disk"]


class ResultStore:
    """Results by key, in memory and, where they are portable, on disk. Threads may share it.

    disk: None keeps results in memory only, as does a disk that cannot be used.
    """

    def __init__(self, memory: MemoryTier, disk: DiskTier | None = None) -> None:
        self.memory = memory
        self.disk = disk

    def get(self, key: str) -> tuple[dict[str, object], Tier] | None:
        """Return outputs and the tier that had them, or None. What comes from disk is kept in memory from then on."""
        outputs = self.memory.get(key)
        if outputs is not None:
            return outputs, "memory"
        outputs = self.disk.get(key) if self.disk is not None else None
        if outputs is None:
            return None
        self.memory.put(key, outputs)
        return outputs, "disk"

    def put(self, key: str, outputs: Mapping[str, object], portable: bool) -> None:
        """Keep a result: in memory, and on disk where it is portable. Neither is promised; a later `get` may miss."""
        self.memory.put(key, outputs)
        if portable and self.disk is not None:
            self.disk.put(key, outputs)

    def contains_many(self, keys: Collection[str]) -> set[str]:
        """Return which keys have a result, by one query. A `get` may still miss, where an entry is damaged."""
        held = {key for key in keys if key in self.memory}
        if self.disk is not None and len(held) < len(keys):
            held |= self.disk.contains_many([key for key in keys if key not in held])
        return held

    def flush(self) -> None:
        """Write what is buffered: from then on it survives the process."""
        if self.disk is not None:
            self.disk.flush()

    def clear(self) -> None:
        """Forget every result."""
        self.memory.clear()
        if self.disk is not None:
            self.disk.clear()

    def close(self) -> None:
        """Flush, and close the disk tier."""
        if self.disk is not None:
            self.disk.close()

    def __enter__(self) -> "ResultStore":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
