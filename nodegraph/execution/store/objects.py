"""Large results as files: written aside, synced, renamed, and cleaned up after processes that died."""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nodegraph.locking import is_locked, lock
from nodegraph.ports.codec import Encoded, Undecodable
from nodegraph.ports.codec.container import read

SUFFIX = ".safetensors"
YOUNG_SECONDS = 60.0
"""Files aside younger than this are left alone: their writer may not have locked them yet."""


@dataclass(frozen=True)
class Written:
    """A complete, synced file that no reader sees yet."""

    path: Path
    checksum: bytes
    size: int


class ObjectFiles:
    """Files by key below one folder: `objects/ab/<key>.safetensors`, written by way of `tmp/`."""

    def __init__(self, folder: Path) -> None:
        self.objects = folder / "objects"
        self.aside = folder / "tmp"

    def path(self, key: str) -> Path:
        """Return where the file of a key lies."""
        return self.objects / key[:2] / (key + SUFFIX)

    def write_aside(self, key: str, parts: Iterable[bytes | memoryview]) -> Written:
        """Write and sync a file that no reader sees; on any error nothing of it stays."""
        self.aside.mkdir(parents=True, exist_ok=True)
        path = self.aside / f"{key}.{uuid.uuid4().hex}"
        checksum = hashlib.sha256(key.encode("ascii"))
        size = 0
        try:
            with path.open("xb") as file:
                lock(file.fileno())
                for part in parts:
                    file.write(part)
                    checksum.update(part)
                    size += len(part)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return Written(path, checksum.digest(), size)

    def publish(self, key: str, written: Written) -> None:
        """Give a written file its name. It replaces an older one in one step."""
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        written.path.replace(target)

    def read(self, key: str, checksum: bytes, size: int) -> Encoded:
        """Return a file's content; raise `Undecodable` where a bit differs, FileNotFoundError where it is gone."""
        digest = hashlib.sha256(key.encode("ascii"))
        with self.path(key).open("rb", buffering=0) as file:
            found = os.fstat(file.fileno()).st_size
            if found != size:
                raise Undecodable(f"the file has {found} bytes, {size} were written")
            encoded = read(file, size, digest.update)
        if digest.digest() != checksum:
            raise Undecodable("the checksum differs")
        return encoded

    def remove(self, key: str) -> None:
        """Remove a file, if it is there. Who is reading it reads on."""
        with suppress(OSError):  # Windows keeps a file that is being read; `remove_strays` finds it later
            self.path(key).unlink(missing_ok=True)

    def remove_abandoned(self, now: Callable[[], float] = time.time) -> int:
        """Remove what processes that died left aside; return how many files."""
        removed = 0
        for path in self._files(self.aside):
            with suppress(OSError):
                if now() - path.stat().st_mtime >= YOUNG_SECONDS and not is_locked(path):
                    path.unlink()
                    removed += 1
        return removed

    def remove_strays(self, known: set[str]) -> int:
        """Remove files of keys that are not in the index; call it under the index's write lock."""
        strays = [
            path for folder in self._files(self.objects) for path in self._files(folder) if path.stem not in known
        ]
        for path in strays:
            with suppress(OSError):
                path.unlink()
        return len(strays)

    @staticmethod
    def _files(folder: Path) -> list[Path]:
        try:
            return list(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
