"""Locks on files and folders that say that their writer lives: they end with the process, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":

    def lock(descriptor: int) -> bool:
        """Windows refuses to remove a file that is open, which does as well as a lock."""
        return False

    def is_locked(path: Path) -> bool:
        """Never: removing an open file fails instead."""
        return False

    @contextlib.contextmanager
    def holding(path: Path, *, surely: bool = False) -> Iterator[bool]:
        """Whether `path` is there, and is a file where that must be sure; nothing is locked."""
        yield path.is_file() if surely else path.exists()

else:
    import fcntl

    def lock(descriptor: int) -> bool:
        """Lock an open file until it is closed; False where the file system has no locks.

        Raises BlockingIOError where somebody else holds it.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK):
                raise
            return False
        return True

    def is_locked(path: Path) -> bool:
        """Whether a living process holds a file. Raises OSError where that cannot be told."""
        with path.open("rb") as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextlib.contextmanager
    def holding(path: Path, *, surely: bool = False) -> Iterator[bool]:
        """Hold a file or folder meanwhile; False where it is gone or somebody else holds it.

        surely: False also where the file system has no locks, so that nobody can know.
        """
        with contextlib.ExitStack() as stack:
            yield _hold(path, stack, surely)

    def _hold(path: Path, stack: contextlib.ExitStack, surely: bool) -> bool:
        try:
            descriptor = os.open(path, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            locked = lock(descriptor)
            there = os.path.samestat(os.fstat(descriptor), path.stat())  # not removed while it was being locked
        except (FileNotFoundError, BlockingIOError):
            return False
        return there and (locked or not surely)
