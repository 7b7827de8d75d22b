"""SHA-256 of files, remembered while the file stays what it was."""

import errno
import hashlib
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..files import files_in, is_model_folder
from .store.database import Database, Health, reason_and_remedy

log = logging.getLogger(__name__)

CHUNK = 1 << 22
ATTEMPTS = 3
RACY_NANOSECONDS = 2 * 10**9
"""A file changed this short before it was hashed may change again without a new timestamp, so it is not remembered."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS digests (
  device INTEGER, inode INTEGER, size INTEGER, mtime INTEGER, ctime INTEGER, digest TEXT NOT NULL,
  PRIMARY KEY (device, inode)) WITHOUT ROWID
"""


class FileChanging(OSError):
    """A file was written to each time it was read."""


class FileIdentity(NamedTuple):
    """What stays the same as long as a file does: no content can change without one of these.

    device, inode: which file it is.
    size: its bytes.
    modified, changed: nanoseconds since 1970 of its content's and its inode's last change.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def file_identity(path: Path | int) -> FileIdentity:
    """Return the identity of the file at a path, links followed, or of an open file."""
    found = os.stat(path)  # noqa: PTH116 - a Path cannot stat an open file
    return FileIdentity(
        _signed(found.st_dev), _signed(found.st_ino), found.st_size, found.st_mtime_ns, found.st_ctime_ns
    )


class FileDigests:
    """SHA-256 digests of files, remembered in one SQLite file that threads and processes share.

    Where its folder cannot be used, digests are right all the same, remembered by this process only, and one warning
    says why.

    folder: where `digests.sqlite` lies; None remembers in this process only.
    now: nanoseconds since 1970.
    """

    def __init__(
        self, folder: Path | None, *, busy_timeout: float = 2.0, now: Callable[[], int] = time.time_ns
    ) -> None:
        self._folder = folder
        self._now = now
        self._here: dict[tuple[int, int], tuple[FileIdentity, str]] = {}
        self._database = (
            None if folder is None else Database(folder / "digests.sqlite", SCHEMA, busy_timeout=busy_timeout)
        )
        self._health = Health()
        self._told = False

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's content in hexadecimal, hashing it only where it is not known.

        That of a folder comes from the names and digests of its files. Raise OSError where it cannot be read,
        `FileChanging` where it does not keep still.
        """
        if is_model_folder(path):
            return _of_folder(path, {each: self.digest(each) for each in files_in(path)})
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "this is no regular file", str(path))
        identity = file_identity(path)
        known = self._recall(identity)
        if known is not None:
            return known
        identity, digest = _hash(path)
        if self._now() - _last_change(identity) >= RACY_NANOSECONDS:
            self._remember(identity, digest)
        return digest

    def known(self, path: Path) -> str | None:
        """Return the digest of a file that was hashed before and is unchanged since, or None; reads nothing of it."""
        if is_model_folder(path):
            found = {each: digest for each in files_in(path) if (digest := self.known(each)) is not None}
            return _of_folder(path, found) if len(found) == len(files_in(path)) else None
        return self._recall(file_identity(path))

    def close(self) -> None:
        """Close the database; a later use opens it again."""
        if self._database is not None:
            self._database.close()

    def __enter__(self) -> "FileDigests":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _recall(self, identity: FileIdentity) -> str | None:
        found = self._here.get(identity[:2])
        if found is not None and found[0] == identity:
            return found[1]
        query = "SELECT size, mtime, ctime, digest FROM digests WHERE device = ? AND inode = ?"
        row = self._try(lambda: self._execute(query, identity[:2]))
        if row is None or FileIdentity(*identity[:2], *row[:3]) != identity:
            return None
        digest = str(row[3])
        self._here[identity[:2]] = (identity, digest)
        return digest

    def _remember(self, identity: FileIdentity, digest: str) -> None:
        self._here[identity[:2]] = (identity, digest)
        self._try(
            lambda: self._execute("INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)", (*identity, digest))
        )

    def _execute(self, query: str, values: tuple[object, ...]) -> tuple[int, int, int, str] | None:
        if self._database is None:
            return None
        with self._database.lock:
            row: tuple[int, int, int, str] | None = self._database.connection().execute(query, values).fetchone()
        return row

    def _try(self, action: Callable[[], tuple[int, int, int, str] | None]) -> tuple[int, int, int, str] | None:
        if self._folder is None or not self._health.good:
            return None
        try:
            return action()
        except (sqlite3.Error, OSError) as error:
            self._health.failed()
            if not self._told:
                self._told = True
                reason, remedy = reason_and_remedy(error, self._folder)
                log.warning(
                    "cannot keep file digests in %s: %s (%s). %s. Until then files are hashed again by each process.",
                    self._folder, reason, getattr(error, "strerror", None) or error, remedy,
                )  # fmt: skip
            return None


def _hash(path: Path) -> tuple[FileIdentity, str]:
    """Return a file's digest and the identity that it had all the while."""
    for _ in range(ATTEMPTS):
        with path.open("rb", buffering=0) as file:
            before = file_identity(file.fileno())
            sha = hashlib.sha256()
            memory = memoryview(bytearray(min(CHUNK, before.size + 1)))
            while count := file.readinto(memory):
                sha.update(memory[:count])
            after = file_identity(file.fileno())
        if before == after == file_identity(path):
            return after, sha.hexdigest()
    raise FileChanging(f"{path} changed while it was read, {ATTEMPTS} times; wait until it is complete")


def _of_folder(folder: Path, digests: Mapping[Path, str]) -> str:
    """Return the digest of what files a folder holds."""
    lines = [f"{path.relative_to(folder).as_posix()}\0{digest}\n" for path, digest in digests.items()]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _last_change(identity: FileIdentity) -> int:
    """Return when the file last changed. On Windows, st_ctime is when it was made."""
    return identity.modified if os.name == "nt" else identity.changed


def _signed(number: int) -> int:
    """Return a 64-bit number as SQLite keeps it."""
    return (number & (2**64 - 1)) - (2**64 if number & 2**63 else 0)
