"""Whatever commands are given, they end with a documented exit code and a message."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nodegraph.cli.common import ExitCode

from ..flows import flow
from .conftest import Cli

NAMES = ["", ".", "missing.png", "missing.json", "a\0b", "a\0b.png", "x" * 5000, "x" * 5000 + ".png", "\udcff.png"]


@pytest.fixture(autouse=True)
def files(environment: dict[str, str]) -> None:
    """A workflow, and files that are something else than their names say."""
    flow({"n": ("number", {})}, {"r": "n.number"}, {"value": {"to": ["n.value"]}}).save("flow.json")
    Path("text.png").write_text("no picture", "utf-8")
    Path("empty.png").touch()
    Path("folder.png").mkdir()
    Image.new("L", (2, 2)).save("plain.png")
    for name, recipe in (("garbage", "{"), ("list", "[]"), ("bare", "{}"), ("wrong", '{"workflow": {"format": 1}}')):
        info = PngInfo()
        info.add_text("nodegraph", recipe)
        Image.new("L", (2, 2)).save(f"{name}.png", pnginfo=info)
    Path("binary.jsonl").write_bytes(b"\xff\xfe\0")
    Path("list.jsonl").write_text("[1, 2]\n")
    Path("deep.jsonl").write_text('{"value": ' + "[" * 50_000 + "}\n")
    Path("nan.jsonl").write_text('{"value": NaN}\n{"value": 1e999}\n')
    Path("half.jsonl").write_text('{"value": "\\ud800"}\n')
    Path("ragged.csv").write_text("value,value\n1,2,3\n\n,\n")
    Path("nul.csv").write_text("value\n\0\n")
    Path("quote.csv").write_text('value\n"1\n')


def refused(cli: Cli, *arguments: str) -> None:
    for more in ([], ["--json"]):
        answer = cli(*arguments, *more)
        assert answer.code in {ExitCode.FAILED, ExitCode.USAGE, ExitCode.INVALID, ExitCode.UNREADABLE}, answer
        assert answer.err or answer.out


PICTURES = ["text.png", "empty.png", "folder.png", "plain.png", "garbage.png", "list.png", "bare.png", "wrong.png"]


@pytest.mark.parametrize("name", [*NAMES, *PICTURES])
def test_what_holds_no_recipe(cli: Cli, name: str) -> None:
    refused(cli, "reproduce", name)
    refused(cli, "diff", name, "flow.json")
    refused(cli, "diff", "flow.json", name)


@pytest.mark.parametrize(
    "name",
    [
        *NAMES,
        "binary.jsonl",
        "list.jsonl",
        "deep.jsonl",
        "nan.jsonl",
        "half.jsonl",
        "ragged.csv",
        "nul.csv",
        "quote.csv",
    ],
)
def test_what_is_no_table(cli: Cli, name: str) -> None:
    refused(cli, "batch", "flow.json", "--rows", name)


def test_a_table_that_is_missing_is_unreadable(cli: Cli) -> None:
    answer = cli("batch", "flow.json", "--rows", "missing.jsonl")
    assert answer.code == ExitCode.UNREADABLE
    assert "missing.jsonl: cannot be read: No such file or directory" in answer.err


@pytest.mark.parametrize(
    "axis",
    ["", "=", "value", "value=", "=1", "value=1..", "value=1..x", "value=5..1..0", "value=1..99999999999", "valu=1,2", "value=NaN",
     "value=x,y", "n.valu=1", "value=\ud800", "value=\0", "value=9" + "9" * 5000],
)  # fmt: skip
def test_what_is_no_axis(cli: Cli, axis: str) -> None:
    refused(cli, "batch", "flow.json", "--grid", axis)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nodes", "show", "\udcff"],
        ["nodes", "show", ""],
        ["nodes", "show", "x" * 5000],
        ["models", "--nothing"],
        ["cache", "nothing"],
        ["schema", "extra"],
        ["validate"],
        ["batch"],
        ["diff", "flow.json"],
        ["reproduce"],
        ["run", "flow.json", "--set", "n.value=\ud800"],
        ["run", "flow.json", "--up-to", "\ud800"],
        ["run", "flow.json", "--value", "\ud800"],
        ["run", "flow.json", "--\ud800", "1"],
    ],
)
def test_arguments_that_mean_nothing(cli: Cli, arguments: list[str]) -> None:
    assert cli(*arguments).code in {ExitCode.USAGE, ExitCode.INVALID}


@pytest.mark.parametrize("command", ["run", "validate", "convert"])
def test_no_more_is_read_than_a_workflow_may_have(cli: Cli, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodegraph.workflow.model.MAX_FILE_BYTES", 1000)
    with Path("huge.json").open("wb") as file:
        file.truncate(2**30)
    for name in ("huge.json", "/dev/zero"):
        answer = cli(command, name)
        assert answer.code == ExitCode.UNREADABLE
        assert f"nodegraph: {name}: " in answer.err
        assert "1,000" in answer.err
    answer = cli(command, "-", stdin=b" " * 1001)
    assert answer.code == ExitCode.UNREADABLE
    assert "standard input: it goes on after 1,000 bytes, the most of a workflow" in answer.err


def test_standard_input_that_never_ends(environment: dict[str, str]) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        command = [sys.executable, "-m", "nodegraph", "run", "-"]
        done = subprocess.run(command, stdin=zeros, capture_output=True, env=environment, timeout=60, check=False)
    assert done.returncode == ExitCode.UNREADABLE
    assert b"standard input: it goes on after 67,108,864 bytes" in done.stderr


def test_tables_are_bounded(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodegraph.execution.batch.MAX_TABLE_BYTES", 1000)
    answer = cli("batch", "flow.json", "--rows", "/dev/zero")
    assert answer.code == ExitCode.FAILED
    assert "/dev/zero: it has more than 1,000 bytes; divide it into several tables" in answer.err


@pytest.mark.parametrize("depth", [150, 300, 700, 950, 2000, 10_000, 100_000])
@pytest.mark.parametrize("place", ['"layout": {"a": %s}', '"nodes": {"n": {"type": "first", "inputs": {"items": %s}}}'])
def test_deep_nesting_ends_with_a_message(cli: Cli, depth: int, place: str) -> None:
    text = "[" * depth + "]" * depth
    Path("deep.json").write_text('{"format": "nodegraph/1", ' + place % text + "}", "utf-8")
    for command in (["run"], ["validate"], ["convert"], ["diff", "flow.json"], ["batch"]):
        assert cli(*command, "deep.json").code in set(ExitCode)
    if depth >= 2000:
        answer = cli("run", "deep.json", "--json")
        assert answer.code == ExitCode.UNREADABLE
        assert answer.json()["error"] == "deep.json: it is nested too deeply to be a workflow"
    assert cli("run", "flow.json", "--value", text).code == ExitCode.INVALID


@pytest.mark.parametrize("kind", ["../..", "/", "nots", "a\0b", "x" * 5000, "\udcff", "."])
def test_kinds_of_files_that_there_are_not(cli: Cli, kind: str) -> None:
    answer = cli("models", "--kind", kind)
    assert answer.code == ExitCode.USAGE
    assert "there is no kind" in answer.err
    assert "there are checkpoint, " in answer.err


@pytest.mark.parametrize("place", ["output", "cache", "models", "input", "state", "plugins"])
@pytest.mark.parametrize("value", ["file", "x" * 5000, "/proc/nowhere"])
def test_folders_that_cannot_be(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, place: str, value: str, definitions: Callable[[], None]
) -> None:
    Path("file").write_text("a file where a folder should be")
    if place == "cache":
        definitions()
    monkeypatch.setenv(f"NODEGRAPH_{place.upper()}", value)
    for command in (["run", "flow.json"], ["models"], ["nodes", "list"], ["cache", "info"], ["cache", "clear"]):
        assert cli(*command).code in set(ExitCode)


@pytest.fixture
def definitions(monkeypatch: pytest.MonkeyPatch, catalog: object) -> Callable[[], None]:
    """Hands out the known definitions, for tests in which no folder can hold them."""
    return lambda: monkeypatch.setattr("nodegraph.catalog.load_catalog", lambda settings: catalog)
