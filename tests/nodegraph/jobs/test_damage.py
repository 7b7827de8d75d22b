"""Damaged files: torn logs just recover; of half-written pages everything readable is saved, and the file is kept."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from nodegraph.jobs import salvage
from nodegraph.jobs.errors import TableDamaged, TableFull, WorkflowLost
from nodegraph.jobs.pages import Pages
from nodegraph.jobs.table import JobTable

from .samples import DONE, a_batch, a_request, an_event

PAGE = 4096


def fill(table: JobTable, count: int = 60) -> None:
    """Jobs of many states, some of a batch, with events and targets."""
    for index in range(count):
        table.submit(a_request(inputs={"text": f"{index} " * 50}, client_key=str(index)), title=f"job {index}")
    table.submit_batch(a_batch(10, label="batch", workflow={"other": 1}))
    with table.owner() as owner:
        for _ in range(count // 2):
            claimed = table.claim(owner.id)
            assert claimed is not None
            table.append(claimed.job.id, 1, [an_event("node_started")])
            table.note_target(claimed.job.id, 1, "save", 0, "a.png")
            table.finish(claimed.job.id, 1, DONE)
    table.pause_queue()


def crash(table: JobTable, folder: Path) -> Path:
    """The files as they would be if the power failed now."""
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(table.where + suffix, folder / f"jobs.sqlite{suffix}")
    return folder / "jobs.sqlite"


def closed(folder: Path, count: int = 60) -> Path:
    with JobTable(f"sqlite:///{folder}/jobs.sqlite") as table:
        fill(table, count)
    return folder / "jobs.sqlite"


def was_not_closed(path: Path) -> None:
    """Leave a trace of a program that was killed, so that the file is looked at."""
    path.with_name(path.name + "-wal").write_bytes(bytes(32))


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("rb+") as file:
        file.seek(offset)
        file.write(content)


def read_all(table: JobTable) -> tuple[int, int, int]:
    """How many jobs, events, and jobs with a workflow there are; every one is read."""
    jobs = table.page(limit=1000).jobs
    requests = 0
    for job in jobs:
        assert table.job(job.id) == job
        try:
            assert table.request(job.id).inputs == job.inputs
            requests += 1
        except WorkflowLost:
            pass
    assert len(table.queue(1000)) == table.counts()["queued"] + table.counts()["paused"]
    return len(jobs), len(table.events(limit=5000)), requests


def assert_sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def assert_works(table: JobTable) -> None:
    table.resume_queue()
    numbers = [job.number for job in table.page(limit=1000).jobs]
    last = table.submit(a_request(label="new")).job
    assert last.number > max(numbers, default=0)
    assert table.queue(1000)[-1].id == last.id
    job = table.submit(a_request(priority=1)).job
    with table.owner() as owner:
        claimed = table.claim(owner.id)
        assert claimed is not None
        assert claimed.job.id == job.id
        table.finish(claimed.job.id, claimed.job.claim, DONE)
    assert_sound(Path(table.where))


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_torn_log_recovers_to_a_commit(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    (tmp_path / "live").mkdir()
    with JobTable(f"sqlite:///{tmp_path}/live/jobs.sqlite") as table:
        sent = [table.submit(a_request()).job for _ in range(10)]
        crashed = crash(table, tmp_path / "crashed")
    log_file = crashed.with_name("jobs.sqlite-wal")
    whole = log_file.read_bytes()
    kept = []
    for number, cut in enumerate(range(0, len(whole), len(whole) // 25)):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copyfile(crashed, folder / "jobs.sqlite")
        torn = whole[: len(whole) - cut]
        (folder / "jobs.sqlite-wal").write_bytes(torn + bytes(cut % 3 * 1000))
        with JobTable(f"sqlite:///{folder}/jobs.sqlite") as table:
            jobs = table.page().jobs[::-1]
            assert jobs == sent[: len(jobs)]
            kept.append(len(jobs))
            assert_works(table)
    assert kept == sorted(kept, reverse=True)
    assert (kept[0], kept[-1]) == (10, 0)
    assert warnings() == []


@pytest.mark.parametrize("damage", ["zeros", "noise", "other"])
@pytest.mark.parametrize("half", [0, 1])
def test_any_page_may_be_half_written(
    tmp_path: Path, damage: str, half: int, warnings: Callable[[], list[str]]
) -> None:
    sound = closed(tmp_path / "sound")
    with JobTable(f"sqlite:///{sound}") as table:
        everything = read_all(table)
    pages = sound.stat().st_size // PAGE
    content = sound.read_bytes()
    salvaged = 0
    for page in range(2 * ["zeros", "noise", "other"].index(damage) + half, pages, 6):  # each in one of six ways
        folder = tmp_path / str(page)
        folder.mkdir()
        path = folder / "jobs.sqlite"
        shutil.copyfile(sound, path)
        start = page * PAGE + half * PAGE // 2
        other = (page + 7) % pages * PAGE + half * PAGE // 2
        written = {
            "zeros": bytes(PAGE // 2),
            "noise": bytes(range(256)) * 8,
            "other": content[other : other + PAGE // 2],
        }
        overwrite(path, start, written[damage])
        damaged = path.read_bytes()
        was_not_closed(path)
        with JobTable(f"sqlite:///{path}") as table:
            try:
                found = read_all(table)
            except TableDamaged:  # what the quick look did not see; the next start does
                table.close()
                table = JobTable(f"sqlite:///{path}")
                found = read_all(table)
            kept = list(folder.glob("jobs.sqlite.damaged-1"))
            salvaged += len(kept)
            for file in kept:
                assert file.read_bytes() == damaged
            assert found[0] >= everything[0] - 12, f"page {page}"
            assert found[1] >= everything[1] - 100, f"page {page}"
            assert_works_after(table, bool(kept))
    assert salvaged > pages // 6 // 3
    for said in warnings():
        assert "was damaged" in said
        assert "the damaged file is kept as" in said
        assert " jobs, " in said


def assert_works_after(table: JobTable, is_new: bool) -> None:
    if is_new:
        assert_works(table)
    table.close()


def test_damage_that_is_met_is_repaired_at_the_next_start(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    path = closed(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE jobs SET request = '{' WHERE number = 7")
        connection.execute("UPDATE events SET data = x'00' WHERE sequence = 3")
    with JobTable(f"sqlite:///{path}") as table, pytest.raises(TableDamaged, match="cannot be read"):
        table.page(limit=1000)
    assert warnings() == []
    with JobTable(f"sqlite:///{path}") as table:
        assert len(table.page(limit=1000).jobs) == 69
        assert table.is_paused()
        assert len(table.batches()) == 1
        assert_works(table)
    (said,) = warnings()
    assert f"the job table {path} was damaged (damage was met in it): saved 2 documents, 1 batches, 69 jobs" in said
    assert "1 jobs" in said.split("lost, as far as can be told, ")[1]
    JobTable(f"sqlite:///{path}").close()
    assert len(warnings()) == 1


def test_a_job_without_its_workflow_fails_when_its_turn_comes(tmp_path: Path) -> None:
    path = closed(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE documents SET content = x'123456'")
    with JobTable(f"sqlite:///{path}") as table, pytest.raises(TableDamaged):
        table.request(table.queue()[0].id)
    with JobTable(f"sqlite:///{path}") as table:
        first, *others = table.queue(1000)
        assert len(others) == 39
        with pytest.raises(WorkflowLost, match="submit it again"):
            table.request(first.id)
        table.resume_queue()
        table.submit(a_request(workflow={"other": 1}))
        with table.owner() as owner:
            claimed = table.claim(owner.id)
            assert claimed is not None
            assert claimed.request.workflow == {"other": 1}
        failed = table.job(first.id)
        assert (failed.state, failed.error and failed.error.kind) == ("failed", "invalid")
        assert failed.title == "job 30"
        table.submit(a_request())
        assert table.request(first.id).client_key == "30", "the same workflow was submitted again"
        assert table.retry(first.id).state == "queued"


@pytest.mark.parametrize("pages", [0, 1, 40])
def test_a_file_that_was_cut_off(tmp_path: Path, pages: int, warnings: Callable[[], list[str]]) -> None:
    path = closed(tmp_path)
    size = path.stat().st_size
    with path.open("rb+") as file:
        file.truncate(size - 100 if pages == 0 else pages * PAGE)
    with JobTable(f"sqlite:///{path}") as table:
        assert (len(table.page(limit=1000).jobs) > 0) == (pages != 1)
        assert_works(table)
    assert "it ends after" in warnings()[0] or "malformed" in warnings()[0]


@pytest.mark.parametrize("content", [b"no database at all", bytes(PAGE), bytes(range(256)) * 64])
def test_a_file_that_is_something_else(tmp_path: Path, content: bytes, warnings: Callable[[], list[str]]) -> None:
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(content)
    with JobTable(f"sqlite:///{path}") as table:
        assert table.page().jobs == []
        assert_works(table)
    assert (tmp_path / "jobs.sqlite.damaged-1").read_bytes() == content
    assert len(warnings()) == 1


def test_rows_are_read_without_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    rows = [
        (rowid, number, -number / 3, f"{number} é " * length, bytes(length), None)
        for rowid, (number, length) in enumerate(
            [(2**bits * sign, 3**power) for bits in range(0, 63, 5) for sign in (1, -1) for power in (0, 4, 7, 9)], -5
        )
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE first (a, b, c, d, e)")
        connection.execute("CREATE TABLE second (a)")
        connection.execute("INSERT INTO second VALUES (0), (1), (256)")
        connection.executemany("INSERT INTO first (rowid, a, b, c, d, e) VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO first (rowid, a) VALUES (?, 1)", [(1000 + n,) for n in range(3000)])
        connection.execute("DELETE FROM first WHERE rowid >= 1000")
    found = {rowid: (rowid, *values) for rowid, values in Pages(path).rows(5) if values[0] != "table"}
    assert list(found.values()) == rows
    assert [values for _, values in Pages(path).rows(1)] == [[0], [1], [256]]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = closed(tmp_path)
    overwrite(path, 0, bytes(PAGE // 2))
    return path


def test_a_salvage_that_is_interrupted_is_done_again(
    damaged: Path, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    steps: list[tuple[object, str]] = [
        (salvage.shutil, "copyfile"),
        (salvage._Salvage, "run"),
        (salvage.os, "fsync"),
        (salvage, "_finished"),
    ]
    before = damaged.read_bytes()
    for place, name in steps:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, breaks)
            with pytest.raises(KeyboardInterrupt):
                JobTable(f"sqlite:///{damaged}")
        assert damaged.read_bytes() == before
    calls = iter([None, breaks])
    complete = salvage.complete
    with monkeypatch.context() as patch:
        patch.setattr(salvage, "complete", lambda path: complete(path) if next(calls) is None else breaks())
        with pytest.raises(KeyboardInterrupt):
            JobTable(f"sqlite:///{damaged}")
    assert not damaged.exists()
    with JobTable(f"sqlite:///{damaged}") as table:
        assert len(table.page(limit=1000).jobs) == 70
        assert_works(table)
    assert damaged.with_name("jobs.sqlite.damaged-1").read_bytes() == before
    assert sorted(path.name for path in damaged.parent.iterdir()) == [
        *("jobs.sqlite", "jobs.sqlite.damaged-1", "jobs.sqlite.lock", "owners"),
    ]
    assert warnings() == []


def test_without_space_for_a_salvage_nothing_changes(damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = damaged.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(salvage.shutil, "copyfile", full)
        with pytest.raises(TableFull, match="no space is left"):
            JobTable(f"sqlite:///{damaged}")
    assert damaged.read_bytes() == before
    with JobTable(f"sqlite:///{damaged}") as table:
        assert len(table.page(limit=1000).jobs) == 70


def test_a_damaged_file_that_others_use_is_not_moved(tmp_path: Path) -> None:
    path = closed(tmp_path)
    with JobTable(f"sqlite:///{path}") as table:
        for number in range(1, 20):
            overwrite(path, number * PAGE, bytes(PAGE))
        was_not_closed(path)
        with pytest.raises(TableDamaged, match="end all programs that use it and start again"):
            JobTable(f"sqlite:///{path}").page()
        assert path.exists()
        assert list(tmp_path.glob("*.damaged*")) == []
        with pytest.raises(TableDamaged):
            table.page(limit=1000)


def test_a_job_that_was_damaged_cannot_be_confused_with_another(tmp_path: Path) -> None:
    """Rows that make no sense, such as two jobs of one id, are left out."""
    path = closed(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("""
            UPDATE jobs SET priority = 'x' WHERE number = 2; UPDATE jobs SET state = 'odd' WHERE number = 3;
            UPDATE jobs SET batch = NULL, workflow = x'00' WHERE number = 4; UPDATE targets SET node = 'x';
            UPDATE jobs SET created = 'never' WHERE number = 5; UPDATE jobs SET request = '[]' WHERE number = 6;
        """)
    path.with_name("jobs.sqlite.lock").write_bytes(b"suspect")
    with JobTable(f"sqlite:///{path}") as table:
        assert sorted(job.number for job in table.page(limit=1000).jobs) == [1, *range(7, 71)]
        assert_works(table)
