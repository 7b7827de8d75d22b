"""The command line: one file per command, nothing heavy imported before a command needs it."""

from __future__ import annotations

import os


def main() -> None:
    """The entry point of `nodegraph`."""
    # pydantic would otherwise look through every installed distribution for plugins: a tenth of a second
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # threads of one operation that wait by spinning hold up each other on a busy machine: on two busy cores a picture
    # took 33 s instead of 0.9 s
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from .app import app

    app()
