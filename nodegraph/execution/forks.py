"""Nodes that fork: the new process must not go on with the run as a second copy of this one."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def forks_leave() -> Iterator[None]:
    """End a process that was forked inside the block where it leaves the block; this one goes on.

    Its exit code is that of `sys.exit`, 1 after any other error, else 0. Nothing is cleaned up in it: files and the
    result store belong to this process.
    """
    here = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != here:
            _leave(_code_of(error))
        raise
    if os.getpid() != here:
        _leave(0)


def _code_of(error: BaseException) -> int:
    if not isinstance(error, SystemExit):
        return 1
    return error.code if isinstance(error.code, int) else int(error.code is not None)


def _leave(code: int) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code & 0xFF)
