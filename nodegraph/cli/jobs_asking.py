"""What may be asked of jobs: `nodegraph jobs cancel` and its like."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from .common import ExitCode, JsonOption, print_json, reporting, say
from .reaching import ServerOption, name_of, reach, state_of

if TYPE_CHECKING:
    from ..client import Client
    from ..jobs.model import Batch, Job

JobsArgument = Annotated[list[str] | None, typer.Argument(metavar="JOB...", help="The ids of jobs.")]
OneOrMore = Annotated[list[str], typer.Argument(metavar="JOB...", help="The ids of jobs.")]
BatchOption = Annotated[str | None, typer.Option("--batch", metavar="ID", help="All jobs of this batch.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (
        ("cancel", cancel),
        ("pause", pause),
        ("resume", resume),
        ("retry", retry),
        ("move", move),
        ("delete", delete),
        ("pause-queue", pause_queue),
        ("resume-queue", resume_queue),
    ):
        group.command(name)(command)


def cancel(
    jobs: JobsArgument = None, batch: BatchOption = None, server: ServerOption = None, as_json: JsonOption = False
) -> None:
    """Stop jobs for good: waiting ones at once, running ones within a step."""
    with reporting(as_json=as_json), reach(server) as client:
        _ask_all(client, jobs, batch, client.cancel, client.cancel_batch, as_json=as_json)


def pause(
    jobs: JobsArgument = None, batch: BatchOption = None, server: ServerOption = None, as_json: JsonOption = False
) -> None:
    """Stop jobs for a while; what they computed is kept."""
    with reporting(as_json=as_json), reach(server) as client:
        _ask_all(client, jobs, batch, client.pause, client.pause_batch, as_json=as_json)


def resume(
    jobs: JobsArgument = None, batch: BatchOption = None, server: ServerOption = None, as_json: JsonOption = False
) -> None:
    """Let paused jobs go on."""
    with reporting(as_json=as_json), reach(server) as client:
        _ask_all(client, jobs, batch, client.resume, client.resume_batch, as_json=as_json)


def retry(jobs: OneOrMore, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Run jobs again that are done, failed or cancelled; what is stored is not computed again."""
    with reporting(as_json=as_json), reach(server) as client:
        _ask_all(client, jobs, None, client.retry, None, as_json=as_json)


def delete(jobs: OneOrMore, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Forget jobs that do not run; the files that they wrote stay."""
    with reporting(as_json=as_json), reach(server) as client:
        _ask_all(client, jobs, None, client.delete, None, as_json=as_json, done="deleted")


def move(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The id of a waiting job.")],
    first: Annotated[bool, typer.Option("--first", help="Before all others of its priority.")] = False,
    last: Annotated[bool, typer.Option("--last", help="After all others of its priority.")] = False,
    before: Annotated[
        str | None, typer.Option("--before", metavar="JOB", help="Before this one, with its priority.")
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="JOB", help="After this one, with its priority.")
    ] = None,
    priority: Annotated[
        int | None, typer.Option("--priority", min=-1000, max=1000, help="Give it this priority.")
    ] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a waiting job elsewhere in the queue."""
    from ..jobs.model import Placement

    if first and last:
        raise typer.BadParameter("--first and --last exclude each other")
    with reporting(as_json=as_json), reach(server) as client:
        end = "first" if first else "last" if last else None
        placement = Placement(to=end, before=before, after=after, priority=priority)
        _report([client.move(job, placement)], as_json=as_json, done="moved")


def pause_queue(server: ServerOption = None) -> None:
    """Begin no more jobs; what runs goes on."""
    with reporting(), reach(server) as client:
        client.pause_queue()
        say("the queue is paused")


def resume_queue(server: ServerOption = None) -> None:
    """Begin jobs again."""
    with reporting(), reach(server) as client:
        client.resume_queue()
        say("the queue is open")


def _ask_all(
    client: Client,
    jobs: list[str] | None,
    batch: str | None,
    of_job: Callable[[str], Job],
    of_batch: Callable[[str], Batch] | None,
    *,
    as_json: bool,
    done: str = "",
) -> None:
    """Ask it of each job or of a batch; a job that refuses does not keep the others from it."""
    from ..client import ServerRefused

    if batch is not None and of_batch is not None:
        if jobs:
            raise typer.BadParameter("name jobs, or a batch, not both")
        found = of_batch(batch)
        counts = ", ".join(f"{count} {state}" for state, count in found.counts.items() if count)
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            typer.echo(f"{found.id}  {counts}")
        return
    if not jobs:
        raise typer.BadParameter(
            "name at least one job" + (", or a batch with --batch" if of_batch is not None else "")
        )
    asked, refused = [], 0
    for each in jobs:
        try:
            asked.append(of_job(each))
        except ServerRefused as error:
            if len(jobs) == 1:
                raise
            say(f"nodegraph: {error}")
            refused += 1
    _report(asked, as_json=as_json, done=done)
    if refused:
        raise typer.Exit(ExitCode.FAILED)


def _report(jobs: list[Job], *, as_json: bool, done: str = "") -> None:
    if as_json:
        print_json([each.model_dump(mode="json") for each in jobs])
        return
    for each in jobs:
        typer.echo(f"{each.id}  {done or state_of(each)}  {name_of(each)}")
