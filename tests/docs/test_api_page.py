"""docs/api.md against the server: every route and error is there, and the example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nodegraph.catalog import Catalog
from nodegraph.jobs.model import Outcome
from nodegraph.server.app import ROUTES
from nodegraph.server.http import IN_PATH, STATUS, code_of
from nodegraph.server.place import Note, leave_note
from nodegraph.settings import load_settings
from tests.nodegraph.flows import flow
from tests.nodegraph.server.conftest import Served
from tests.nodegraph.server.requests import Hand

from .pages import DOCS, blocks, first_column, sections

PAGE = sections(DOCS / "api.md")


def test_every_route_is_listed() -> None:
    routes = [each.method + " " + IN_PATH.sub(r"{\1}", each.path) for each in ROUTES]
    assert sorted(first_column(PAGE["Routes"], "route")) == sorted(routes)


def test_every_error_is_listed() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE["Errors"], re.MULTILINE)
    known = {code_of(kind): str(status) for kind, status in STATUS.items()}
    assert dict(rows) == {**known, "internal": "500"}
    assert [int(status) for _, status in rows] == sorted(int(status) for _, status in rows)


def test_the_example_runs(
    tmp_path: Path,
    definitions_cache: Path,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "definitions").symlink_to(definitions_cache / "definitions")
    monkeypatch.setenv("NODEGRAPH_PLUGINS", str(Path(__file__).parents[1] / "packs"))
    for name in ("state", "cache"):
        monkeypatch.setenv(f"NODEGRAPH_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    flow({"n": ("number", {"value": 2})}, {"n": "n.number"}, {"value": "n.value"}).save("flow.json")
    (program,) = blocks(PAGE[""], "python")
    served = Served(load_settings())
    try:
        hand = Hand(served, lambda: Outcome(state="done", seconds=1, outputs={"n": "<Number>"}))
        with leave_note(served.settings.state, Note(url=served.url, pid=1, output=tmp_path)):
            exec(compile(program, "docs/api.md", "exec"), {})
        hand.done()
    finally:
        served.stop()
    said = capsys.readouterr().out.splitlines()
    assert (said[0], said[-2:]) == ("queued", ["done", "done {'n': '<Number>'}"])
