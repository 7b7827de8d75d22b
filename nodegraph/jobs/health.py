"""Whether a worker is fit for the next job."""

from __future__ import annotations

import sys
import threading

from .lifelines import open_files
from .model import Outcome

MOST_THREADS = 300
FILES_SHARE = 0.8
"""Of the files that a process may have open."""


def sickness(outcome: Outcome, device: str) -> str:
    """Why a worker had better be replaced after a job, "" where it is well.

    After a failure the accelerator is tried: a context in which a kernel failed fails for ever.
    """
    if outcome.state == "failed" and device != "cpu" and (reason := _broken_device(device)):
        return reason
    if (count := threading.active_count()) > MOST_THREADS:
        return f"{count} threads are left running"
    files = open_files()
    if files is not None and files[0] > FILES_SHARE * files[1]:
        return f"{files[0]} files are left open, of at most {files[1]}"
    return ""


def _broken_device(device: str) -> str:
    torch = sys.modules.get("torch")
    if torch is None:
        return ""
    try:
        assert float((torch.ones(2, device=device) * 2).sum()) == 4.0, "it computes wrongly"
    except (RuntimeError, AssertionError) as error:
        return f"{device} does not work any more: {error}"
    return ""
