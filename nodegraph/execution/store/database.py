"""One SQLite file shared by threads and processes: opening, transactions, and what to say when it fails."""

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FIRST_WAIT = 0.002
LONGEST_WAIT = 0.05


class UnusableIndex(Exception):
    """A database file is not what it should be."""


class Database:
    """A connection to a SQLite file in WAL mode, opened at first use, one for each process that uses it.

    busy_timeout: seconds to wait for another process's lock.
    """

    def __init__(self, path: Path, schema: str, *, busy_timeout: float = 5.0) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._schema = schema
        self._busy_timeout = busy_timeout
        self._connection: sqlite3.Connection | None = None
        self._process = os.getpid()

    def connection(self) -> sqlite3.Connection:
        """Return this process's connection; call it under `lock`."""
        if self._process != os.getpid():  # after a fork, the parent's connection must not be touched
            self._abandoned = self._connection
            self._connection = None
            self._process = os.getpid()
        if self._connection is None:
            self._connection = self._opened()
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the database's write lock. All or nothing is written."""
        with self.lock:
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self.lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._until_free(lambda: self._prepare(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in self._schema.split(";;"):
                connection.execute(statement)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _until_free(self, action: Callable[[], None]) -> None:
        """Repeat what is locked: SQLite does not wait by itself for a lock on the change to WAL mode."""
        end = time.monotonic() + self._busy_timeout
        wait = FIRST_WAIT
        while True:
            try:
                return action()
            except sqlite3.OperationalError as error:
                if not is_locked(error) or time.monotonic() >= end:
                    raise
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)


class Health:
    """Whether a folder can be used: after a failure it is left alone for a while.

    So a run does not wait for the same lock at every node, and goes on with the folder when the trouble is over.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, pause: float = 30.0) -> None:
        self._clock = clock
        self._pause = pause
        self._until = float("-inf")

    @property
    def good(self) -> bool:
        """Whether the folder may be tried."""
        return self._clock() >= self._until

    def failed(self) -> None:
        """Leave the folder alone for a while."""
        self._until = self._clock() + self._pause

    def reset(self) -> None:
        """Try the folder again at once."""
        self._until = float("-inf")


def is_locked(error: BaseException) -> bool:
    """Whether another connection holds a lock."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def reason_and_remedy(error: BaseException, folder: Path) -> tuple[str, str]:
    """Say what is wrong with a folder, and what to do about it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = getattr(error, "errno", None)
    if is_locked(error):
        return "another program holds a lock on it", "End that program"
    if code == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "no space is left for it", "Free some space, or set another folder"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or isinstance(error, UnusableIndex):
        return "its index is damaged", f"Delete the folder {str(folder)!r} while nothing uses it"
    return "it cannot be read and written", "Make it a writable folder on a local disk, or set another one"
