"""Writing files whole: whatever interrupts it, the old content stays and nothing else is left."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from nodegraph.files import replacing, replacing_folder, write_atomically


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
