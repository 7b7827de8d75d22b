"""Calling the command line in tests: in this process where possible, in folders of the test's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.cli.app import app

PACKS = Path(__file__).parents[2] / "packs"


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out, parse_constant=pytest.fail)


Cli = Callable[..., Answer]


@pytest.fixture
def environment(
    tmp_path: Path, definitions_cache: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The environment of a process that works in the test's folder and need not describe any pack."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "definitions").symlink_to(definitions_cache / "definitions")
    (tmp_path / "work").mkdir()
    for name in os.environ:
        if name.startswith("NODEGRAPH_"):
            monkeypatch.delenv(name)
    for name in ("models", "input", "state", "cache"):
        monkeypatch.setenv(f"NODEGRAPH_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("NODEGRAPH_PLUGINS", str(PACKS))
    monkeypatch.setenv("NODEGRAPH_THREADS", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path / "work")
    return dict(os.environ)


@pytest.fixture
def cli(environment: dict[str, str]) -> Cli:
    """Runs a command in this process; none may end with a traceback."""

    def call(*arguments: object, stdin: str | bytes | None = None) -> Answer:
        found = CliRunner().invoke(app, [str(each) for each in arguments], input=stdin, prog_name="nodegraph")
        if not isinstance(found.exception, SystemExit | None):
            raise found.exception
        assert "Traceback" not in found.output
        return Answer(found.exit_code, found.stdout, found.stderr)

    return call


@pytest.fixture
def save(environment: dict[str, str]) -> Callable[[Workflow], str]:
    """Writes a workflow into the working folder; gives the file's name."""

    def write(workflow: Workflow) -> str:
        workflow.save(Path("flow.json"))
        return "flow.json"

    return write
