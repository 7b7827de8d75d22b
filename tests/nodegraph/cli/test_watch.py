"""`nodegraph run --watch`: runs again after every change, survives half-edited files, and leaves at Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Workflow
from nodegraph.cli.common import ExitCode
from nodegraph.execution.watching import wait_for_change

from ..flows import flow, link
from ..packs import write_pack
from .conftest import PACKS, Answer, Cli

Step = Callable[[], object]
Watch = Callable[..., Answer]

PACK = """
from nodegraph import node

@node(category="test")
def grown(value: int = 0) -> int:
    "Make it larger."
    return value + 1
"""


def workflow(**values: Any) -> Workflow:
    return flow(
        {"grown": ("growing.grown", values), "s": ("scaled", {"value": link("grown.value")})},
        {"r": "s.value"},
        {"value": {"to": ["grown.value"]}},
    )


@pytest.fixture
def pack(tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The source file of a pack beside the toys."""
    path = write_pack(tmp_path / "plugins", "growing", PACK)
    monkeypatch.setenv("NODEGRAPH_PLUGINS", os.pathsep.join(map(str, [PACKS, path.parent])))
    yield path
    sys.modules.pop("nodegraph_plugins.growing", None)
    sys.modules["nodegraph_plugins"].__path__.remove(str(path.parent))


@pytest.fixture
def watch(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watches while steps are done, one whenever it waits and nothing changed since the last look; then Ctrl-C."""

    def call(*steps: Step, arguments: tuple[str, ...] = ()) -> Answer:
        waiting = iter([each for step in steps for each in (step, None)])  # after each step, it waits for more

        def pause() -> None:
            try:
                step = next(waiting)
            except StopIteration:
                raise KeyboardInterrupt from None
            if step is not None:
                step()

        monkeypatch.setattr("nodegraph.cli.watch.pause", pause)
        return cli("run", "flow.json", "--watch", *arguments)

    return call


def rewrite(path: Path, old: str, new: str) -> Step:
    def step() -> None:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return step


def test_edits_of_the_workflow_and_of_code_run_what_they_touch(watch: Watch, pack: Path) -> None:
    workflow(value=1).save("flow.json")
    answer = watch(
        lambda: workflow(value=5).save("flow.json"),
        rewrite(pack, "value + 1", "value * 2"),
        rewrite(pack, "value * 2", "value + 1"),
    )
    assert answer.code == ExitCode.DONE
    assert answer.out.splitlines() == ["r: 2.0", "r: 6.0", "r: 10.0", "r: 6.0"]
    assert [line for line in answer.err.splitlines() if "to run" in line] == [
        *["2 nodes to run, 0 results at hand"] * 3,
        "0 nodes to run, 1 results at hand",
    ]
    assert answer.err.count("watching flow.json and what it uses; Ctrl-C leaves") == 4


def test_half_edited_files_are_shown_and_watching_goes_on(watch: Watch, pack: Path) -> None:
    workflow(value=1).save("flow.json")
    answer = watch(
        rewrite(Path("flow.json"), "{", "{{"),
        rewrite(Path("flow.json"), "{{", "{"),
        rewrite(pack, "value + 1", "value +"),
        rewrite(pack, "value +\n", "value + 7\n"),
        lambda: workflow(value="x").save("flow.json"),
        Path("flow.json").unlink,
        lambda: workflow(value=2).save("flow.json"),
    )
    assert answer.code == ExitCode.DONE
    assert answer.out.splitlines() == ["r: 2.0", "r: 2.0", "r: 8.0", "r: 9.0"]
    for words in (
        "it is no valid JSON",
        "SyntaxError",
        "no node type 'growing.grown'",
        "grown.value = 'x'",
        "No such file",
    ):
        assert words in answer.err


def test_values_of_the_command_line_stay(watch: Watch, pack: Path) -> None:
    workflow(value=1).save("flow.json")
    answer = watch(
        rewrite(pack, "value + 1", "value + 2"),
        lambda: flow({"n": ("number", {})}, {"r": "n.number"}).save("flow.json"),
        lambda: workflow(value=9).save("flow.json"),
        arguments=("--value", "3", "--set", "s.times=2"),
    )
    assert answer.out.splitlines() == ["r: 8.0", "r: 10.0", "r: 10.0"], answer
    assert "there is no node 's'" in answer.err


def test_files_that_are_read_are_watched(watch: Watch, tmp_path: Path, environment: dict[str, str]) -> None:
    note = tmp_path / "models" / "note" / "a.txt"
    note.parent.mkdir(parents=True)
    flow({"n": ("read_text", {"file": "a.txt"})}, {"r": "n.text"}).save("flow.json")
    answer = watch(lambda: note.write_text("one"), lambda: note.write_text("two"), note.unlink)
    assert answer.out.splitlines() == ["r: one", "r: two"]
    assert answer.err.count("there is no note 'a.txt'") == 2


def test_one_document_per_run(watch: Watch, pack: Path) -> None:
    workflow(value=1).save("flow.json")
    answer = watch(lambda: workflow(value="x").save("flow.json"), arguments=("--json",))
    assert [line.strip() for line in answer.out.splitlines() if "status" in line] == [
        '"status": "done",',
        '"status": "invalid",',
    ]
    assert answer.err == ""


def test_standard_input_cannot_be_watched(cli: Cli) -> None:
    answer = cli("run", "-", "--watch", stdin=flow({"n": ("number", {})}).to_json())
    assert answer.code == ExitCode.USAGE
    assert "standard input cannot be watched" in answer.err


def test_a_change_counts_when_it_has_settled() -> None:
    looks = iter([1, 1, 2, 3, 4, 4, 5])
    waits: list[int] = []
    wait_for_change(1, lambda: next(looks), lambda: waits.append(0))  # type: ignore[arg-type, return-value]
    assert (len(waits), next(looks)) == (5, 5)


def test_a_change_while_it_ran_counts() -> None:
    looks = iter([2, 2])
    waits: list[int] = []
    wait_for_change(1, lambda: next(looks), lambda: waits.append(0))  # type: ignore[arg-type, return-value]
    assert len(waits) == 1
