"""Saving what is readable of a damaged file, row by row, into a new one.

The damaged file is kept, whole, under another name. The new one gets its name at the very end, so that a salvage that
is interrupted is done again.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table

from .pages import Pages
from .rows import digest_of, event_of, unpacked, validate
from .schema import BATCHES, DOCUMENTS, EVENTS, JOBS, TARGETS

ATTEMPTS: Final = 20_000
"""Row numbers of a table that are tried in vain before the rest is given up."""

UNKNOWN_END: Final = 2**24
"""Where to end looking for rows when a table does not tell its last one."""

SKIPPED: Final = 100_000
"""Sequence numbers left out where the last one is unknown, so that none is given twice."""

PAGE: Final = 4096
"""Bytes of a page, by SQLite's habit."""

LARGEST_FILE: Final = 2**40
"""Bytes of a file that is not taken for damage."""

ALONGSIDE: Final = ("", "-wal")
"""The files of a database that hold its content."""

Row = dict[str, Any]


@dataclass
class Report:
    """What was saved. kept_as: the damaged file. saved: rows by table. lost: rows that could not be read, at least."""

    kept_as: Path
    saved: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    without_workflow: int = 0

    def __str__(self) -> str:
        lost = ", ".join(f"{count} {name}" for name, count in self.lost.items() if count) or "nothing"
        saved = ", ".join(f"{count} {name}" for name, count in self.saved.items())
        more = f" (the workflows of {self.without_workflow} jobs are lost)" if self.without_workflow else ""
        return f"saved {saved}{more}; lost, as far as can be told, {lost}; the damaged file is kept as {self.kept_as}"


def salvage(path: Path, make_empty: Callable[[Path], None]) -> Report:
    """Replace a damaged file by a new one with all of its rows that can be read; nobody else may use it.

    make_empty: makes a file with empty tables. Raises OSError where there is no space for copies.
    """
    copy, new = (path.with_name(f"{path.name}.{name}") for name in ("copy", "new"))
    _remove(copy, new, _finished(path))
    report = Report(next(name for name in _names(path) if not name.exists()))
    try:
        for suffix in ALONGSIDE:
            if _beside(path, suffix).exists():
                shutil.copyfile(_beside(path, suffix), _beside(copy, suffix))
        make_empty(new)
        _repair_first_page(copy, new)
        with _connected(copy) as source, _connected(new) as target:
            with contextlib.suppress(sqlite3.Error):
                source.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that all is in one file
            _Salvage(source, target, Pages(copy), report).run()
        with new.open("rb+") as file:
            os.fsync(file.fileno())
    finally:
        _remove(copy)
    new.replace(_finished(path))
    path.replace(report.kept_as)
    complete(path)
    return report


