"""Following jobs that a server runs: what happens is shown as `nodegraph run` shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from .common import ExitCode, print_json, say
from .reaching import shown_files

if TYPE_CHECKING:
    from ..client import Client
    from ..jobs.model import Job, JobEvent

_WORDS = {
    "started": "it runs",
    "paused": "it is paused; nodegraph jobs resume lets it go on",
    "interrupted": "it was interrupted and waits to go on",
    "cancelling": "it is asked to stop",
    "pausing": "it is asked to pause",
    "retried": "it waits to run again",
}
"""What is said of events of a job itself."""


def follow(client: Client, job: str, *, quiet: bool) -> Job:
    """Wait until a job has ended and show what happens meanwhile; Ctrl-C leaves the job alone.

    Raises typer.Exit on Ctrl-C.
    """
    try:
        with job_display(quiet=quiet) as told:
            return client.wait(job, told)
    except KeyboardInterrupt:
        say(f"the job goes on; nodegraph jobs watch {job} shows it again, nodegraph jobs cancel {job} stops it")
        raise typer.Exit(ExitCode.CANCELLED) from None


@contextmanager
def job_display(*, quiet: bool) -> Iterator[Callable[[JobEvent], None]]:
    """Shows a job's events on standard error while the block lasts."""
    if quiet:
        yield lambda event: None
        return
    from ..jobs.hearing import run_event
    from .progress import watching

    with watching() as listener:

        def told(event: JobEvent) -> None:
            found = run_event(event)
            if found is not None:
                listener(found)
            elif event.kind in _WORDS:
                say(_WORDS[event.kind])

        yield told


def report_end(client: Client, job: Job, *, as_json: bool) -> None:
    """Print what a job gave, and leave with the exit code that `nodegraph run` would have ended with."""
    code = exit_code(job)
    if as_json:
        print_json(job.model_dump(mode="json"))
    elif job.state == "done":
        report_outputs(client, job)
    else:
        say(f"nodegraph: {job.error.message if job.error is not None else 'the job was cancelled'}")
    raise typer.Exit(code)


def report_outputs(client: Client, job: Job) -> None:
    """Print the outputs of a job, and the files that it wrote."""
    for name, value in job.outputs.items():
        typer.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    for path in shown_files(job, client.output):
        typer.echo(path)


def exit_code(job: Job) -> ExitCode:
    """What a command ends with for a job that has ended."""
    if job.state == "done":
        return ExitCode.DONE
    if job.state == "cancelled":
        return ExitCode.CANCELLED
    return ExitCode.INVALID if job.error is not None and job.error.kind == "invalid" else ExitCode.FAILED
