"""`nodegraph cache` on a folder that cannot be used: it says so and claims nothing."""

from __future__ import annotations

import functools
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nodegraph.cli.app import app
from nodegraph.execution import opening
from nodegraph.execution.store import DiskTier

KEY = hashlib.sha256().hexdigest()


def test_clearing_a_folder_that_another_program_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path))
    monkeypatch.setattr(opening, "DiskTier", functools.partial(DiskTier, busy_timeout=0.01))
    with DiskTier(tmp_path / "results", 10**7) as tier:
        tier.put(KEY, {"value": 1})
    index = tmp_path / "results" / "v1" / "index.sqlite"
    with closing(sqlite3.connect(index, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = CliRunner().invoke(app, ["cache", "clear"])
        other.execute("ROLLBACK")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "could not be cleared; its results are still there" in done.stderr
    done = CliRunner().invoke(app, ["cache", "clear"])
    assert (done.exit_code, done.stdout[:17]) == (0, "deleted 1 results")


@pytest.mark.parametrize("command", ["info", "clear"])
def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path / "file"))
    done = CliRunner().invoke(app, ["cache", command])
    assert done.exit_code == (1 if command == "clear" else 0)
    assert "deleted" not in done.output
    assert (tmp_path / "file").read_text() == "mine"
