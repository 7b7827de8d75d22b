"""Writing files whole: whatever interrupts it, the old content stays and nothing else is left."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nodegraph.files import remove_leftovers, replacing, replacing_folder, write_atomically


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), SystemExit()], ids=repr)
@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_an_interrupted_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old", "utf-8")

    def interrupted(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, step, interrupted)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_only_a_cache_may_fail_for_want_of_room_but_not_for_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    assert write_atomically(tmp_path / "file" / "cache", b"", best_effort=True) is False

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "other", b"", best_effort=True)


ERRORS = [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), SystemExit()]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_file_in_pieces_is_whole_or_the_old_one(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    for content in ("old", "new"):
        with replacing(path) as file:
            for letter in content:
                file.write(letter.encode())
        assert path.read_text("utf-8") == content
    with pytest.raises(type(error)), replacing(path) as file:
        file.write(b"half")
        raise error
    assert path.read_text("utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def fill(folder: Path, content: str) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "b").write_text(content, "utf-8")


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_folder_is_whole_or_the_old_one(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "folder"
    for content in ("old", "new"):
        with replacing_folder(path) as made:
            fill(made, content)
        assert (path / "a" / "b").read_text("utf-8") == content
    with pytest.raises(type(error)), replacing_folder(path) as made:
        fill(made, "half")
        raise error
    assert (path / "a" / "b").read_text("utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_folder_comes_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    fill(path, "old")
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(errno.ENOSPC, "full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="full"), replacing_folder(path) as made:
        fill(made, "new")
    assert (path / "a" / "b").read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import os, sys
from pathlib import Path
from nodegraph.files import replacing, replacing_folder

path = Path(sys.argv[2])
if sys.argv[1] == "file":
    with replacing(path) as file:
        file.write(b"half")
        file.flush()
        print("writing", flush=True)
        sys.stdin.read()
else:
    with replacing_folder(path) as made:
        (made / "a").write_text("half", "utf-8")
        print("writing", flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_writer_left_is_removed_and_a_living_one_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.bin"
    others = [tmp_path / name for name in (".model.bin-old", ".model.bin.x-abcd1234", "model.bin-abcd1234")]
    for other in others:
        other.write_text("other")
    command = [sys.executable, "-c", WRITER, kind, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        assert remove_leftovers(path) == 0
        assert len(list(tmp_path.iterdir())) == len(others) + 1
        writer.kill()
    assert remove_leftovers(path) == 1
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_leftovers_of_a_folder_that_cannot_be_listed_are_none(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "nowhere" / "file") == 0


@pytest.mark.parametrize("there", [True, False])
def test_an_old_folder_that_a_killed_writer_had_moved_aside_comes_back(tmp_path: Path, there: bool) -> None:
    path, aside = tmp_path / "folder", tmp_path / ".folder-abcd1234"
    for name in ("old", "new"):
        (aside / name).mkdir(parents=True)
        (aside / name / "a").write_text(name, "utf-8")
    if there:
        (aside / "new").rename(path)
    assert remove_leftovers(path) == 1
    assert (path / "a").read_text("utf-8") == ("new" if there else "old")
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_that_was_taken_for_a_leftover_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, make = tmp_path / "file", tempfile.mkstemp
    removed: list[int] = []

    def make_and_lose(**where: Any) -> tuple[int, str]:
        made = make(**where)
        if not removed:
            removed.append(remove_leftovers(path))
        return made

    monkeypatch.setattr(tempfile, "mkstemp", make_and_lose)
    write_atomically(path, b"new")
    assert removed == [1]
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_on_disk_before_it_has_its_name_unless_it_is_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        sync(descriptor)
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else f"{os.fstat(descriptor).st_size} bytes")

    def renamed(self: Path, target: Path) -> Path:
        done.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_atomically(tmp_path / "file", b"new")
    assert done == ["3 bytes", "name", "folder"]
    done.clear()
    assert write_atomically(tmp_path / "file", b"newer", best_effort=True)
    assert done == ["name"]
    done.clear()
    with replacing_folder(tmp_path / "folder") as made:
        fill(made, "content")
    assert done == ["folder", "7 bytes", "folder", "folder"]
