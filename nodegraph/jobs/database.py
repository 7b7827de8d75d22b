"""Connections to the table's database: transactions of readers and writers, and what to say when they fail.

Writers take turns, on SQLite by its write lock, on PostgreSQL by an advisory lock. So sequence numbers rise in the
order of commits, and what a writer has read stands until it has written.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from .errors import (
    JobTableUnusable,
    RequestTooLarge,
    TableBusy,
    TableDamaged,
    TableFull,
    TableNotWritable,
    TableUnreachable,
)

WRITERS_LOCK: Final = 0x6E6F6465_6A6F6273
"""The advisory lock of writers on PostgreSQL: "nodejobs" in ASCII."""

CHECKPOINT_PAGES: Final = 4000
"""Pages of SQLite's log before a writer copies them into the file: 16 MB."""

LARGEST_VALUE: Final = 1_000_000_000
"""Bytes of one value, by SQLite's limit."""

_WRITE_ERRORS = ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_TRUNCATE")
_FULL_STATES = ("53100", "53400", "54000")
_READ_ONLY_STATES = ("25006", "42501")


class Database:
    """A database file or server, for all threads of a process. url: of the dialects sqlite (a file) and postgresql.

    busy_timeout: seconds to wait for other writers.
    """

    def __init__(self, url: URL, *, busy_timeout: float) -> None:
        self.where = url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string()
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._turn = threading.Lock()
        self._process = os.getpid()
        self._engine = _engine(url, busy_timeout)
        self._writer = self._engine.execution_options(writing=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises JobTableUnusable."""
        self._leave_the_parents_connections()
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; afterwards all of it is durable, or nothing is there. Raises JobTableUnusable."""
        self._leave_the_parents_connections()
        with self._turn, self._explained(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of its own, outside transactions; it is closed for good afterwards."""
        with self._explained(), self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            try:
                yield connection
            finally:
                connection.invalidate()

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._engine.dispose()

    def _leave_the_parents_connections(self) -> None:
        if self._process != os.getpid():  # after a fork
            self._engine.dispose(close=False)
            self._turn = threading.Lock()
            self._process = os.getpid()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            if isinstance(error, IntegrityError | ProgrammingError):
                raise  # a defect of this package
            raise unusable(error, self.where) from error


@contextmanager
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


def unusable(error: DBAPIError | sqlite3.Error, where: str) -> JobTableUnusable | RequestTooLarge:
    """What to say of an error of the database."""
    cause = (error.orig or error) if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_file(cause, where)
    state = getattr(cause, "sqlstate", None)
    if state in _FULL_STATES:
        return TableFull(where, "no space is left for it", "free some space on its server")
    if state in _READ_ONLY_STATES:
        return TableNotWritable(where, f"it cannot be written ({cause})", "give its user the right to write")
    if state == "55P03":
        return TableBusy(where, "another program holds a lock on it", "end that program, or try again later")
    return TableUnreachable(
        where, f"the server says: {cause}".strip(), "start or repair the server, or set another one"
    )


def damaged(where: str, defect: str) -> TableDamaged:
    """What to say of a table that holds something wrong."""
    remedy = "end all programs that use it and start again: what is readable is saved then"
    return TableDamaged(where, f"it is damaged ({defect})", remedy)


def _of_file(error: sqlite3.Error, where: str) -> JobTableUnusable | RequestTooLarge:
    code = getattr(error, "sqlite_errorcode", 0)
    name = getattr(error, "sqlite_errorname", "")
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return TableBusy(where, "another program holds a lock on it", "end that program, or try again later")
        case sqlite3.SQLITE_FULL:
            return TableFull(where, "no space is left for it", "free some space, or set another `database`")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(where, str(error))
        case sqlite3.SQLITE_TOOBIG:
            return RequestTooLarge(LARGEST_VALUE, LARGEST_VALUE)
        case sqlite3.SQLITE_IOERR if name in _WRITE_ERRORS:
            return TableFull(where, f"it could not be written ({name})", "see that its disk has space and works")
        case _:
            remedy = "make its folder writable, on a local disk, or set another `database`"
            return TableNotWritable(where, f"it cannot be opened, read or written ({error})", remedy)


def _engine(url: URL, busy_timeout: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=4, max_overflow=28, connect_args={"timeout": busy_timeout})
        event.listen(engine, "connect", _prepare_file)
        event.listen(engine, "begin", _begin_file)
        return engine
    engine = create_engine(url, pool_size=4, max_overflow=28, pool_pre_ping=True)

    def prepare(connection: Any, _record: object) -> None:  # a driver's connection has no common type
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
            cursor.execute(f"SET lock_timeout = {int(busy_timeout * 1000)}")
        connection.commit()

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_server)
    return engine


def _prepare_file(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_file` says
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_file(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _begin_server(connection: Connection) -> None:
    if connection.get_execution_options().get("writing", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
