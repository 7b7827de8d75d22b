"""Opening files inside a folder and nowhere else, whatever links lie there."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_inside(folder: Path, path: Path) -> BinaryIO | None:
    """A plain file below a folder, open for reading; None where there is none, also where a link leaves the folder."""
    try:
        root, real = folder.resolve(strict=True), path.resolve(strict=True)
        if not real.is_relative_to(root):
            return None
        descriptor = os.open(real, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError, RuntimeError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")
