"""Disks that are full, read-only or locked: a clear error, nothing changed, and it works again when the trouble is over."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from nodegraph.jobs.database import unusable
from nodegraph.jobs.errors import (
    ClaimLost,
    JobTableUnusable,
    TableBusy,
    TableDamaged,
    TableFull,
    TableNotWritable,
    TableUnreachable,
)
from nodegraph.jobs.model import Outcome
from nodegraph.jobs.table import JobTable

from .samples import DONE, a_batch, a_request, an_event

NOISE = "".join(chr(33 + (index * 7919) % 90) for index in range(3000))


@pytest.fixture
def table(tmp_path: Path) -> Iterator[JobTable]:
    with JobTable(f"sqlite:///{tmp_path}/state/jobs.sqlite", busy_timeout=0.01) as table:
        yield table


def everything(table: JobTable) -> object:
    return table.page(limit=10_000).jobs, table.queue(10_000), table.batches(), table.is_paused(), table.last_sequence()


def assert_all_writes_fail(table: JobTable, error: type[JobTableUnusable], *words: str) -> None:
    """Each method that writes raises, and nothing has changed."""
    with table.owner() as owner:
        before = everything(table)
        job = table.page().jobs[0]
        running = table.page().jobs[1]
        changes: list[Callable[[], object]] = [
            lambda: table.submit(a_request(inputs={"x": NOISE * 40})),
            lambda: table.submit_batch(a_batch(100, label="x" * 200)),
            lambda: table.claim(owner.id),
            lambda: table.cancel(job.id),
            lambda: table.append(running.id, 1, [an_event("x" * 100_000)] * 3),
            lambda: table.note_target(running.id, 1, "n", 1, "p" * 100_000),
            lambda: table.finish(running.id, 1, Outcome(state="done", seconds=1, outputs={"x": NOISE * 40})),
            lambda: table.pause_queue(),
        ]
        for change in changes:
            with pytest.raises(error) as caught:
                change()
            for word in (table.where, *words):
                assert word in str(caught.value)
            assert everything(table) == before


def assert_works(table: JobTable) -> None:
    job = table.submit(a_request()).job
    with table.owner() as owner:
        while (claimed := table.claim(owner.id)) is not None:
            table.note_target(claimed.job.id, claimed.job.claim, "n", 0, "p")
            table.finish(claimed.job.id, claimed.job.claim, DONE)
    assert table.job(job.id).state == "done"
    with closing(sqlite3.connect(table.where)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@contextmanager
def some_jobs(table: JobTable) -> Iterator[None]:
    """One that runs and one that waits."""
    with table.owner() as owner:
        table.submit(a_request())
        table.claim(owner.id)
        table.submit(a_request())
        yield


def set_for_all(table: JobTable, pragma: str) -> None:
    """Say something to each connection of the pool."""
    opened = [table._database._engine.connect() for _ in range(4)]
    for connection in opened:
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    for connection in opened:
        connection.close()


def test_no_space(table: JobTable) -> None:
    with some_jobs(table):
        with closing(sqlite3.connect(table.where)) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
        set_for_all(table, f"max_page_count = {pages}")
        with pytest.raises(TableFull, match="no space is left for it; free some space"):
            for _ in range(1000):
                table.submit(a_request(inputs={"x": NOISE}))
        before = everything(table)
        with pytest.raises(TableFull):
            table.submit_batch(a_batch(1000))
        assert everything(table) == before
        set_for_all(table, "max_page_count = 1000000")
        assert_works(table)


def test_a_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=600k", "none", folder], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with JobTable(f"sqlite:///{folder}/jobs.sqlite") as table, some_jobs(table):
            filler = folder / "filler"
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
                while True:
                    file.write(bytes(4096))
            table.wishes("x")
            submitted = []
            with pytest.raises(TableFull) as caught:
                for _ in range(10_000):
                    submitted.append(table.submit(a_request(inputs={"x": NOISE})).job)
            assert "no space is left" in str(caught.value) or "could not be written" in str(caught.value)
            assert_all_writes_fail_without_space(table)
            for job in submitted:
                assert table.job(job.id) == job
            filler.unlink()
            assert_works(table)
            for job in submitted:
                assert table.job(job.id).state == "done"
        with JobTable(f"sqlite:///{folder}/jobs.sqlite") as table:
            assert len(table.page(limit=10_000).jobs) == len(submitted) + 3
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def assert_all_writes_fail_without_space(table: JobTable) -> None:
    before = everything(table)
    for change in (
        lambda: table.submit(a_request(inputs={"x": NOISE * 40})),
        lambda: table.submit_batch(a_batch(300, label="x" * 200)),
        lambda: table.cancel(table.page().jobs[0].id),
        table.pause_queue,
    ):
        with pytest.raises(TableFull):
            change()
        assert everything(table) == before


LIMITED = """
import resource, sys
from nodegraph.jobs.errors import JobTableUnusable
from nodegraph.jobs.model import JobRequest
from nodegraph.jobs.table import JobTable
with JobTable(sys.argv[1]) as table:
    sent = [table.submit(JobRequest(workflow={})).job]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, hard))
    try:
        while True:
            sent.append(table.submit(JobRequest(workflow={}, inputs={"x": "y" * 5000})).job)
    except JobTableUnusable as error:
        print(type(error).__name__, error)
    assert [table.job(job.id) for job in sent] == sent
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    sent.append(table.submit(JobRequest(workflow={})).job)
    print(len(sent))
