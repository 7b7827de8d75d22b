"""`nodegraph jobs`: the jobs of a server, and what may be asked of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import jobs_asking, jobs_history
from .common import ExitCode, JsonOption, print_json, print_json_line, reporting, say
from .reaching import (
    JOB_COLUMNS,
    ServerOption,
    job_rows,
    name_of,
    print_table,
    printable,
    reach,
    shown_files,
    state_of,
    when,
)
from .waiting import exit_code, follow, report_end

if TYPE_CHECKING:
    from ..client import Client
    from ..jobs.model import Job, JobFilter, JobState

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Look at the server's jobs and steer them.", rich_markup_mode=None, no_args_is_help=True)
    group.command("list")(list_jobs)
    group.command("show")(show)
    group.command("watch")(watch)
    group.command("results")(results)
    group.command("queue")(queue)
    jobs_asking.register(group)
    jobs_history.register(group)
    app.add_typer(group, name="jobs")


def list_jobs(
    state: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help="Only jobs in this state; repeatable.")
    ] = None,
    batch: Annotated[str | None, typer.Option("--batch", metavar="ID", help="Only jobs of this batch.")] = None,
    search: Annotated[str, typer.Option("--search", metavar="WORDS", help="Only jobs in which all words occur.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 50,
    before: Annotated[
        int | None, typer.Option("--before", metavar="NUMBER", help="Only jobs before this number: the next page.")
    ] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List jobs, the newest first."""
    with reporting(as_json=as_json), reach(server) as client:
        page = client.jobs(chosen_jobs(state, batch, search), before=before, limit=limit)
        if as_json:
            print_json(page.model_dump(mode="json"))
            return
        print_table(JOB_COLUMNS, job_rows(page.jobs))
        if page.before is not None:
            say(f"there are more: --before {page.before}")


def chosen_jobs(states: list[str] | None, batch: str | None = None, search: str = "") -> JobFilter:
    """A filter of jobs from options."""
    from typing import get_args

    from ..jobs.model import JobFilter, JobState

    chosen: list[JobState] = []
    for each in states or []:
        if each not in get_args(JobState):
            raise typer.BadParameter(f"{each!r}: the states are {', '.join(get_args(JobState))}", param_hint="--state")
        chosen.append(each)  # type: ignore[arg-type]
    return JobFilter(states=tuple(chosen), batch=batch, search=search)


def show(job: JobArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show one job with its inputs, and what came of it."""
    with reporting(as_json=as_json), reach(server) as client:
        found = client.job(job)
        if as_json:
            print_json(found.model_dump(mode="json"))
            return
        for name, value in _details(found, client.output):
            typer.echo(f"{name + ':':<10} {printable(str(value))}")


def _details(job: Job, output: Path | None) -> list[tuple[str, object]]:
    """What is told of a job, by name; what there is nothing to say about is left out."""
    told: list[tuple[str, object]] = [
        ("id", job.id),
        ("name", name_of(job)),
        ("state", state_of(job)),
        ("batch", job.batch),
        ("priority", job.priority or None),
        ("sent", when(job.created)),
        ("started", when(job.started) if job.started is not None else None),
        ("finished", when(job.finished) if job.finished is not None else None),
        ("took", f"{job.seconds:.1f} s: {job.ran} nodes ran, {job.cached} were stored" if job.seconds else None),
        ("lost", f"{job.losses} workers, of at most {job.attempts}" if job.losses else None),
        ("error", job.error.message if job.error is not None else None),
    ]
    told += [("input", f"{name} = {value!r}") for name, value in job.inputs.items()]
    told += [("output", f"{name} = {value}") for name, value in job.outputs.items()]
    told += [("file", path) for path in shown_files(job, output)]
    return [(name, value) for name, value in told if value is not None]


def watch(
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="The job's id; all jobs without one.")] = None,
    server: ServerOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print events as JSON, one per line.")] = False,
) -> None:
    """Show what happens: to one job until it has ended, or to all until Ctrl-C.

    With a job it ends with the exit code that `nodegraph run` would have ended with.
    """
    with reporting(as_json=as_json), reach(server) as client:
        if job is None:
            _watch_all(client, as_json=as_json)
        elif as_json:
            ended = client.wait(job, lambda event: print_json_line(event.model_dump(mode="json")))
            raise typer.Exit(exit_code(ended))
        else:
            report_end(client, follow(client, job, quiet=False), as_json=False)


def _watch_all(client: Client, *, as_json: bool) -> None:
    try:
        for event in client.events():
            if as_json:
                print_json_line(event.model_dump(mode="json"))
            elif not event.kind.startswith(("node_", "run_")):
                typer.echo(f"{when(event.time)}  {event.job or 'queue'}  {event.kind}")
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.DONE) from None


def results(
    job: JobArgument,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Save the files into this folder.")] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a job gave, and save the files that it wrote."""
    with reporting(as_json=as_json), reach(server) as client:
        found = client.results(job)
        saved: list[Path] = []
        for number, each in enumerate(found.files if to is not None else []):
            assert to is not None
            path = to / Path(each.name).name
            client.save_file(job, number, path)
            saved.append(path)
        if as_json:
            document = found.model_dump(mode="json")
            print_json(document | ({"saved": [str(each) for each in saved]} if to is not None else {}))
            return
        for name, value in found.outputs.items():
            typer.echo(f"{name}: {printable(str(value))}")
        output = client.output
        there = [str(output / each.name) if output is not None else each.name for each in found.files]
        for line in map(str, saved) if to is not None else there:
            typer.echo(line)


def queue(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 50,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the waiting jobs in the order in which they will run."""
    with reporting(as_json=as_json), reach(server) as client:
        found = client.queue(limit)
        if as_json:
            print_json(found.model_dump(mode="json"))
            return
        print_table(("id", "state", "priority", "name", "sent"), _queue_rows(found.jobs))
        counts = ", ".join(f"{count} {state}" for state, count in found.counts.items() if count)
        say(f"{'paused' if found.paused else 'open'}: {counts or 'no jobs'}")


def _queue_rows(jobs: list[Job]) -> list[list[str]]:
    return [[each.id, state_of(each), str(each.priority), name_of(each), when(each.created)] for each in jobs]
