"""Job tables of the test's own, in a file and on a server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from nodegraph.jobs.owners import Owner
from nodegraph.jobs.table import JobTable

from .servers import postgresql

MakeTable = Callable[..., JobTable]


class Clock:
    """Time stands still until somebody sets it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def add(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


def new_database_on(server: str) -> str:
    """The URL of an empty database on a server."""
    name = f"t{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.fixture
def new_database(server: str) -> str:
    """The URL of an empty database on the server."""
    return new_database_on(server)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the test's table lies."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    found: str = request.getfixturevalue("new_database")
    return found


@pytest.fixture
def make_table(url: str, clock: Clock) -> Iterator[MakeTable]:
    """Opens the test's table; each call stands for another process."""
    made: list[JobTable] = []

    def make(**options: object) -> JobTable:
        made.append(JobTable(url, **{"now": clock, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for table in made:
        table.close()


@pytest.fixture
def table(make_table: MakeTable) -> JobTable:
    return make_table()


@pytest.fixture
def owner(table: JobTable) -> Iterator[Owner]:
    with table.owner() as owner:
        yield owner