def complete(path: Path) -> None:
    """Do the last steps of a salvage, which may have been interrupted before them."""
    if not path.exists() and _finished(path).exists():
        _remove_files(_beside(path, "-shm"))
        log_file, kept_as = _beside(path, "-wal"), _names(path)
        if log_file.exists():  # of the damaged file, which has its new name already
            last = list(itertools.takewhile(Path.exists, kept_as))[-1:]
            log_file.replace(_beside(last[0], "-wal") if last else log_file.with_name(f"{log_file.name}.damaged"))
        _finished(path).replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class _Salvage:
    """From one connection to another, table by table, those first that others refer to."""

    def __init__(self, source: sqlite3.Connection, target: sqlite3.Connection, pages: Pages, report: Report) -> None:
        self._source, self._target, self._pages, self._report = source, target, pages, report
        self._documents: set[str] = set()
        self._batches: set[str] = set()
        self._jobs: set[str] = set()

    def run(self) -> None:
        """Copy everything in one transaction."""
        self._target.execute("BEGIN")
        self._copy(DOCUMENTS, self._is_document)
        self._copy(BATCHES, self._is_batch)
        self._copy(JOBS, self._is_job)
        self._copy(TARGETS, self._is_target)
        self._copy(EVENTS, self._is_event)
        self._copy_counters()
        self._target.execute("COMMIT")

    def _copy(self, table: Table, is_sound: Callable[[Row], bool]) -> None:
        saved = lost = 0
        for row in _rows(self._source, table):
            if row is None or not self._is_saved(row, table, is_sound):
                lost += 1
            else:
                saved += 1
        expected = self._expected(table)
        if lost or (expected is not None and saved < expected):
            found = sum(self._is_saved(row, table, is_sound) for row in _stray_rows(self._pages, table))
            saved, lost = saved + found, max(lost - found, 0)
        self._report.saved[table.name] = saved
        self._report.lost[table.name] = lost if expected is None else max(expected - saved, 0)

    def _is_saved(self, row: Row, table: Table, is_sound: Callable[[Row], bool]) -> bool:
        return _is_written(row, table, is_sound) and self._insert(table.name, row)

    def _insert(self, table: str, row: Row) -> bool:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        statement = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        try:
            return self._target.execute(statement, list(row.values())).rowcount == 1
        except sqlite3.IntegrityError:
            return False

    def _expected(self, table: Table) -> int | None:
        """How many rows there were, by the smallest index; None where it cannot be read either."""
        try:
            count: int = self._source.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608
        except sqlite3.Error:
            return None
        return count

    def _is_document(self, row: Row) -> bool:
        if row["content"] and digest_of(unpacked(row["content"], "")) != row["digest"]:
            return False
        self._documents.add(row["digest"])
        return True

    def _is_batch(self, row: Row) -> bool:
        self._batches.add(row["id"])
        return True

    def _is_job(self, row: Row) -> bool:
        validate(row)
        if row["workflow"] not in self._documents:
            self._documents.add(row["workflow"])
            self._insert("documents", {"digest": row["workflow"], "content": b""})
        if row["batch"] is not None and row["batch"] not in self._batches:
            self._batches.add(row["batch"])
            batch = {"id": row["batch"], "label": "", "request_digest": "", "created": row["created"]}
            self._insert("batches", batch)
        self._jobs.add(row["id"])
        return True

    def _is_target(self, row: Row) -> bool:
        return row["job"] in self._jobs and isinstance(json.loads(row["node"]) + json.loads(row["path"]), str)

    def _is_event(self, row: Row) -> bool:
        event_of(row)
        return True

    def _copy_counters(self) -> None:
        """Numbers that were given must not be given again; whether the queue is paused."""
        for name in ("jobs", "batches", "events"):
            number = "sequence" if name == "events" else "number"
            last = self._first("SELECT seq FROM sqlite_sequence WHERE name = ?", name)
            if last is None:
                last = SKIPPED + self._target.execute(f"SELECT ifnull(max({number}), 0) FROM {name}").fetchone()[0]  # noqa: S608
            self._target.execute("DELETE FROM sqlite_sequence WHERE name = ?", [name])
            self._target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [name, last])
        paused = self._first("SELECT value FROM marks WHERE name = ?", "paused") or 0
        position = self._first("SELECT value FROM marks WHERE name = ?", "position") or 0
        highest = self._target.execute("SELECT ifnull(max(position), 0) FROM jobs").fetchone()[0]
        self._target.execute("UPDATE marks SET value = ? WHERE name = 'paused'", [paused])
        self._target.execute("UPDATE marks SET value = ? WHERE name = 'position'", [max(position, highest)])
        lost = "SELECT count(*) FROM jobs WHERE workflow IN (SELECT digest FROM documents WHERE content = x'')"
        self._report.without_workflow = self._target.execute(lost).fetchone()[0]

    def _first(self, query: str, name: str) -> int | None:
        try:
            row = self._source.execute(query, [name]).fetchone()
        except sqlite3.Error:
            return None
        return row[0] if row and isinstance(row[0], int) else None


