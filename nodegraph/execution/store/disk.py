"""Results on disk: they survive restarts, processes share them, and damage is a miss, never a wrong result.

The index and results below 32 KiB lie in one SQLite file, larger results in a safetensors file each. Where the folder
cannot be used, runs go on without it, and one warning says why.
"""

import hashlib
import logging
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from nodegraph.ports.codec import Encoded, NotPortable, StaleValue, Undecodable, decode, encode, pack, unpack
from nodegraph.ports.codec.container import chunks
from nodegraph.ports.codec.encoding import FileDigest, hash_file

from .database import Health, UnusableIndex, reason_and_remedy
from .index import OVERHEAD, Index, Row, contained, is_sweep_due, keys_of_files, remove_if, remove_oldest, touch, write
from .objects import ObjectFiles

log = logging.getLogger(__name__)

FORMAT = "nodegraph results, format 1\n"
VERSION_FOLDER = "v1"
SMALL = 32 * 1024
BUFFERED_ENTRIES = 512
BUFFERED_BYTES = 1 << 20
ATTEMPTS = 2
"""How often an entry is read that another process replaces meanwhile."""
KEY = re.compile("[0-9a-f]{64}")


class InvalidKey(ValueError):
    """A key is not a SHA-256 in hexadecimal."""


@dataclass(frozen=True, kw_only=True)
class DiskInfo:
    """What the disk tier holds and met.

    folder: where it lies.
    usable: whether it can be read and written now.
    entries, bytes: of all processes' results, what is buffered here included.
    budget: the most bytes it keeps.
    damaged: entries that this process found damaged and dropped.
    stale: entries that this process dropped because a file they name had changed.
    evicted: entries that this process removed to keep the budget.
    """

    folder: Path
    usable: bool
    entries: int
    bytes: int
    budget: int
    damaged: int
    stale: int
    evicted: int


