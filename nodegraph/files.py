"""Files: looking for them, and writing them so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is a file at `path`; no for names that the system cannot even look up."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder at `path`; no for names that the system cannot even look up."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def write_atomically(path: Path, content: bytes, *, best_effort: bool = False) -> bool:
    """Write `content` under a temporary name beside `path`, then rename it; True when it is there.

    best_effort: for caches; a folder that cannot be written is then no error.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException as error:  # an interrupt leaves nothing behind either
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        if best_effort and isinstance(error, OSError):
            return False
        raise
    return True
