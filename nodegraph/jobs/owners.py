"""Who runs jobs, and whether they still live: each holds a lock that ends with its process, whatever the clock says."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, text

from .database import Database

POLL: Final = 0.01
"""Seconds between two looks at a lock that another program holds."""


@dataclass(frozen=True)
class Owner:
    """A process, or a part of one, that runs jobs. id: what `claim` wants."""

    id: str


class Owners(Protocol):
    """Holds and looks at the locks of owners."""

    def hold(self, owner: str) -> contextlib.AbstractContextManager[None]:
        """Hold an owner's lock."""

    def is_alive(self, owner: str, connection: Connection) -> bool:
        """Whether somebody holds an owner's lock."""


class FileOwners:
    """Locks on files of a folder, for a table in a file. folder: the same one for all who use the table."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def hold(self, owner: str) -> Iterator[None]:
        """Hold an owner's lock; its file is gone afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        path = self._path(owner)
        with FileLock(path) as lock:
            while not (lock.take(fcntl.LOCK_EX) and lock.is_of(path)):
                lock.reopen()  # it was swept before it was locked
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def is_alive(self, owner: str, connection: Connection) -> bool:
        """Whether somebody holds an owner's lock."""
        return not self._is_free(self._path(owner))

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def _is_free(self, path: Path) -> bool:
        if not path.is_file():
            return True
        with FileLock(path) as lock:
            return lock.take(fcntl.LOCK_EX)

    def _sweep(self) -> None:
        """Remove the files of owners that are dead."""
        for path in self._folder.glob("*.lock"):
            with contextlib.suppress(FileNotFoundError), FileLock(path, is_new=False) as lock:
                if lock.take(fcntl.LOCK_EX):
                    path.unlink(missing_ok=True)


class ServerOwners:
    """Advisory locks of sessions, for a table on a server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextlib.contextmanager
    def hold(self, owner: str) -> Iterator[None]:
        """Hold an owner's lock, in a session of its own."""
        with self._database.session() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key(owner)})
            driver = connection.connection.driver_connection
            assert driver is not None
            sockets = [driver.fileno()]
            os.register_at_fork(after_in_child=lambda: _close_all(sockets))
            try:
                yield
            finally:
                sockets.clear()

    def is_alive(self, owner: str, connection: Connection) -> bool:
        """Whether somebody holds an owner's lock."""
        query = text("SELECT pg_try_advisory_xact_lock(:key)")
        return not connection.execute(query, {"key": _key(owner)}).scalar_one()


def _close_all(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _key(owner: str) -> int:
    return int.from_bytes(hashlib.sha256(f"owner {owner}".encode()).digest()[:8], signed=True)


class FileLock:
    """A lock on a file, which ends with the process that holds it. Forks of that process do not hold it."""

    def __init__(self, path: Path, *, is_new: bool = True) -> None:
        self._path = path
        self._flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if is_new else 0)
        self.descriptor = os.open(path, self._flags, 0o644)
        self._process = os.getpid()
        os.register_at_fork(after_in_child=_closing(weakref.ref(self)))

    def take(self, kind: int) -> bool:
        """Lock it at once, or change the lock that is held; False where another holds it."""
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait(self, kind: int, seconds: float) -> bool:
        """Lock it within a time."""
        end = time.monotonic() + seconds
        while not self.take(kind):
            if time.monotonic() >= end:
                return False
            time.sleep(POLL)
        return True

    def is_of(self, path: Path) -> bool:
        """Whether the locked file is still the one of that name."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), path.stat())
        except FileNotFoundError:
            return False

    def reopen(self) -> None:
        """Let go of it and open the file of that name again."""
        self.close()
        self.descriptor = os.open(self._path, self._flags, 0o644)

    def close(self) -> None:
        """Let go of it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> FileLock:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _closing(lock: weakref.ref[FileLock]) -> Callable[[], None]:
    def close() -> None:
        held = lock()
        if held is not None:
            held.close()

    return close
