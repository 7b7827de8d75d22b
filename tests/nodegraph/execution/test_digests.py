"""Remembered file digests are the digests of what the file holds now, or they are made anew."""

import hashlib
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from nodegraph.execution import digests as module
from nodegraph.execution.digests import FileChanging, FileDigests, file_identity

LATER = 10 * 10**9


def later() -> int:
    return time.time_ns() + LATER


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Counted:
    """Counts how often a file is really read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        original = module._hash

        def counting(path: Path) -> tuple[module.FileIdentity, str]:
            self.count += 1
            return original(path)

        monkeypatch.setattr(module, "_hash", counting)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"one")
    return path


@pytest.mark.parametrize("size", [0, 1, 1 << 22, (1 << 22) + 1])
def test_digests_are_those_of_the_content(size: int, tmp_path: Path) -> None:
    content = bytes(number % 251 for number in range(1000)) * (size // 1000) + b"x" * (size % 1000)
    (tmp_path / "file").write_bytes(content)
    with FileDigests(tmp_path) as digests:
        assert digests.digest(tmp_path / "file") == sha256(content)


def test_a_digest_is_remembered_across_instances(tmp_path: Path, file: Path, counted: Counted) -> None:
    with FileDigests(tmp_path, now=later) as digests:
        assert digests.digest(file) == digests.digest(file) == sha256(b"one")
    with FileDigests(tmp_path, now=later) as digests:
        assert digests.digest(file) == sha256(b"one")
        (tmp_path / "link").symlink_to(file)
        assert digests.digest(tmp_path / "link") == sha256(b"one")
        assert digests.digest(file.rename(tmp_path / "other name")) == sha256(b"one")
    assert counted.count == 2  # renaming changes ctime, and is looked at again


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path, file: Path, counted: Counted) -> None:
    changed = file.stat().st_ctime_ns
    for after, reads in ((0, 1), (10**9, 2), (-(10**9), 3), (2 * 10**9, 4), (3 * 10**9, 4)):
        with FileDigests(tmp_path, now=lambda: changed + after) as digests:  # noqa: B023
            digests.digest(file)
        assert counted.count == reads


def test_a_change_in_place_with_the_same_size_and_restored_time_is_noticed(tmp_path: Path, file: Path) -> None:
    with FileDigests(tmp_path, now=later) as digests:
        assert digests.digest(file) == sha256(b"one")
        before = file.stat()
        with file.open("r+b") as opened:
            opened.write(b"two")
        while True:  # clocks of file systems may tick slowly
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            if file.stat().st_ctime_ns != before.st_ctime_ns:
                break
        after = file.stat()
        assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
        assert digests.digest(file) == sha256(b"two")


def test_a_replaced_file_is_noticed(tmp_path: Path, file: Path) -> None:
    with FileDigests(tmp_path, now=later) as digests:
        digests.digest(file)
        new = tmp_path / "new"
        new.write_bytes(b"two")
        os.utime(new, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
        new.replace(file)
        assert digests.digest(file) == sha256(b"two")


def test_a_file_changed_while_it_is_read_is_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = hashlib.sha256
    contents = iter([b"longer", b"longest"])

    def changing() -> object:
        content = next(contents, None)
        if content is not None:
            file.write_bytes(content)
        return original()

    monkeypatch.setattr(module.hashlib, "sha256", changing)
    digest = FileDigests(None).digest(file)
    monkeypatch.undo()
    assert digest == sha256(b"longest")


def test_a_file_that_never_keeps_still_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = hashlib.sha256

    def changing() -> object:
        with file.open("ab") as opened:
            opened.write(b"more")
        return original()

    monkeypatch.setattr(module.hashlib, "sha256", changing)
    with pytest.raises(FileChanging, match="changed while it was read"):
        FileDigests(None).digest(file)


def test_missing_files_and_folders_raise(tmp_path: Path) -> None:
    with FileDigests(tmp_path) as digests:
        with pytest.raises(FileNotFoundError):
            digests.digest(tmp_path / "none")
        with pytest.raises(OSError, match="no regular file"):
            digests.digest(tmp_path)
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="no regular file"):
            digests.digest(tmp_path / "pipe")


@pytest.mark.parametrize("trouble", ["unwritable", "locked", "no database"])
def test_a_folder_that_cannot_be_used_costs_time_only(
    trouble: str, tmp_path: Path, file: Path, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    database = folder / "digests.sqlite"
    other = sqlite3.connect(":memory:")
    if trouble == "unwritable":
        folder.write_text("")
    else:
        folder.mkdir()
    if trouble == "locked":
        other.close()
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("CREATE TABLE theirs (x)")
        other.execute("BEGIN EXCLUSIVE")
    if trouble == "no database":
        database.write_bytes(b"no database" * 1000)
    second = tmp_path / "second"
    second.write_bytes(b"two")
    with closing(other), FileDigests(folder, busy_timeout=0.01, now=later) as digests:
        for _ in range(2):
            assert digests.digest(file) == sha256(b"one")
            assert digests.digest(second) == sha256(b"two")
    assert counted.count == 2  # this process remembers all the same
    assert len(caplog.records) == 1
    assert str(folder) in caplog.text


def test_identities_of_paths_and_open_files_are_the_same(file: Path) -> None:
    with file.open("rb") as opened:
        assert file_identity(opened.fileno()) == file_identity(file)


def test_huge_inode_numbers_fit_the_database() -> None:
    for number in (0, 2**63 - 1, 2**63, 2**64 - 1):
        assert -(2**63) <= module._signed(number) < 2**63
    assert len({module._signed(number) for number in (0, 2**63 - 1, 2**63, 2**64 - 1)}) == 4
