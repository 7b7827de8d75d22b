"""Finding the table, and making it ready: its folder, its state of health, its version."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib.util
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from . import migrations, salvage
from .database import Database, unusable
from .errors import TableBusy, TableFull, TableNotWritable, UnsupportedDatabase
from .owners import FileLock, FileOwners, Owners, ServerOwners

log = logging.getLogger(__name__)

FILES: Final = "sqlite:////folder/jobs.sqlite"
SERVERS: Final = "postgresql://user:password@host/database"
SUSPECT: Final = b"suspect"
"""What the file of the lock says after somebody met damage."""


def url_of_file(path: Path) -> str:
    """The URL of a table in a file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def parsed(text: str) -> URL:
    """A URL of a database that can hold a table. Raises UnsupportedDatabase."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise UnsupportedDatabase(repr(text), "it is no URL", f"give one like {FILES} or {SERVERS}") from None
    shown = url.render_as_string()
    match url.get_backend_name():
        case "sqlite" if url.database and not url.database.startswith((":", "file:")) and not url.query:
            return url.set(drivername="sqlite", database=str(Path(url.database).resolve()))
        case "sqlite":
            raise UnsupportedDatabase(shown, "it names no file", f"give one like {FILES}")
        case "postgresql" | "postgres":
            if importlib.util.find_spec("psycopg") is None:
                raise UnsupportedDatabase(shown, "psycopg is not installed", "pip install 'nodegraph[postgres]'")
            return url.set(drivername="postgresql+psycopg")
        case name:
            raise UnsupportedDatabase(shown, f"{name} is not supported", f"give one like {FILES} or {SERVERS}")


@contextlib.contextmanager
def explained(where: str) -> Iterator[None]:
    """Errors of files and of SQLite as JobTableUnusable."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise TableFull(where, "no space is left for it", "free some space, or set another `database`") from error
        remedy = "make its folder writable, on a local disk, or set another `database`"
        raise TableNotWritable(where, f"its files cannot be opened ({error.strerror or error})", remedy) from error
    except sqlite3.Error as error:
        raise unusable(error, where) from error


class Opened:
    """A table that is ready. Where it is in a file, a lock says that somebody uses it."""

    def __init__(self, url: URL, owners: Path | None, busy_timeout: float) -> None:
        self.lock: FileLock | None = None
        self.owners: Owners
        if url.get_backend_name() == "sqlite":
            assert url.database is not None
            path = Path(url.database)
            with explained(str(path)):
                path.parent.mkdir(parents=True, exist_ok=True)
                self.lock = _used(path, busy_timeout)
            self.owners = FileOwners(owners or path.parent / "owners")
        try:
            self.database = Database(url, busy_timeout=busy_timeout)
            if self.lock is None:
                self.owners = ServerOwners(self.database)
            self._migrate()
        except BaseException:
            self.close()
            raise

    def suspect(self) -> None:
        """Let the next one that uses the file alone look for damage."""
        if self.lock is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self.lock.descriptor, SUSPECT, 0)

    def close(self) -> None:
        """Close all connections, then let go of the lock."""
        if hasattr(self, "database"):
            self.database.close()
        if self.lock is not None:
            self.lock.close()

    def _migrate(self) -> None:
        with self.database.reading() as connection:
            is_ready = migrations.check(connection, self.database.where)
        if not is_ready:
            with self.database.writing() as connection:
                migrations.migrate(connection, self.database.where)


def _used(path: Path, busy_timeout: float) -> FileLock:
    """A lock on a file's use, which others share. Whoever is the first looks whether the file is sound."""
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        if lock.take(fcntl.LOCK_EX):
            _make_sound(path, is_suspect=os.pread(lock.descriptor, len(SUSPECT), 0) == SUSPECT)
            os.ftruncate(lock.descriptor, 0)
        if not lock.wait(fcntl.LOCK_SH, busy_timeout):
            raise TableBusy(str(path), "another program checks or repairs it", "wait until it is done")
    except BaseException:
        lock.close()
        raise
    return lock


def _make_sound(path: Path, *, is_suspect: bool) -> None:
    """See whether a file is sound, thoroughly where it was not closed; save what is readable where it is not."""
    salvage.complete(path)
    log_file = path.with_name(path.name + "-wal")
    was_closed = not (log_file.exists() and log_file.stat().st_size)
    if not path.exists() or not path.stat().st_size:
        return
    defect = "damage was met in it" if is_suspect else find_defect(path, is_thorough=not was_closed)
    if defect:
        report = salvage.salvage(path, _make_empty)
        log.warning("the job table %s was damaged (%s): %s", path, defect, report)


def _make_empty(path: Path) -> None:
    """Make a file with the tables of the present version, and nothing in them."""
    database = Database(make_url(url_of_file(path)), busy_timeout=0)
    try:
        with database.writing() as connection:
            migrations.migrate(connection, str(path))
    finally:
        database.close()


def find_defect(path: Path, *, is_thorough: bool) -> str:
    """What is wrong with the structure of a file; "" where nothing was found.

    It raises sqlite3.Error where the file cannot be opened at all.
    """
    is_alone = not path.with_name(path.name + "-wal").exists()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            size = connection.execute("PRAGMA page_size").fetchone()[0]
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if is_thorough:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                return "" if found == "ok" else str(found)
            if is_alone and path.stat().st_size < pages * size:
                return f"it ends after {path.stat().st_size} of {pages * size} bytes"
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                return str(error)
            raise
    return ""
