"""The other commands: what they print, and what they end with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Workflow, __version__
from nodegraph.catalog import Catalog
from nodegraph.cli.common import ExitCode
from nodegraph.workflow.calls import CALLS, OPTIONS
from nodegraph.workflow.constructs import CONSTRUCTS

from ..flows import flow, link
from .conftest import Cli


def test_the_version(cli: Cli) -> None:
    assert cli("--version").out == f"{__version__}\n"


def test_help_lists_the_commands(cli: Cli) -> None:
    answer = cli("--help")
    assert answer.code == ExitCode.DONE
    for command in ("run", "validate", "nodes", "models", "cache", "schema"):
        assert f"  {command} " in answer.out
    assert cli().code == ExitCode.USAGE


def test_an_unknown_command_is_a_usage_error(cli: Cli) -> None:
    answer = cli("rnu")
    assert answer.code == ExitCode.USAGE
    assert "No such command 'rnu'" in answer.err


def test_the_exit_codes_are_what_scripts_rely_on() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "INVALID": 3,
        "UNREADABLE": 4,
        "DIFFERENT": 5,
        "CANCELLED": 130,
    }


# validate


def test_a_valid_workflow(cli: Cli) -> None:
    flow({"n": ("number", {})}).save("flow.json")
    answer = cli("validate", "flow.json")
    assert (answer.code, answer.out, answer.err) == (ExitCode.DONE, "", "flow.json: valid, 1 nodes\n")
    assert cli("validate", "flow.json", "--json").json() == {"valid": True, "nodes": 1, "defects": []}


def test_every_defect_is_told(cli: Cli) -> None:
    flow({"n": ("numbr", {}), "s": ("scaled", {"value": "x"}), "r": ("rounded", {"number": link("z.number")})}).save(
        "flow.json"
    )
    answer = cli("validate", "flow.json")
    assert (answer.code, answer.out) == (ExitCode.INVALID, "")
    assert "there is no node type 'numbr'; did you mean 'number'" in answer.err
    assert "s.value = 'x': it is a text, not float" in answer.err
    assert answer.err.endswith("flow.json: 3 defects, 3 nodes\n")
    answer = cli("validate", "flow.json", "--json")
    assert answer.code == ExitCode.INVALID
    assert [(each["code"], each["node"], each["input"]) for each in answer.json()["defects"]] == [
        ("unknown_type", "n", ""),
        ("bad_value", "s", "value"),
        ("missing_node", "r", "number"),
    ]


def test_validating_standard_input(cli: Cli) -> None:
    assert cli("validate", "-", stdin=Workflow().to_json()).err == "-: valid, 0 nodes\n"
    assert cli("validate", "-", stdin="{").code == ExitCode.UNREADABLE


def test_validating_runs_nothing(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "calls.log"))
    flow({"n": ("number", {}), "w": ("write_number", {"number": link("n.number")})}).save("flow.json")
    assert cli("validate", "flow.json").code == ExitCode.DONE
    assert not (tmp_path / "calls.log").exists()


# nodes


def test_nodes_are_listed_by_category(cli: Cli, catalog: Catalog) -> None:
    answer = cli("nodes")
    assert answer.code == ExitCode.DONE
    names = [line.split()[1] for line in answer.out.splitlines() if line.startswith("toy ")]
    assert "add" in names
    assert names == sorted(names)
    assert len(answer.out.splitlines()) == len(catalog) + len(CONSTRUCTS)
    assert [line.split()[1] for line in cli("nodes", "list", "--category", "contr").out.splitlines()] == sorted(
        [*CONSTRUCTS, *(each.id for each in catalog.values() if each.category == "control")]
    )
    assert cli("nodes", "list").out == answer.out
    only = cli("nodes", "list", "--category", "toy/bad").out
    assert {line.split()[1] for line in only.splitlines()} == {
        "blocks_undeclared",
        "expands_badly",
        "expands_for_ever",
        "fails",
        "fails_async",
        "forks",
        "leaves",
        "lies",
        "mutates",
        "offers_a_resident",
        "prints",
        "refuses",
    }


def test_all_definitions_as_json(cli: Cli, catalog: Catalog) -> None:
    found = cli("nodes", "--json")
    assert dict(Catalog.from_json(found.out)) == dict(catalog)
    assert cli("nodes", "list", "--json").out == found.out


def test_one_node(cli: Cli, catalog: Catalog) -> None:
    answer = cli("nodes", "show", "scaled")
    assert answer.out.startswith("scaled (version 1, toy, pack toy)\n  Multiply\n")
    assert "  times: int = 1\n" in answer.out
    assert "  value: float\n" in answer.out
    assert "Make a number" in cli("nodes", "show", "number").out
    assert "  value: T, computed when it is asked for\n" in cli("nodes", "show", "gate").out
    assert "  result: T, or blocked" in cli("nodes", "show", "gate").out
    assert "      the number." in cli("nodes", "show", "number").out
    assert cli("nodes", "show", "scaled", "--json").json() == catalog["scaled"].model_dump(mode="json")


@pytest.mark.parametrize("kind", CALLS)
def test_nodes_of_the_engine_are_explained(cli: Cli, kind: str) -> None:
    answer = cli("nodes", "show", kind)
    assert answer.out.startswith(f"{kind} (version 1, control, part of nodegraph)\n")
    found = cli("nodes", "show", kind, "--json").json()
    assert (
        set(found["options"]) == {"graph", *OPTIONS[kind]} == set(re.findall(r"^  (\w+):\n", answer.out, re.MULTILINE))
    )
    assert [each["name"] for each in found["own"]] == ["times", "limit"] * (kind == "repeat")


def test_an_unknown_node_names_those_like_it(cli: Cli) -> None:
    assert "did you mean 'for_each'" in cli("nodes", "show", "foreach").err
    answer = cli("nodes", "show", "scald")
    assert answer.code == ExitCode.USAGE
    assert "there is no node 'scald'; did you mean 'scaled'" in answer.err


# models


def test_models_lists_what_workflows_can_name(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "note" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"x" * 2_000_000)
    (folder / ".hidden").write_bytes(b"x")
    answer = cli("models", "--kind", "note")
    assert answer.out.split() == ["note", "2.0", "MB", "deep/a.txt"]
    assert f"note: looked for in {tmp_path / 'models' / 'note'}" in answer.err
    assert cli("models", "--kind", "note", "--json").json() == [
        {"kind": "note", "name": "deep/a.txt", "bytes": 2_000_000}
    ]
    assert "there is no kind 'nothing'; there are checkpoint, " in cli("models", "--kind", "nothing").err


def test_a_file_that_may_not_be_used_does_not_hide_the_others(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "note"
    folder.mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("x")
    (folder / "a.txt").write_text("x")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    found = cli("models", "--kind", "note", "--json")
    assert found.code == ExitCode.DONE
    assert [(each["name"], "problem" in each) for each in found.json()] == [("a.txt", False), ("link.txt", True)]
    assert "warning: the note 'link.txt' lies outside" in cli("models", "--kind", "note").err


def test_models_of_all_kinds(cli: Cli) -> None:
    answer = cli("models")
    assert answer.code == ExitCode.DONE
    for kind in ("checkpoint", "image", "note"):
        assert f"{kind}: looked for in " in answer.err


# cache and schema


def test_the_cache_is_counted_and_cleared(cli: Cli, tmp_path: Path) -> None:
    flow({"n": ("number", {})}, {"r": "n.number"}).save("flow.json")
    cli("run", "flow.json")
    found: dict[str, Any] = cli("cache", "info", "--json").json()
    assert found["folder"] == str(tmp_path / "cache" / "results")
    assert found["entries"] == 1
    assert 0 < found["bytes"] < found["budget"]
    assert "1 results" in cli("cache", "info").out
    assert cli("cache", "clear").out.startswith("deleted 1 results")
    assert cli("cache", "info", "--json").json()["entries"] == 0
    assert cli("run", "flow.json", "--json").json()["ran"] == ["n"]


def test_a_cache_that_is_switched_off(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_DISK_CACHE_BYTES", "0")
    flow({"n": ("number", {})}, {"r": "n.number"}).save("flow.json")
    for _ in range(2):
        assert cli("run", "flow.json", "--json").json()["ran"] == ["n"]
    assert cli("cache", "info", "--json").json()["entries"] == 0
    assert cli("cache", "clear").code == ExitCode.DONE


def test_the_schema_is_json(cli: Cli) -> None:
    found = cli("schema").json()
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "nodes" in found["properties"]


# as a process


def test_a_reader_that_stops_reading_ends_it_quietly(environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "nodegraph", "nodes", "--json"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_output_that_no_terminal_can_show_is_still_json(environment: dict[str, str]) -> None:
    workflow = flow({"j": ("join", {"texts": ["\u00e9 \U0001f34e"]})}, {"text": "j.text"})
    done = subprocess.run(
        [sys.executable, "-m", "nodegraph", "run", "-", "--json"],
        input=workflow.to_json().encode(),
        capture_output=True,
        check=False,
        env={**environment, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["outputs"] == {"text": "\u00e9 \U0001f34e"}


@pytest.mark.parametrize("arguments", [["run", "-"], ["nodes"], ["nodes", "show", "plain"]])
def test_texts_that_the_terminal_cannot_show(environment: dict[str, str], arguments: list[str]) -> None:
    workflow = flow({"j": ("join", {"texts": ["\u00e9 \U0001f34e"]})}, {"text": "j.text"})
    done = subprocess.run(
        [sys.executable, "-m", "nodegraph", *arguments],
        input=workflow.to_json().encode(),
        capture_output=True,
        check=False,
        env={**environment, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == (2 if "plain" in arguments else 0)
    assert b"Traceback" not in done.stderr
