"""The command line: one file per command, nothing heavy imported before a command needs it."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The entry point of `nodegraph`."""
    # pydantic would otherwise look through every installed distribution for plugins: a tenth of a second
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # threads that wait for each other by spinning for long stand still on a busy machine: on two busy cores a picture
    # took 33 s, with this 1.3 s; on idle ones 0.43 s and 0.55 s. It says nothing where OMP_WAIT_POLICY is set.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from .app import app
    from .common import ExitCode

    try:
        app()
    except SystemExit as end:
        if end.code == ExitCode.CANCELLED:  # results are kept by now; threads that nodes started may never end
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ExitCode.CANCELLED)
        raise
