"""The disk tier's index: which results there are, their checksums and last uses, and the small results themselves."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .database import Database

OVERHEAD = 256
"""Bytes that an entry costs in the index beside its payload."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entries (
  key TEXT PRIMARY KEY NOT NULL, checksum BLOB NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL, payload BLOB)
;;
CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used)
;;
CREATE TABLE IF NOT EXISTS total (
  one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER, bytes INTEGER, swept INTEGER)
;;
INSERT OR IGNORE INTO total VALUES (1, 0, 0, 0)
;;
CREATE TRIGGER IF NOT EXISTS entry_added AFTER INSERT ON entries BEGIN
  UPDATE total SET entries = entries + 1, bytes = bytes + NEW.size + {OVERHEAD}; END
;;
CREATE TRIGGER IF NOT EXISTS entry_removed AFTER DELETE ON entries BEGIN
  UPDATE total SET entries = entries - 1, bytes = bytes - OLD.size - {OVERHEAD}; END
;;
CREATE TRIGGER IF NOT EXISTS entry_replaced AFTER UPDATE OF size ON entries BEGIN
  UPDATE total SET bytes = bytes + NEW.size - OLD.size; END
"""  # noqa: S608 - the number above is ours

UPSERT = """
INSERT INTO entries (key, checksum, size, used, payload) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
  checksum = excluded.checksum, size = excluded.size, used = excluded.used, payload = excluded.payload
"""
EVICTED_AT_ONCE = 64
DAY = 24 * 3600 * 10**9


@dataclass(frozen=True)
class Row:
    """One entry. payload: the bytes of a small result; None where the result is a file."""

    key: str
    checksum: bytes
    size: int
    used: int
    payload: bytes | None


class Index:
    """The entries of one folder."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.database = Database(path, SCHEMA, busy_timeout=busy_timeout)

    def row(self, key: str) -> Row | None:
        """Return an entry; its fields are as they lie there, checked by whoever compares the checksum."""
        with self.database.lock:
            found = self.database.connection().execute("SELECT * FROM entries WHERE key = ?", (key,)).fetchone()
        return None if found is None else Row(*found)

    def contained(self, keys: Collection[str]) -> set[str]:
        """Return which keys are there, by one query."""
        with self.database.lock:
            return contained(self.database.connection(), keys)

    def totals(self) -> tuple[int, int]:
        """Return the number of entries and their bytes."""
        with self.database.lock:
            entries, size = self.database.connection().execute("SELECT entries, bytes FROM total").fetchone()
        return entries, size


def contained(connection: sqlite3.Connection, keys: Collection[str]) -> set[str]:
    """Return which keys are there, by one query."""
    query = "SELECT key FROM entries WHERE key IN (SELECT value FROM json_each(?))"
    return {key for (key,) in connection.execute(query, (json.dumps(list(keys)),)).fetchall()}


def write(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Add or replace entries."""
    connection.executemany(UPSERT, [(row.key, row.checksum, row.size, row.used, row.payload) for row in rows])


def touch(connection: sqlite3.Connection, used: Mapping[str, int]) -> None:
    """Note when entries were last used."""
    rows = [(moment, key) for key, moment in used.items()]
    connection.executemany("UPDATE entries SET used = max(used, ?) WHERE key = ?", rows)


def remove_if(connection: sqlite3.Connection, row: Row) -> bool:
    """Remove an entry unless another process has replaced it meanwhile; return whether it went."""
    query = "DELETE FROM entries WHERE key = ? AND checksum IS ?"
    return connection.execute(query, (row.key, row.checksum)).rowcount > 0


def remove_oldest(connection: sqlite3.Connection, budget: int) -> tuple[int, list[str]]:
    """Remove least recently used entries until the rest fits the budget; return how many, and whose files are to go."""
    count = 0
    files: list[str] = []
    while connection.execute("SELECT bytes FROM total").fetchone()[0] > budget:
        query = "SELECT key, size, payload IS NULL FROM entries ORDER BY used, rowid LIMIT ?"
        oldest = connection.execute(query, (EVICTED_AT_ONCE,)).fetchall()
        if not oldest:
            break
        excess = connection.execute("SELECT bytes FROM total").fetchone()[0] - budget
        for key, size, is_file in oldest:
            connection.execute("DELETE FROM entries WHERE key = ?", (key,))
            count += 1
            files += [key] if is_file else []
            excess -= size + OVERHEAD
            if excess <= 0:
                break
    return count, files


def is_sweep_due(connection: sqlite3.Connection, now: int) -> bool:
    """Return whether nobody has looked for stray files for a day; who is told so does it."""
    query = "UPDATE total SET swept = ? WHERE swept NOT BETWEEN ? AND ?"
    return connection.execute(query, (now, now - DAY, now)).rowcount > 0


def keys_of_files(connection: sqlite3.Connection) -> set[str]:
    """Return the keys whose results are files."""
    return {key for (key,) in connection.execute("SELECT key FROM entries WHERE payload IS NULL")}
