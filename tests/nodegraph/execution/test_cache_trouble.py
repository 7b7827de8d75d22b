"""A cache that cannot be used never changes a result: runs go on without storing, and say so once."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from nodegraph.catalog import Catalog, load_catalog
from nodegraph.execution.run import Runner
from nodegraph.execution.store import DiskTier, MemoryTier, ResultStore
from nodegraph.settings import Settings

from ..flows import flow, link

Calls = Callable[[], list[str]]
Make = Callable[..., Runner]

SUM = flow(
    {
        "x": ("number", {"value": 1}),
        "y": ("number", {"value": 2}),
        "sum": ("add", {"a": link("x.number"), "b": link("y.number")}),
    },
    {"r": "sum.number"},
)
ALL = ["number", "number", "add"]


def total(runner: Runner) -> float:
    value: float = runner.run(SUM).outputs["r"].value
    return value


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk(
    make_runner: Make, calls: Calls, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("nodegraph.execution.store.disk.SMALL", 0)  # every result is a file of its own
        patched.setattr(os, "fsync", no_space)
        runner = make_runner()
        assert total(runner) == 3.0
        assert calls() == ALL
        assert total(runner) == 3.0
        assert calls() == []
        [message] = warnings(caplog)
    for words in ("no space is left", "Free some space", "memory only"):
        assert words in message
    assert total(make_runner()) == 3.0
    assert calls() == ALL
    assert total(make_runner()) == 3.0
    assert calls() == []


def test_a_full_disk_under_the_index(
    make_runner: Make, calls: Calls, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("nodegraph.execution.store.disk.write", full)
        assert total(make_runner()) == 3.0
        [message] = warnings(caplog)
        assert "no space is left" in message
    calls()
    assert total(make_runner()) == 3.0
    assert calls() == ALL


def test_a_disk_that_fills_up_keeps_what_was_stored(
    make_runner: Make, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegraph.execution.store.disk.SMALL", 0)
    assert total(make_runner()) == 3.0
    calls()
    monkeypatch.setattr(os, "fsync", no_space)
    more = flow(
        {"x": ("number", {"value": 1}), "s": ("add", {"a": link("x.number"), "b": link("x.number")})}, {"r": "s.number"}
    )
    assert make_runner().run(more).outputs["r"].value == 2.0
    assert calls() == ["add"]
    assert total(make_runner()) == 3.0
    assert calls() == []


@pytest.mark.parametrize("where", ["is a file", "below a file"])
def test_a_folder_that_cannot_be_made(
    make_runner: Make, calls: Calls, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    (tmp_path / "models" / "note").mkdir(parents=True)
    (tmp_path / "models" / "note" / "hello.txt").write_text("hello", "utf-8")
    runner = make_runner(cache=tmp_path / "file" if where == "is a file" else tmp_path / "file" / "cache")
    read = flow({"text": ("read_text", {"file": "hello.txt"})}, {"r": "text.text"})
    for expected in (["number", "number", "add", "read_text"], []):
        assert total(runner) == 3.0
        assert runner.run(read).outputs["r"] == "hello"
        assert calls() == expected
    assert len(warnings(caplog)) <= 2  # one about results, one about digests
    assert all("writable folder" in each for each in warnings(caplog))
    assert (tmp_path / "file").read_text("utf-8") == "mine"


def test_a_folder_that_another_program_locks(
    settings: Settings, catalog: Catalog, calls: Calls, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "results" / "v1").mkdir(parents=True)
    with closing(sqlite3.connect(tmp_path / "results" / "v1" / "index.sqlite", isolation_level=None)) as other:
        other.execute("CREATE TABLE theirs (x)")
        other.execute("BEGIN EXCLUSIVE")
        store = ResultStore(MemoryTier(10**7), DiskTier(tmp_path / "results", 10**7, busy_timeout=0.01))
        with Runner(settings, catalog=catalog, store=store) as runner:
            assert total(runner) == 3.0
            assert total(runner) == 3.0
        assert calls() == ALL
        [message] = warnings(caplog)
        assert "holds a lock" in message
        assert "End that program" in message
    store = ResultStore(MemoryTier(10**7), DiskTier(tmp_path / "results", 10**7))
    with Runner(settings, catalog=catalog, store=store) as runner:
        assert total(runner) == 3.0
    assert calls() == ALL


def test_definitions_are_found_without_a_cache(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    found = load_catalog(Settings(cache=tmp_path / "file", plugins=[Path(__file__).parents[2] / "packs"]))
    assert not found.failures
    assert set(found) == set(catalog)
