"""What commands share that ask a server: finding it, and showing jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ..client import Client
    from ..jobs.model import Job

ServerOption = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="The server's address (default: the one of this state folder)."),
]


def reach(url: str | None) -> Client:
    """A client of the server at `url`, or of the one that works on the job table of this machine's settings."""
    from ..client import Client

    return Client(url)


def shown_files(job: Job, output: Path | None) -> list[str]:
    """The files of a job; as paths where the server's output folder is known."""
    return [str(output / each.path) if output is not None else each.path for each in job.files]


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people on standard output; names and results are cut where there is no room."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    cells = [[printable(each) for each in row] for row in rows]
    for name, *column in zip(columns, *cells, strict=True):
        whole = max(map(len, (name, *column))) if name not in ("name", "result") else len(name)
        table.add_column(name, no_wrap=True, min_width=whole)
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console(highlight=False, markup=False)
    with console.capture() as kept:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in kept.get().splitlines()))


def printable(text: str) -> str:
    """A text that somebody else wrote, on one line and without anything that steers a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)


def job_rows(jobs: Iterable[Job]) -> list[list[str]]:
    """Jobs as rows of a table: id, state, name, when, how long, what came of it."""
    return [
        [each.id, state_of(each), name_of(each), when(each.created), _seconds(each), _result(each)] for each in jobs
    ]


JOB_COLUMNS = ("id", "state", "name", "sent", "took", "result")


def state_of(job: Job) -> str:
    """A job's state, or what it is on the way to."""
    return {"cancel": "cancelling", "pause": "pausing", None: job.state}[job.wish]


def name_of(job: Job) -> str:
    """What people call a job: its label, else its workflow's title."""
    name = printable(job.label or job.title or job.workflow[:12])
    return f"{name} [{job.index}]" if job.index is not None else name


def when(time: datetime | None) -> str:
    """A moment in this machine's time zone."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time is not None else "-"


def _seconds(job: Job) -> str:
    return f"{job.seconds:.1f} s" if job.seconds is not None else "-"


def _result(job: Job) -> str:
    if job.error is not None:
        return job.error.message.splitlines()[0]
    return f"{len(job.files)} file{'s' if len(job.files) != 1 else ''}" if job.state == "done" else ""
