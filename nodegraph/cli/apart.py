"""Keeping what nodes print apart from results."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def prints_apart() -> Iterator[None]:
    """What is printed while the block lasts goes to standard error, so that standard output holds results alone.

    The file descriptor itself is moved, so this covers C libraries and child processes too.
    """
    kept = _moved()
    try:
        with contextlib.redirect_stdout(sys.stderr or io.StringIO()):
            yield
    finally:
        if kept is not None:
            _flush_c()
            os.dup2(kept, 1)
            os.close(kept)


def _moved() -> int | None:
    """Let standard output lead to standard error; gives where it led, None where one of them is closed."""
    if sys.__stdout__ is None or sys.__stderr__ is None:  # its descriptor may be anybody's by now
        return None
    kept = None
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        if kept is not None:
            os.close(kept)
        return None
    return kept


def _flush_c() -> None:
    """Write what C libraries still hold back, before standard output is itself again."""
    import ctypes

    with contextlib.suppress(OSError, TypeError, AttributeError):  # there is no such library on some systems
        ctypes.CDLL(None).fflush(None)
