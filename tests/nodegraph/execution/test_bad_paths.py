"""File names in workflows: nothing outside the folders of a kind is reached, whatever is written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph import InvalidWorkflow
from nodegraph.errors import FileMissing, FileNotAllowed, FileNotImported, NodegraphError
from nodegraph.execution.resolve import FileResolver
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings

from ..flows import flow

Calls = Callable[[], list[str]]


@pytest.fixture
def note(settings: Settings) -> Path:
    """The folder of notes, a note in it, and a secret beside it."""
    folder = settings.models / "note"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "own.txt").write_text("own", "utf-8")
    (settings.models / "secret.txt").write_text("secret", "utf-8")
    return folder


OUTSIDE = ["../secret.txt", "deep/../../secret.txt", "/etc/passwd", "//etc/passwd", "../missing.txt", "/missing"]
NOWHERE = ["missing.txt", "", ".", "deep", "nul\0", "x" * 5_000, "a/" * 3_000, "~/x", "$HOME/x", "file:///etc/passwd",
           "\ud800", "bundled:", "bundled:../../secret.txt"]  # fmt: skip


@pytest.mark.usefixtures("note")
@pytest.mark.parametrize("name", [*OUTSIDE, *NOWHERE], ids=lambda name: ascii(name)[:30])
def test_names_that_stand_for_no_file(settings: Settings, name: str) -> None:
    with pytest.raises(FileNotAllowed if name in OUTSIDE else FileMissing) as caught:
        FileResolver(settings, {}).resolve("note", name)
    assert len(str(caught.value)) < 400
    assert ("folder" if not name.startswith("bundled:") else "no pack brings") in str(caught.value)


def test_an_absolute_path_into_the_folder_is_refused_too(settings: Settings, note: Path) -> None:
    with pytest.raises(FileNotAllowed):
        FileResolver(settings, {}).resolve("note", str(note / "deep" / "own.txt"))


def test_links_may_not_lead_out(settings: Settings, note: Path) -> None:
    files = FileResolver(settings, {})
    (note / "in.txt").symlink_to(note / "deep" / "own.txt")
    (note / "out.txt").symlink_to(settings.models / "secret.txt")
    (note / "folder").symlink_to(settings.models)
    (note / "round.txt").symlink_to(note / "round.txt")
    assert files.resolve("note", "in.txt") == (note / "deep" / "own.txt").resolve()
    for name in ("out.txt", "folder/secret.txt"):
        with pytest.raises(FileNotAllowed, match="lies outside"):
            files.resolve("note", name)
    with pytest.raises(FileMissing):
        files.resolve("note", "round.txt")


@pytest.mark.usefixtures("note")
@pytest.mark.parametrize("name", [*OUTSIDE, *NOWHERE, "..\\secret.txt", "C:\\secret.txt", "C:/secret.txt"],
                         ids=lambda name: ascii(name)[:30])  # fmt: skip
def test_a_run_refuses_them_before_anything_runs(runner: Runner, calls: Calls, name: str) -> None:
    with pytest.raises(InvalidWorkflow) as caught:
        runner.run(flow({"ok": ("number", {}), "text": ("read_text", {"file": name})}))
    [defect] = caught.value.defects
    assert (defect.node, defect.input) == ("text", "file")
    assert defect.code in ("bad_value", "missing_file")
    assert calls() == []


def test_a_link_out_of_the_folder_is_a_defect(runner: Runner, settings: Settings, note: Path) -> None:
    (note / "out.txt").symlink_to(settings.models / "secret.txt")
    with pytest.raises(InvalidWorkflow) as caught:
        runner.run(flow({"text": ("read_text", {"file": "out.txt"})}))
    assert [each.code for each in caught.value.defects] == ["file_not_allowed"]


def test_a_file_that_cannot_be_read_is_named(runner: Runner, note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(runner.digests, "digest", refuse)
    with pytest.raises(FileMissing, match=r"the note 'deep/own\.txt' cannot be read: Permission denied"):
        runner.run(flow({"text": ("read_text", {"file": "deep/own.txt"})}))


def test_a_picture_from_anywhere_is_copied_once(runner: Runner, settings: Settings, tmp_path: Path) -> None:
    picture = tmp_path / f"{'long' * 60}.png"
    picture.write_bytes(b"pixels")
    name = runner.import_file("image", picture)
    assert name.endswith("long.png")
    assert runner.files.resolve("image", name).read_bytes() == b"pixels"
    assert runner.import_file("image", picture) == name
    assert runner.import_file("image", settings.input / name) == name
    assert [each.name for each in settings.input.iterdir()] == [name]


@pytest.mark.parametrize("step", ["mkdir", "replace"])
def test_a_picture_that_cannot_be_copied_leaves_nothing(
    runner: Runner, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"pixels")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, step, full)
        with pytest.raises(FileNotImported, match=r"a\.png could not be copied .*No space left on device; free some"):
            runner.import_file("image", picture)
    assert not settings.input.exists() or list(settings.input.iterdir()) == []


@pytest.mark.parametrize("name", ["missing.png", "x" * 5_000, ""], ids=["missing", "long", "empty"])
def test_importing_what_is_not_there(runner: Runner, name: str) -> None:
    with pytest.raises(NodegraphError, match="there is no file"):
        runner.import_file("image", Path(name))