class DiskTier:
    """Results in a folder, within a budget. Threads and processes may share it.

    folder: a subfolder with the format's version is made in it at first use.
    file_digest: returns the SHA-256 of a file that a value names.
    busy_timeout: seconds to wait for another process's lock.
    flush_after: seconds until buffered results are written by themselves; None leaves it to `flush`.
    """

    def __init__(
        self,
        folder: Path,
        budget_bytes: int,
        *,
        file_digest: FileDigest = hash_file,
        busy_timeout: float = 5.0,
        flush_after: float | None = 0.25,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._root = folder
        self._folder = folder / VERSION_FOLDER
        self._budget = budget_bytes
        self._file_digest = file_digest
        self._flush_after = flush_after
        self._now = now
        self._index = Index(self._folder / "index.sqlite", busy_timeout)
        self._files = ObjectFiles(self._folder)
        self._reading = Health()
        self._writing = Health()
        self._told: set[str] = set()
        self._lock = threading.RLock()
        self._pending: dict[str, Row] = {}
        self._pending_bytes = 0
        self._touched: dict[str, int] = {}
        self._timer: threading.Timer | None = None
        self._ready = False
        self._damaged = self._stale = self._evicted = 0

    def get(self, key: str) -> dict[str, object] | None:
        """Return the outputs under a key; None where there are none, or where they are damaged or out of date."""
        _check(key)
        for _ in range(ATTEMPTS):
            row = self._find(key)
            if row is None:
                return None
            outputs = self._outputs(row)
            if outputs is not None:
                with self._lock:
                    self._touched[key] = self._now()
                return outputs
        return None

    def _outputs(self, row: Row) -> dict[str, object] | None:
        """Return the outputs of an entry. One that is damaged or out of date is dropped."""
        try:
            value = decode(self._content(row), file_digest=self._file_digest)
            if not isinstance(value, dict):
                raise Undecodable(f"it holds a {type(value).__name__} where outputs belong")
        except FileNotFoundError:
            self._drop(row, "its file is gone", is_missing=True)
        except Undecodable as error:
            self._drop(row, str(error))
        except StaleValue as error:
            log.info("the stored result %s is out of date: %s", row.key, error)
            self._drop(row, None)
        except OSError as error:
            self._tell("read from", error)
        else:
            return cast("dict[str, object]", value)
        return None

    def put(self, key: str, outputs: Mapping[str, object]) -> bool:
        """Keep outputs; return whether they are kept. Small ones are written with the next `flush`.

        Outputs that are not portable or larger than the budget, and folders that cannot be written, give False.
        """
        _check(key)
        if not (self._writing.good and self._reading.good):
            return False
        try:
            encoded = encode(dict(outputs), file_digest=self._file_digest)
        except NotPortable as error:
            self._warn_once(f"{error.path} {error.kind}", f"the result {key} stays in memory only: {error}")
            return False
        numbers = sum(tensor.nbytes for tensor in encoded.tensors.values())
        payload = pack(encoded) if numbers < SMALL else b""
        if payload and len(payload) < SMALL:
            return self._fits(key, len(payload)) and self._buffer(key, payload)
        parts = list(chunks(encoded))
        return self._fits(key, sum(len(part) for part in parts)) and self._write_file(key, parts)

    def contains_many(self, keys: Collection[str]) -> set[str]:
        """Return which keys have an entry, by one query. A `get` may still miss, where the entry is damaged."""
        with self._lock:
            held = {key for key in keys if key in self._pending}
        if len(held) == len(keys) or not self._open():
            return held
        try:
            return held | self._index.contained(keys)
        except (sqlite3.Error, OSError) as error:
            self._unreadable(error)
            return held

    def flush(self) -> bool:
        """Write what is buffered; return whether everything given so far is on disk."""
        with self._lock:
            self._stop_timer()
            pending, touched = list(self._pending.values()), self._touched
            self._pending, self._touched, self._pending_bytes = {}, {}, 0
            if not pending and not touched:
                return self._writing.good
            if not self._writing.good or not self._open():
                return False
            try:
                with self._index.database.transaction() as connection:
                    write(connection, pending)
                    touch(connection, touched)
                    evicted = self._evict(connection)
                self._remove_evicted(evicted)
            except (sqlite3.Error, OSError) as error:
                self._unwritable(error)
                return False
            return True

    def clear(self) -> None:
        """Remove every entry, and try again a folder that could not be used."""
        with self._lock:
            self._stop_timer()
            self._pending, self._touched, self._pending_bytes = {}, {}, 0
            self._reading.reset()
            self._writing.reset()
            if not self._open():
                return
            try:
                with self._index.database.transaction() as connection:
                    connection.execute("DELETE FROM entries")
                    self._files.remove_strays(set())
                self._index.database.connection().executescript("PRAGMA incremental_vacuum")
            except (sqlite3.Error, OSError) as error:
                self._unwritable(error)

    def info(self) -> DiskInfo:
        """Return what is held and what was met."""
        self.flush()
        entries = size = 0
        if self._open():
            try:
                entries, size = self._index.totals()
            except (sqlite3.Error, OSError) as error:
                self._unreadable(error)
        return DiskInfo(
            folder=self._root,
            usable=self._reading.good and self._writing.good,
            entries=entries,
            bytes=size,
            budget=self._budget,
            damaged=self._damaged,
            stale=self._stale,
            evicted=self._evicted,
        )

    def close(self) -> None:
        """Flush and close. A later use opens the folder again."""
        with self._lock:
            self.flush()
            self._index.database.close()
            self._ready = False

    def __enter__(self) -> "DiskTier":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self) -> bool:
        """Make the folder ready at first use; return whether it can be used."""
        with self._lock:
            if not self._reading.good:
                return False
            if self._ready:
                return True
            try:
                self._claim()
                self._files.remove_abandoned()
                with self._index.database.transaction() as connection:
                    if is_sweep_due(connection, self._now()):
                        self._files.remove_strays(keys_of_files(connection))
            except (sqlite3.Error, OSError, UnusableIndex) as error:
                self._unreadable(error)
                return False
            self._ready = True
            return True

    def _claim(self) -> None:
        """Mark the folder with its format, or see that it has this format."""
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = self._folder / "format"
        if mark.exists():
            if mark.read_text("utf-8") != FORMAT:
                raise UnusableIndex(f"{mark} does not say {FORMAT.strip()!r}")
            return
        aside = self._folder / f"format.{threading.get_ident()}.{self._now()}"
        aside.write_text(FORMAT, "utf-8")
        aside.replace(mark)

    def _find(self, key: str) -> Row | None:
        with self._lock:
            if key in self._pending:
                return self._pending[key]
        if not self._open():
            return None
        try:
            return self._index.row(key)
        except (sqlite3.Error, OSError) as error:
            self._unreadable(error)
            return None

    def _content(self, row: Row) -> Encoded:
        if not isinstance(row.checksum, bytes) or not isinstance(row.size, int):
            raise Undecodable("its index entry is damaged")
        if row.payload is None:
            return self._files.read(row.key, row.checksum, row.size)
        if not isinstance(row.payload, bytes) or _checksum(row.key, row.payload) != row.checksum:
            raise Undecodable("the checksum differs")
        return unpack(row.payload)

    def _fits(self, key: str, size: int) -> bool:
        if size + OVERHEAD > self._budget:
            log.info("the result %s of %d bytes exceeds the whole budget of %d bytes", key, size, self._budget)
            return False
        return True

    def _buffer(self, key: str, payload: bytes) -> bool:
        row = Row(key, _checksum(key, payload), len(payload), self._now(), payload)
        with self._lock:
            if not self._open():
                return False
            self._pending[key] = row
            self._pending_bytes += len(payload)
            if len(self._pending) >= BUFFERED_ENTRIES or self._pending_bytes >= BUFFERED_BYTES:
                return self.flush()
            is_waiting = self._timer is not None and self._timer.is_alive()  # no thread lives on after a fork
            if not is_waiting and self._flush_after is not None:
                self._timer = threading.Timer(self._flush_after, self.flush)
                self._timer.start()
        return True

    def _write_file(self, key: str, parts: list[bytes | memoryview]) -> bool:
        if not self._open():
            return False
        written = None
        try:
            written = self._files.write_aside(key, parts)
            row = Row(key, written.checksum, written.size, self._now(), None)
            with self._lock, self._index.database.transaction() as connection:
                # Under the write lock, so that a file and its entry change together.
                self._files.publish(key, written)
                write(connection, [row])
                evicted = self._evict(connection)
            self._remove_evicted(evicted)
        except (sqlite3.Error, OSError) as error:
            if written is not None:
                with suppress(OSError):
                    written.path.unlink(missing_ok=True)
            self._unwritable(error)
            return False
        with self._lock:
            self._pending.pop(key, None)
        return True

    def _evict(self, connection: sqlite3.Connection) -> list[str]:
        """Remove entries until the rest fits the budget; the keys whose files are to go."""
        count, files = remove_oldest(connection, self._budget)
        self._evicted += count
        return files

    def _remove_evicted(self, keys: list[str]) -> None:
        """Remove files, now that nothing says any more that they are there, unless they are there again."""
        if keys:
            with self._lock, self._index.database.transaction() as connection:
                for key in set(keys) - contained(connection, keys):
                    self._files.remove(key)

    def _drop(self, row: Row, damage: str | None, *, is_missing: bool = False) -> None:
        """Remove an entry that cannot be used, unless another process has replaced it meanwhile."""
        try:
            with self._lock, self._index.database.transaction() as connection:
                if self._pending.get(row.key) is row:
                    del self._pending[row.key]
                restored = is_missing and self._files.path(row.key).exists()  # evicted and stored again meanwhile
                gone = not restored and remove_if(connection, row)
                if gone and row.payload is None:
                    self._files.remove(row.key)
                self._stale += damage is None
                self._damaged += gone and damage is not None
        except (sqlite3.Error, OSError) as error:
            self._unwritable(error)
            return
        if gone and damage is not None:
            log.warning("dropped the stored result %s in %s: %s; it is computed again", row.key, self._root, damage)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _unreadable(self, error: Exception) -> None:
        self._reading.failed()
        self._tell("use", error)

    def _unwritable(self, error: Exception) -> None:
        self._writing.failed()
        self._tell("write to", error)

    def _tell(self, attempt: str, error: Exception) -> None:
        reason, remedy = reason_and_remedy(error, self._folder)
        message = (
            f"cannot {attempt} the result cache in {self._root}: {reason} ({getattr(error, 'strerror', None) or error})"
        )
        self._warn_once(reason, f"{message}. {remedy}. Until then results stay in memory only.")

    def _warn_once(self, subject: str, message: str) -> None:
        if subject not in self._told:
            self._told.add(subject)
            log.warning(message)


def _check(key: str) -> None:
    if KEY.fullmatch(key) is None:
        raise InvalidKey(f"{key!r} is no key: a key is a SHA-256 in 64 lower-case hexadecimal digits")


def _checksum(key: str, payload: bytes) -> bytes:
    return hashlib.sha256(key.encode("ascii") + payload).digest()