"""


def test_a_limit_on_file_sizes_in_the_middle_of_writing(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    done = subprocess.run([sys.executable, "-c", LIMITED, url], check=True, capture_output=True, text=True)
    said, count = done.stdout.splitlines()
    assert said.startswith("TableFull the job table ")
    with JobTable(url) as table:
        assert len(table.page(limit=1000).jobs) == int(count) > 10
        assert_works(table)


def test_a_table_that_became_read_only(table: JobTable) -> None:
    with some_jobs(table):
        set_for_all(table, "query_only = ON")
        assert_all_writes_fail(table, TableNotWritable, "make its folder writable")
        set_for_all(table, "query_only = OFF")
        assert_works(table)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """A folder or file that cannot be written, not even by root."""
    if os.getuid() == 0:
        bound = (
            path.is_dir()
            and not subprocess.run(
                ["mount", "--bind", "-o", "ro", path, path], capture_output=True, check=False
            ).returncode
        )
        if not bound:
            pytest.skip("root can write everything here")
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", path], check=True)
        return
    mode = path.stat().st_mode
    path.chmod(mode & 0o555)
    try:
        yield
    finally:
        path.chmod(mode)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_read_only_folder(tmp_path: Path, is_new: bool) -> None:
    url = f"sqlite:///{tmp_path}/state/jobs.sqlite"
    (tmp_path / "state").mkdir()
    if not is_new:
        with JobTable(url) as table:
            table.submit(a_request())
    with read_only(tmp_path / "state"), pytest.raises(TableNotWritable, match="make its folder writable"):
        JobTable(url)
    with JobTable(url) as table:
        assert len(table.page().jobs) == int(not is_new)
        assert_works(table)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TableNotWritable, match="its files cannot be opened"):
        JobTable(f"sqlite:///{tmp_path}/file/jobs.sqlite")


def test_another_program_that_keeps_its_lock(table: JobTable, tmp_path: Path) -> None:
    with some_jobs(table):
        with closing(sqlite3.connect(table.where, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert_all_writes_fail(table, TableBusy, "another program holds a lock", "end that program")
            with pytest.raises(TableBusy), JobTable(f"sqlite:///{table.where}", busy_timeout=0.01) as second:
                second.submit(a_request())
            other.execute("ROLLBACK")
        assert_works(table)


def test_an_error_in_the_middle_of_a_change_undoes_all_of_it(table: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    with some_jobs(table):
        before = everything(table)

        def breaks(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("nodegraph.jobs.journal.record", breaks)
            patch.setattr("nodegraph.jobs.journal.record_for", breaks)
            for change in (lambda: table.submit(a_request()), lambda: table.submit_batch(a_batch(5))):
                with pytest.raises(KeyboardInterrupt):
                    change()
                assert everything(table) == before
        assert_works(table)


class ServerError(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "error"),
    [
        ("53100", TableFull),
        ("25006", TableNotWritable),
        ("55P03", TableBusy),
        ("57P01", TableUnreachable),
        (None, TableUnreachable),
    ],
)
def test_what_a_server_says(sqlstate: str | None, error: type[JobTableUnusable]) -> None:
    assert type(unusable(DBAPIError("", {}, ServerError(sqlstate)), "x")) is error


@pytest.mark.slow
def test_a_server_that_breaks_off(new_database: str) -> None:
    with JobTable(new_database) as table, JobTable(new_database) as other:
        job = table.submit(a_request()).job
        with table.owner() as owner, other.owner() as living:
            claimed = table.claim(owner.id)
            assert claimed is not None
            with pytest.raises(TableUnreachable, match="start or repair"), table._database.writing() as connection:
                connection.execute(text("UPDATE marks SET value = 1 WHERE name = 'paused'"))
                own = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({own}) others"))
                connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
                connection.execute(text("SELECT 1"))
            assert not table.is_paused(), "nothing was written"
            assert table.submit(a_request()).is_new
            for _ in range(20_000):  # until the server has seen that the owner's session is over
                if table.recover():
                    break
            with pytest.raises(ClaimLost):
                table.finish(job.id, 1, DONE)
            assert table.claim(living.id) is not None


def test_damage_is_named_when_it_is_met(table: JobTable) -> None:
    job = table.submit(a_request()).job
    with closing(sqlite3.connect(table.where)) as other, other:
        other.execute("UPDATE jobs SET request = 'x'")
    for method in (table.job, table.request, table.cancel):
        with pytest.raises(TableDamaged, match=r"cannot be read.*start again: what is readable is saved"):
            method(job.id)
