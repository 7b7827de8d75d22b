"""A real PostgreSQL server for slow tests, on a Unix socket, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

INSTALLED = Path("/usr/lib/postgresql")


def _program(name: str) -> str:
    found = sorted(INSTALLED.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        pytest.skip("PostgreSQL is not installed")
    return program


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a server's database "postgres"; the server ends with the block. It refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = pwd.getpwuid(os.getuid()).pw_name
    if user == "root":
        user = "postgres"
        shutil.chown(folder, user)
    as_user = {"user": user, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL} if os.getuid() == 0 else {}
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off"
    try:
        subprocess.run(
            [_program("initdb"), "-D", folder / "data", "-U", "owner", "-A", "trust", "-E", "UTF8"], **as_user
        )
        control = [_program("pg_ctl"), "-D", folder / "data", "-w", "-l", folder / "log"]
        subprocess.run([*control, "-o", options, "start"], **as_user)
        try:
            yield f"postgresql://owner@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **as_user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
