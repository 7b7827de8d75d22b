"""docs/cli.md against the commands: every option and exit code is there, and every example does what it shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from pydantic import JsonValue
from typer.testing import CliRunner

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.cli.app import app
from nodegraph.cli.common import ExitCode
from nodegraph.client import Client
from nodegraph.execution.resolve import FileResolver
from nodegraph.settings import Settings

from .pages import DOCS, ROOT, blocks, first_column, sections

PAGE = sections(DOCS / "cli.md")
EXAMPLES = [
    (section, each)
    for section, text in PAGE.items()
    for block in blocks(text, "console")
    for each in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]
WITH_SERVER = ("nodegraph submit", "nodegraph jobs")
"""Beginnings of sections whose examples ask a server."""


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """All commands by what is typed for them."""
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app), "nodegraph"))


def options(command: click.Command) -> set[str]:
    """What may be typed after a command, but --help."""
    found = {
        name
        for each in command.params
        if each.param_type_name == "option"
        for name in [*each.opts, *each.secondary_opts]
    }
    return found - {"--help"}


def test_every_command_has_a_section() -> None:
    assert [name for name in PAGE if name.startswith("nodegraph")] == [name for name in PAGE if name in COMMANDS]
    assert set(COMMANDS) - {"nodegraph"} <= set(PAGE)


WITH_INPUTS = ("nodegraph run", "nodegraph preflight", "nodegraph submit")
"""Commands whose options are known when they have read a workflow."""


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in WITH_INPUTS])
def test_every_option_is_in_its_section(name: str) -> None:
    text = PAGE["" if name == "nodegraph" else name]
    assert set(first_column(text, "option")) == options(COMMANDS[name])


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("name", WITH_INPUTS)
def test_every_option_beside_the_inputs_is_in_its_section(name: str) -> None:
    done = CliRunner().invoke(app, [name.split()[1], "-", "--help"], input='{"format": "nodegraph/1"}')
    found = re.findall(r"^  (--[\w-]+)", done.output, re.MULTILINE)
    assert set(first_column(PAGE[name], "option")) == {*found} - {"--help"}


def test_every_exit_code_is_listed() -> None:
    rows = re.findall(r"^\| `(\d+)` \| `(\w+)` \|", PAGE["Exit codes"], re.MULTILINE)
    assert rows == [(str(each.value), each.name.lower()) for each in ExitCode]


def test_every_setting_is_listed() -> None:
    assert first_column(PAGE["Settings"], "setting") == list(Settings.model_fields)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path, catalog: Catalog) -> Path:
    """A working folder with what the examples name; a tiny model stands for the bundled one."""
    from tests.nodes.tiny import tiny_weights, write_checkpoint

    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(ROOT / "workflows", folder / "workflows", ignore=lambda *_: ["training"])
    shutil.copytree(definitions_cache, folder / "cache")
    text = (folder / "workflows" / "text_to_image.json").read_text("utf-8")
    broken = text.replace('"scale": 4.0', '"scal": 4.0').replace("guidance.guider", "guidance.guide")
    (folder / "broken.json").write_text(broken, "utf-8")
    write_checkpoint(folder / "tiny.safetensors", *tiny_weights())
    return folder


@pytest.fixture
def place(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The process works in that folder, with settings that point into it."""
    for name in ("models", "input", "state", "cache", "plugins"):
        monkeypatch.setenv(f"NODEGRAPH_{name.upper()}", str(made / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(made))
    monkeypatch.setenv("NODEGRAPH_THREADS", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(FileResolver, "_bundled", lambda *_: made / "tiny.safetensors")
    monkeypatch.chdir(made)
    return made


@pytest.fixture(scope="module")
def server(made: Path) -> Iterator[str]:
    """The address of a server for the examples, with a real worker."""
    folders = {
        f"NODEGRAPH_{name.upper()}": str(made / name) for name in ("models", "input", "state", "cache", "plugins")
    }
    environment = {**os.environ, **folders, "XDG_CONFIG_HOME": str(made), "NODEGRAPH_THREADS": "1"}
    command = [sys.executable, "-m", "nodegraph", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=made, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["url"]
    process.terminate()
    assert process.wait(60) == 0
    process.stdout.close()


@pytest.fixture
def jobs(place: Path, server: str) -> Iterator[dict[str, str]]:
    """Ids of a job that is done and of one that is paused."""
    workflow = Workflow.load(place / "workflows" / "text_to_image.json")
    inputs: dict[str, JsonValue] = {"prompt": "a blue car", "steps": 4, "seed": 7}
    with Client(server) as client:
        client.resume_queue()
        done = client.wait(client.submit(workflow, inputs).id)
        assert done.state == "done", done.error
        client.pause_queue()
        paused = client.pause(client.submit(workflow, inputs).id)
        client.resume_queue()
        yield {"$JOB": done.id, "$PAUSED": paused.id}
        if client.job(paused.id).state == "paused":
            client.cancel(paused.id)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("section", "example"), EXAMPLES, ids=[each.splitlines()[0] for _, each in EXAMPLES])
def test_examples_do_what_they_show(section: str, example: str, request: pytest.FixtureRequest) -> None:
    line, *expected = example.splitlines()
    typed, _, comment = line.partition("    # exit code ")
    program, *arguments = shlex.split(typed)
    assert program == "nodegraph"
    names: dict[str, str] = request.getfixturevalue("jobs") if section.startswith(WITH_SERVER) else {}
    done = CliRunner().invoke(app, [names.get(each, each) for each in arguments])
    assert done.exit_code == int(comment or "0"), done.output
    streams = [done.stdout.splitlines(), done.stderr.splitlines()]
    for shown in expected:
        pattern = re.escape(shown).replace("…", ".*")
        assert any(skip_to(lines, pattern) for lines in streams), f"{shown!r} does not follow in\n{done.output}"


def skip_to(lines: list[str], pattern: str) -> bool:
    """Drop lines up to the first that matches; leave them all where none does."""
    at = next((index for index, each in enumerate(lines) if re.fullmatch(pattern, each)), None)
    if at is not None:
        del lines[: at + 1]
    return at is not None