def _is_written(row: Row, table: Table, is_sound: Callable[[Row], bool]) -> bool:
    """Whether a row holds what this package writes; anything may come out of a damaged page."""
    kinds = ((value, table.columns[name].type.python_type) for name, value in row.items())
    if not all(value is None or isinstance(value, (int, float) if kind is float else kind) for value, kind in kinds):
        return False
    try:
        return is_sound(row)
    except (ValueError, TypeError, AttributeError, ArithmeticError, zlib.error):
        return False


def _rows(source: sqlite3.Connection, table: Table) -> Iterator[Row | None]:
    """The rows of a table in order, None for row numbers that cannot be read."""
    known = [column.name for column in table.columns]
    try:
        present = {row[1] for row in source.execute(f"PRAGMA table_info({table.name})")}
    except sqlite3.Error:
        yield None
        return
    names = [name for name in known if name in present]
    ends = [_end(source, table.name, which) for which in ("min", "max")]
    if ends == [0, 0]:
        return
    if ends == [None, None] or not names:
        yield None
        return
    select = f"SELECT rowid, {', '.join(names)} FROM {table.name} WHERE rowid BETWEEN ? AND ? ORDER BY rowid"  # noqa: S608
    failed = 0
    ranges = [(ends[0] or 1, ends[1] or UNKNOWN_END)]
    while ranges and failed < ATTEMPTS:
        first, last = ranges.pop()
        try:
            for rowid, *values in source.execute(select, [first, last]):
                first = rowid + 1
                yield dict(zip(names, values, strict=True))
        except (sqlite3.Error, UnicodeDecodeError, OverflowError):
            failed += 1
            if first >= last:
                yield None
                continue
            middle = (first + last) // 2
            ranges += [(middle + 1, last), (first, middle)]


def _stray_rows(pages: Pages, table: Table) -> Iterator[Row]:
    """Rows that look like a table's, wherever they lie; many of them may have been found otherwise."""
    names = [column.name for column in table.columns]
    for rowid, values in pages.rows(len(names)):
        if names[0] in ("number", "sequence") and values[0] is None:
            values[0] = rowid
        yield dict(zip(names, values, strict=True))


def _end(source: sqlite3.Connection, table: str, which: str) -> int | None:
    """The first or last row number; 0 for a table without rows, None where it cannot be read."""
    try:
        found = source.execute(f"SELECT {which}(rowid) FROM {table}").fetchone()[0]  # noqa: S608
    except sqlite3.Error:
        return None
    return found or 0


def _repair_first_page(copy: Path, new: Path) -> None:
    """Where the page that names the tables is damaged, take the one of the new file, whose tables lie alike.

    A file that was cut off is filled up with empty pages, since SQLite reads nothing of it otherwise.
    """
    pages = int.from_bytes(copy.read_bytes()[28:32]) if copy.stat().st_size >= PAGE else 0
    if copy.stat().st_size < pages * PAGE <= LARGEST_FILE:
        os.truncate(copy, pages * PAGE)
    with contextlib.suppress(sqlite3.Error), _connected(copy) as connection:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return
    _remove_files(_beside(copy, "-shm"))
    page = bytearray(new.read_bytes()[:PAGE])
    page[28:40] = bytes(12)  # neither a number of pages nor a list of free ones
    page[92:96] = bytes(4)  # so that the number of pages is taken from the size of the file
    with copy.open("rb+") as file:
        file.write(page)


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def _finished(path: Path) -> Path:
    return path.with_name(f"{path.name}.salvaged")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _names(path: Path) -> Iterator[Path]:
    return (path.with_name(f"{path.name}.damaged-{number}") for number in itertools.count(1))


def _remove(*paths: Path) -> None:
    _remove_files(*(_beside(path, suffix) for path in paths for suffix in (*ALONGSIDE, "-shm")))


def _remove_files(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
