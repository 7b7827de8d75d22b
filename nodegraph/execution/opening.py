"""Opens the result store that the settings ask for."""

from __future__ import annotations

from ..settings import Settings
from .digests import FileDigests
from .store import DiskTier, MemoryTier, ResultStore


def open_disk(settings: Settings, digests: FileDigests | None = None) -> DiskTier:
    """The disk tier of the configured cache folder; it works on values whose files `digests` knows."""
    folder = settings.cache / "results"
    if digests is None:
        return DiskTier(folder, settings.disk_cache_bytes)
    return DiskTier(folder, settings.disk_cache_bytes, file_digest=digests.digest)


def open_store(settings: Settings, digests: FileDigests) -> ResultStore:
    """Memory and, unless its budget is zero, disk."""
    disk = open_disk(settings, digests) if settings.disk_cache_bytes > 0 else None
    return ResultStore(MemoryTier(settings.memory_cache_bytes), disk)
