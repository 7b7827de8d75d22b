"""A worker never outlives its supervisor, and goes first when memory is short; what the system knows of processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_FIRST_TO_GO = "500"
"""Added to the kernel's badness of the process, -1000 to 1000, so that a worker goes before the server does."""


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent, of this process id, ends; on Linux only.

    Elsewhere the closed socket does it, unless a node holds the interpreter's lock.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it could be watched
        os._exit(1)


def be_first_to_go() -> None:
    """Let the kernel choose this process when memory is short."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)


def own_memory(process: int) -> int | None:
    """Bytes that a process holds for itself: without pages of files, which the system takes back when it needs them.

    None where the system does not tell.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    sizes = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
    try:
        return sum(int(sizes[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem"))
    except (KeyError, ValueError, IndexError):
        return None


def open_files() -> tuple[int, int] | None:
    """How many files this process has open, and how many it may have; None where the system does not tell."""
    try:
        import resource

        return len(os.listdir("/proc/self/fd")), resource.getrlimit(resource.RLIMIT_NOFILE)[0]  # noqa: PTH208
    except (ImportError, OSError):
        return None


def machine_memory() -> int | None:
    """Bytes of memory that this process may have at most: of the machine, or of its control group."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found, default=None)
