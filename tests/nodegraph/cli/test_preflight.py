"""`nodegraph preflight`: the table, the JSON, the options, the exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph import Workflow
from nodegraph.cli.common import ExitCode

from ..blocks import write_blocks
from ..flows import flow, link
from .conftest import Cli

Save = Callable[[Workflow], str]


@pytest.fixture(autouse=True)
def plugins(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the pack whose nodes declare specs, beside the installed ones."""
    monkeypatch.setenv("NODEGRAPH_PLUGINS", str(write_blocks(tmp_path / "plugins")))


def small(size: int = 100) -> Workflow:
    return flow(
        {
            "a": ("blocks.make", {"size": size}),
            "s": ("blocks.silent", {"block": link("a.block")}),
            "k": ("blocks.kept", {"block": link("a.block")}),
        },
        {"block": "s.block"},
        {"size": {"to": ["a.size"]}},
    )


def test_the_table(cli: Cli, save: Save) -> None:
    answer = cli("preflight", save(small()), "--size", "200")
    assert answer.code == ExitCode.DONE
    assert answer.out.splitlines()[:3] == [
        "a  runs        block: block of 200",
        "s  runs        block: depends on s.block",
        "k  runs        block: block of 200",
    ]
    assert "nodes: 3 will run, 0 cached, 0 not needed\n" in answer.out
    assert "memory: at least 38 MB, most while 'a' runs\n" in answer.out
    assert "time: seconds (at least 1.5 s)\n" in answer.out
    assert "not known before the run (blocks.silent declares no spec): s\n" in answer.out
    assert not Path("output").exists()


def test_what_is_at_hand(cli: Cli, save: Save) -> None:
    name = save(small())
    assert cli("run", name).code == ExitCode.DONE
    states = {each["name"]: each["state"] for each in cli("preflight", name, "--json").json()["nodes"]}
    assert states == {"a": "cached", "s": "cached", "k": "runs"}
    again = cli("preflight", name, "--no-cache", "--up-to", "k", "--json").json()
    assert {each["name"]: each["state"] for each in again["nodes"]} == {"a": "runs", "s": "not needed", "k": "runs"}


def test_the_document(cli: Cli, save: Save, tmp_path: Path) -> None:
    (tmp_path / "models" / "block").mkdir(parents=True)
    (tmp_path / "models" / "block" / "stone.bin").write_bytes(b"12345678")
    found = cli("preflight", save(flow({"r": ("blocks.read", {"file": "stone.bin"})})), "--json").json()
    assert found["ready"] is True
    assert found["models"] == [
        {"node": "r", "file": "stone.bin", "family": "blocks", "precision": "bytes", "parameters": 8, "bytes": 8}
    ]
    assert found["nodes"][0]["outputs"] == {"block": "block of 8"}
    assert found["memory"]["peak"] == found["memory"]["baseline"] + 8
    assert found["time"]["class"] == "seconds"
    assert (found["not_known"], found["unread"], found["defects"]) == ([], [], [])


def test_defects_end_with_three(cli: Cli, save: Save) -> None:
    answer = cli("preflight", save(small(3)))
    assert answer.code == ExitCode.INVALID
    assert "  - a.size = 3: it is odd; give an even one\n" in answer.err
    assert "a  runs        block: depends on a.block" in answer.out
    found = cli("preflight", save(small()), "--set", "a.size=5", "--json")
    assert found.code == ExitCode.INVALID
    assert [(each["code"], each["node"], each["input"]) for each in found.json()["defects"]] == [
        ("refused", "a", "size")
    ]
    assert cli("preflight", save(small()), "--size", "x").out == "1 defect\n"
    assert cli("preflight", "lost.json").code == ExitCode.UNREADABLE
    assert cli("preflight", save(small()), "--sise", "2").code == ExitCode.USAGE
    assert cli("preflight").code == ExitCode.USAGE
