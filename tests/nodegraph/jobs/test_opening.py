"""Opening a table: where it lies, which version made it, and what cannot be one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from nodegraph.jobs import migrations
from nodegraph.jobs.errors import JobTableUnusable, TableTooNew, TableUnreachable, UnsupportedDatabase
from nodegraph.jobs.model import JobFilter
from nodegraph.jobs.schema import METADATA
from nodegraph.jobs.table import JobTable
from nodegraph.settings import Settings

from .conftest import MakeTable
from .samples import a_request

CORPUS = Path(__file__).parents[2] / "corpus" / "jobs"


def structure(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    return [(name, " ".join(sql.split())) for name, sql in rows]


def from_corpus(name: str, path: Path) -> str:
    """A table as an earlier version left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((CORPUS / name).read_text("utf-8"))
    return f"sqlite:///{path}"


def test_the_settings_say_where(settings: Settings, tmp_path: Path) -> None:
    with JobTable.open(settings) as table:
        assert table.where == str(settings.state / "jobs.sqlite")
        job = table.submit(a_request()).job
    with JobTable.open(settings) as table, table.owner() as owner:
        assert table.job(job.id) == job
        assert [path.stem for path in (settings.state / "owners").iterdir()] == [owner.id]
    assert sorted(path.name for path in settings.state.iterdir()) == ["jobs.sqlite", "jobs.sqlite.lock", "owners"]
    other = settings.model_copy(update={"database": f"sqlite:///{tmp_path}/a%20b/other.sqlite"})
    with JobTable.open(other) as table:
        assert Path(table.where).parent.is_dir()
        assert table.page().jobs == []


def test_a_file_has_the_safe_settings(tmp_path: Path) -> None:
    with JobTable(f"sqlite:///{tmp_path}/jobs.sqlite") as table:
        for transaction in (table._database.reading, table._database.writing):
            with transaction() as connection:
                found = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys")
                ]
            assert found == ["wal", 2, 1]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("jobs.sqlite", "it is no URL"),
        ("sqlite://", "it names no file"),
        ("sqlite:///:memory:", "it names no file"),
        ("mysql://host/name", "mysql is not supported"),
    ],
)
def test_what_can_hold_no_table(url: str, reason: str) -> None:
    with pytest.raises(UnsupportedDatabase, match=f"the job table .* cannot be used: {reason}; give one like sqlite:"):
        JobTable(url)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(TableUnreachable, match="start or repair the server") as caught:
        JobTable(f"postgresql://user:secret@/name?host={tmp_path}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name, _ in migrations.MIGRATIONS])
def test_tables_of_every_version_are_read(tmp_path: Path, name: str) -> None:
    url = from_corpus(f"{name.replace(' ', '_')}.sql", tmp_path / "old.sqlite")
    JobTable(f"sqlite:///{tmp_path}/new.sqlite").close()
    with JobTable(url) as table:
        assert structure(tmp_path / "old.sqlite") == structure(tmp_path / "new.sqlite")
        jobs = table.page().jobs
        assert [(job.label, job.state) for job in reversed(jobs)] == [
            *(("first", "done"), ("second", "failed")),
            *(("batch", "paused"), ("batch", "queued"), ("running", "running")),
        ]
        assert (jobs[-1].files[0].path, jobs[-1].outputs, jobs[-1].title) == ("fox.png", {"x": 1}, "Fox")
        assert jobs[-2].error is not None
        assert table.request(jobs[-1].id).fields == {"f": 1}
        assert table.page(JobFilter(search="red fox")).jobs == jobs[-1:]
        assert [job.index for job in table.queue()] == [1, 0]
        assert table.is_paused()
        assert [job.state for job in table.recover()] == ["cancelled"]
        table.resume_queue()
        with table.owner() as owner:
            claimed = table.claim(owner.id)
            assert claimed is not None
            assert claimed.job.index == 1
        assert table.retry(jobs[-1].id).state == "queued"
        assert len(table.events(job=jobs[-1].id)) == 5


def test_the_columns_are_those_that_are_read(make_table: MakeTable) -> None:
    with make_table()._database.reading() as connection:
        inspector = inspect(connection)
        for table in METADATA.sorted_tables:
            found = {column["name"]: str(column["type"]) for column in inspector.get_columns(table.name)}
            assert list(found) == [column.name for column in table.columns]


def execute(url: str, statement: str) -> None:
    found = make_url(url)
    engine = create_engine(found.set(drivername="postgresql+psycopg") if "postgres" in url else found)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_newer_table_is_refused_and_left_as_it_is(make_table: MakeTable, url: str) -> None:
    table = make_table()
    job = table.submit(a_request()).job
    table.close()
    execute(url, "INSERT INTO migrations (name) VALUES ('99 later')")
    with pytest.raises(TableTooNew, match=r"'99 later'.*use that version or a later one"):
        make_table()
    execute(url, "DELETE FROM migrations WHERE name = '99 later'")
    assert make_table().job(job.id) == job


def test_a_migration_that_fails_changes_nothing(
    make_table: MakeTable, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_table().submit(a_request()).job

    def breaks(connection: object) -> None:
        connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN more TEXT")  # type: ignore[attr-defined]
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", [*migrations.MIGRATIONS, ("2 second", breaks)])
        with pytest.raises(ZeroDivisionError):
            make_table()
    table = make_table()
    assert table.job(job.id) == job
    assert table.submit(a_request()).is_new


def test_migrations_are_applied_in_order(make_table: MakeTable, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_table().submit(a_request()).job
    statements = ["ALTER TABLE jobs ADD COLUMN more TEXT", "UPDATE jobs SET more = 'x'"]
    later = [
        (f"{number} later", lambda connection, statement=statement: connection.exec_driver_sql(statement))
        for number, statement in enumerate(statements, 2)
    ]
    monkeypatch.setattr(migrations, "MIGRATIONS", [*migrations.MIGRATIONS, *later])
    for _ in range(2):
        table = make_table()
        assert table.job(job.id) == job
        with table._database.reading() as connection:
            assert connection.execute(text("SELECT more FROM jobs")).scalars().all() == ["x"]
            assert migrations.applied(connection) == [name for name, _ in migrations.MIGRATIONS]


def test_a_database_of_another_program_is_left_alone(url: str) -> None:
    execute(url, "CREATE TABLE jobs (theirs TEXT)")
    with pytest.raises(UnsupportedDatabase, match="the tables jobs are not of nodegraph"):
        JobTable(url)
    execute(url, "INSERT INTO jobs VALUES ('x')")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(JobTableUnusable, match=str(tmp_path)):
        JobTable(f"sqlite:///{tmp_path}")


def test_importing_it_loads_neither_torch_nor_graphs() -> None:
    script = "import sys, nodegraph.jobs.table; print(*{'torch', 'networkx', 'numpy', 'psycopg'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
