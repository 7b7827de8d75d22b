"""`nodegraph batch`: rows and grids of a workflow of toy nodes, on a real output folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nodegraph.cli.app import app

from ...conftest import PACKS
from ..flows import flow, graph, link


@pytest.fixture
def home(tmp_path: Path, definitions_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a workflow that adds two numbers and writes a file."""
    for name in [name for name in os.environ if name.startswith("NODEGRAPH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "log"))
    monkeypatch.chdir(tmp_path)
    settings = {name: str(tmp_path / name) for name in ("models", "input", "state", "output")}
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    lines += [f"cache = {json.dumps(str(definitions_cache))}", f"plugins = [{json.dumps(str(PACKS))}]", "threads = 1"]
    (tmp_path / "nodegraph.toml").write_text("\n".join(lines))
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "one": ("number", {"value": 1}),
        "two": ("number", {"value": 2}),
        "sum": ("add", {"a": link("one.number"), "b": link("two.number")}),
        "text": ("rounded", {"number": link("sum.number")}),
        "write": ("write_text", {"text": "x", "name": "sum-{a}-{two.value}-{index}"}),
    }
    workflow = flow(nodes, {"sum": "text.value"}, {"a": {"to": ["one.value"]}, "text": {"to": ["write.text"]}})
    workflow.save(tmp_path / "flow.json")
    return tmp_path


def batch(*arguments: str, code: int = 0, stdin: str | None = None) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["batch", "flow.json", *arguments, "--json"], input=stdin)
    assert result.exit_code == code, result.output
    if code in (0, 1) and not result.stdout.startswith("{\n"):
        return [json.loads(line) for line in result.stdout.splitlines()]
    return [json.loads(result.stdout)]


def written(home: Path) -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in (home / "output").glob("*.txt"))


def test_rows_and_grid(home: Path) -> None:
    (home / "rows.csv").write_text("a,text\n1,hello\n5,\n")
    found = batch("--rows", "rows.csv", "--grid", "two.value=10,20")
    assert [each["status"] for each in found] == ["done"] * 4
    assert [each["outputs"]["sum"] for each in found] == [11, 21, 15, 25]
    assert found[0]["values"] == {"a": 1, "text": "hello", "two.value": 10}
    assert written(home) == ["sum-1.0-10.0-0", "sum-1.0-20.0-1", "sum-5.0-10.0-2", "sum-5.0-20.0-3"]
    assert [Path(each["files"][0]).read_text() for each in found] == ["hello", "hello", "x", "x"]


def test_columns_may_go_to_nodes_that_run_a_graph(home: Path) -> None:
    double = graph({"n": ("scaled", {"value": 1.0, "times": 2})}, {"x": "n.value"}, {"x": "n.value"})
    loop = {"graph": "double", "each": ["x"]}
    workflow = flow({"many": ("for_each", {}, loop)}, {"many": "many.x"}, {"items": "many.x"}, {"double": double})
    workflow.save(home / "flow.json")
    (home / "rows.csv").write_text('items\n"[1, 2]"\n[]\n')
    assert [each["outputs"]["many"] for each in batch("--rows", "rows.csv")] == [[2.0, 4.0], []]
    assert batch("--rows", "-", stdin='{"many.x": [3]}')[0]["outputs"] == {"many": [6.0]}
    assert "write it in [ ]" in batch("--grid", "items=1,2", code=3)[0]["error"]


def test_rows_from_standard_input(home: Path) -> None:
    assert [each["outputs"]["sum"] for each in batch("--rows", "-", stdin='{"a": 3}\n{"a": 4}\n')] == [5, 6]


def test_the_same_command_goes_on_where_it_stopped(home: Path) -> None:
    batch("--grid", "a=1..3")
    (log := home / "log").unlink(missing_ok=True)
    found = batch("--grid", "a=1..4")
    assert [each["status"] for each in found] == ["finished before"] * 3 + ["done"]
    assert found[0]["outputs"] == {"sum": 3}
    Path(found[1]["files"][0]).unlink()
    assert [each["status"] for each in batch("--grid", "a=1..2")] == ["finished before", "done"]
    assert [each["status"] for each in batch("--grid", "a=1..2", "--again")] == ["done", "done"]
    assert log.exists()


def test_all_runs_are_checked_before_the_first_starts(home: Path) -> None:
    (home / "rows.csv").write_text("a\n1\nmany\n2000\n")
    (document,) = batch("--rows", "rows.csv", code=3)
    assert [(each["node"], each["value"]) for each in document["defects"]] == [("one", "many"), ("one", 2000)]
    assert "rows.csv, line 3" in document["defects"][0]["reason"]
    assert not (home / "output").exists()


def test_unknown_columns_are_told_with_near_ones(home: Path) -> None:
    (document,) = batch("--grid", "txet=1", code=3)
    assert "did you mean 'text'" in document["error"]
    (document,) = batch("--grid", "one.valeu=1", code=3)
    assert "did you mean 'value'" in document["error"]


def test_a_failing_run_does_not_stop_the_others(home: Path) -> None:
    found = batch("--grid", 'write.name=["ok", "{nothing}", "fine"]', code=1)
    assert [each["status"] for each in found] == ["done", "failed", "done"]
    assert "there is no field {nothing}" in found[1]["error"]
    again = batch("--grid", 'write.name=["ok", "{nothing}", "fine"]', code=1)
    assert [each["status"] for each in again] == ["finished before", "failed", "finished before"]


@pytest.mark.parametrize(("rows", "code"), [("lost.csv", 4), ("flow.json", 1), ("binary.csv", 1)])
def test_unreadable_tables(home: Path, rows: str, code: int) -> None:
    (home / "binary.csv").write_bytes(b"\xff\xfe\x00")
    (document,) = batch("--rows", rows, code=code)
    assert rows in document["error"]
