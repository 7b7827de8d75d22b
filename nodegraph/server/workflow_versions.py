"""What is kept of the versions of saved workflows: one file each, in a hidden folder beside the workflows."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..files import remove_leftovers, write_atomically
from ..locking import lock
from .defects import NotWritten

FOLDER = ".versions"
KEPT = 100
"""Versions of one workflow; older ones are forgotten."""

LOCK_SECONDS = 10.0
RETRY_SECONDS = 0.01

_FILE = re.compile(r"([1-9][0-9]{0,8})\.json")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file does."""

    bytes: int
    modified: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """Of what the system says of a file."""
        return cls(found.st_size, found.st_mtime_ns)

    @property
    def saved(self) -> datetime:
        """When the file was written."""
        return datetime.fromtimestamp(self.modified / 1e9, UTC)


class Versions:
    """The versions of the workflows in a folder. A name's versions outlive its workflow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def of(self, name: str) -> dict[int, Stamp]:
        """The versions that are kept, the newest last."""
        found: dict[int, Stamp] = {}
        with contextlib.suppress(OSError), os.scandir(self._folder / name) as entries:
            for each in entries:
                match = _FILE.fullmatch(each.name)
                if match is not None and each.is_file(follow_symlinks=False):
                    found[int(match[1])] = Stamp.of(each.stat(follow_symlinks=False))
        return dict(sorted(found.items()))

    def path(self, name: str, number: int) -> Path:
        """Where a version lies."""
        return self._folder / name / f"{number}.json"

    def keep(self, name: str, number: int, content: bytes, stamp: Stamp) -> None:
        """Keep a version, and forget those that are too many."""
        path = self.path(name, number)
        write_atomically(path, content)
        os.utime(path, ns=(stamp.modified, stamp.modified))
        remove_leftovers(path)
        for old in [*self.of(name)][:-KEPT]:
            self.path(name, old).unlink(missing_ok=True)

    def move(self, name: str, to: str) -> None:
        """Put all versions of a name behind those of another one."""
        last = max(self.of(to), default=0)
        for number in self.of(name):
            target = self.path(to, last + number)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.path(name, number).replace(target)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other processes from writing meanwhile. Raises NotWritten where one does so without an end."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        until = time.monotonic() + LOCK_SECONDS
        try:
            while True:
                try:
                    lock(descriptor)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > until:
                        raise NotWritten("another program has been writing workflows for long; try again") from error
                    time.sleep(RETRY_SECONDS)
            yield
        finally:
            os.close(descriptor)
