"""Folders that cannot be used: the run goes on without the disk tier, and one warning says why."""

import errno
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nodegraph.execution.store import DiskTier

LARGE = {"value": "x" * 100_000}
SMALL = {"value": 1}


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def assert_goes_on_without(tier: DiskTier, folder: Path, caplog: pytest.LogCaptureFixture, *said: str) -> None:
    for _ in range(2):
        assert not tier.put(key(1), LARGE)
        assert not (tier.put(key(2), SMALL) and tier.flush())
        assert tier.get(key(1)) is None
        assert tier.get(key(2)) is None
        assert tier.contains_many([key(1), key(2)]) == set()
        tier.flush()
    assert not tier.info().usable
    assert tier.info().entries == 0
    tier.close()
    assert len(caplog.records) == 1
    for text in (str(folder), *said, "memory only"):
        assert text in caplog.text


def test_a_folder_that_cannot_be_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "cache"
    assert_goes_on_without(DiskTier(folder, 10**7), folder, caplog, "cannot be read and written", "writable folder")


def test_a_folder_that_is_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    assert_goes_on_without(DiskTier(tmp_path / "file", 10**7), tmp_path / "file", caplog, "writable folder")


def test_a_folder_locked_by_another_program(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "v1").mkdir()
    with closing(sqlite3.connect(tmp_path / "v1" / "index.sqlite", isolation_level=None)) as other:
        other.execute("CREATE TABLE theirs (x)")
        other.execute("BEGIN EXCLUSIVE")
        tier = DiskTier(tmp_path, 10**7, busy_timeout=0.01)
        assert_goes_on_without(tier, tmp_path, caplog, "holds a lock", "End that program")


def test_a_writer_that_keeps_its_lock_stops_writing_not_reading(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with DiskTier(tmp_path, 10**7, busy_timeout=0.01, flush_after=None) as tier:
        tier.put(key(1), LARGE)
        with closing(sqlite3.connect(tmp_path / "v1" / "index.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert not tier.put(key(2), LARGE)
            assert not tier.put(key(3), SMALL)
            assert tier.get(key(1)) == LARGE
            assert tier.contains_many([key(1), key(2)]) == {key(1)}
            other.execute("ROLLBACK")
        assert len(caplog.records) == 1
        assert list((tmp_path / "v1" / "tmp").iterdir()) == []
        tier.clear()
        assert tier.put(key(2), LARGE)
        assert tier.get(key(2)) == LARGE


def test_a_read_only_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with DiskTier(tmp_path, 10**7) as tier:
        tier.put(key(0), LARGE)
    with DiskTier(tmp_path, 10**7, flush_after=None) as tier:
        assert tier.get(key(0)) == LARGE
        tier._index.database.connection().execute("PRAGMA query_only = ON")
        assert not tier.put(key(1), LARGE)
        assert not tier.put(key(2), SMALL)
        assert tier.get(key(0)) == LARGE
    assert len(caplog.records) == 1
    assert "write to the result cache" in caplog.text
    assert [path.stem for path in tmp_path.rglob("*.safetensors")] == [key(0)]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fails(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fails)
    yield
    monkeypatch.undo()


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with DiskTier(tmp_path, 10**7) as tier:
        assert not tier.put(key(1), LARGE)
        assert not tier.put(key(2), LARGE)
        assert tier.get(key(1)) is None
    assert [path for path in (tmp_path / "v1").rglob("*") if path.is_file() and path.name.startswith(key(1)[:8])] == []
    assert len(caplog.records) == 1
    assert "no space is left" in caplog.text
    assert "Free some space" in caplog.text


def test_a_limit_on_file_sizes_in_the_middle_of_writing(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    script = """
import hashlib, logging, resource, sys
from pathlib import Path
from nodegraph.execution.store import DiskTier
messages = []
class Collect(logging.Handler):
    def emit(self, record): messages.append(record.getMessage())
logging.getLogger().addHandler(Collect())
keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(50)]
folder = Path(sys.argv[1])
with DiskTier(folder, 10**9, flush_after=None) as tier:
    assert tier.put(keys[0], {"value": "x" * 40_000})
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
    assert not tier.put(keys[1], {"value": "x" * 400_000})
    assert not tier.put(keys[2], {"value": "x" * 40_000})
    assert tier.get(keys[0]) == {"value": "x" * 40_000}
    assert tier.get(keys[1]) is None
    assert len(messages) == 1 and "no space is left" in messages[0], messages
with DiskTier(folder, 10**9, flush_after=None) as tier:
    for key in keys[3:]:
        tier.put(key, {"value": "x" * 30_000})
    tier.flush()
    assert not tier.info().usable
    assert len(messages) == 2, messages
names = [path.stem for path in folder.rglob("*") if path.suffix == ".safetensors" or path.parent.name == "tmp"]
assert names == [keys[0]], names
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    with DiskTier(tmp_path, 10**9) as tier:
        assert tier.get(key(0)) == {"value": "x" * 40_000}
        assert tier.put(key(1), LARGE)
        assert tier.info().damaged == 0


def test_it_recovers_after_a_pause(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file"
    tier = DiskTier(folder, 10**7)
    moment = 0.0
    tier._reading._clock = lambda: moment
    assert not tier.put(key(1), SMALL)
    folder.unlink()
    assert not tier.put(key(1), SMALL)
    moment = 31.0
    assert tier.put(key(1), SMALL)
    assert tier.get(key(1)) == SMALL
    tier.close()
    assert len(caplog.records) == 1
