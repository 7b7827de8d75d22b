"""`nodegraph submit`: sends a workflow to the server; its declared inputs are options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import ExitCode, JsonOption, print_json, reporting, say
from .declared import Given, SetOption, UpToOption, register_with_inputs, values_of
from .reaching import ServerOption, reach
from .waiting import exit_code, follow, report_end

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ..catalog import Catalog
    from ..client import Client
    from ..execution.run import Runner
    from ..jobs.model import Job, JobOptions
    from ..workflow.model import Workflow

_HELP = """Send a workflow to the server.

nodegraph submit FLOW.json [OPTIONS], where FLOW.json may be - for standard input. The inputs that the workflow
declares are options: nodegraph submit FLOW.json --help lists them. It prints the id of the job, or of the batch."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    register_with_inputs(app, "submit", _HELP, SubmitOptions, _submit)


@dataclass(frozen=True, kw_only=True)
class SubmitOptions:
    """The options of every submission, beside the inputs that the workflow declares."""

    set: SetOption = None
    up_to: UpToOption = None
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="FILE", help="A table, CSV or JSONL: one job per row; - is JSONL.")
    ] = None
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="NAME=VALUES", help="An axis: name=a,b or name=1..5; repeatable."),
    ] = None
    priority: Annotated[int, typer.Option("--priority", min=-1000, max=1000, help="Higher ones run first.")] = 0
    label: Annotated[str, typer.Option("--label", help="What to call it in lists.")] = ""
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="SECONDS", help="The most that one attempt may take.")
    ] = None
    attempts: Annotated[
        int, typer.Option("--attempts", min=1, max=1_000_000, help="How often to begin when workers are lost.")
    ] = 3
    client_key: Annotated[
        str | None, typer.Option("--client-key", metavar="KEY", help="Sent again, it gives the same job.")
    ] = None
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write stored results.")] = False
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is done, and show how far it is.")] = False
    server: ServerOption = None
    json: JsonOption = False


def _submit(name: str, workflow: Workflow, catalog: Catalog, values: Given, options: SubmitOptions) -> None:
    from ..execution.run import Runner
    from ..settings import load_settings
    from .inputs import write_sets

    with reporting(as_json=options.json), reach(options.server) as client:
        client.system()  # tells that there is none before anything is copied
        with Runner(load_settings(), catalog=catalog) as runner:
            written = write_sets(workflow, catalog, options.set or [])
            inputs = values_of(workflow, runner, values)
            rows = _rows(written, inputs, options, runner)
        if rows is None:
            _submit_one(client, written, inputs, options)
        else:
            _submit_batch(client, *rows, options)


def _options(options: SubmitOptions) -> JobOptions:
    from pydantic import ValidationError

    from ..jobs.model import JobOptions

    try:
        return JobOptions(
            targets=options.up_to,
            priority=options.priority,
            time_limit=options.time_limit,
            attempts=options.attempts,
            use_cache=not options.no_cache,
            label=options.label,
        )
    except ValidationError as error:
        first = error.errors()[0]
        flag = "--" + str(first["loc"][0]).replace("_", "-")
        raise typer.BadParameter(first["msg"], param_hint=flag) from error


def _submit_one(client: Client, workflow: Workflow, inputs: Mapping[str, JsonValue], options: SubmitOptions) -> None:
    job = client.submit(workflow, inputs, options=_options(options), client_key=options.client_key)
    if options.wait:
        if not options.json:
            say(f"the job {job.id} is sent")
        report_end(client, follow(client, job.id, quiet=options.json), as_json=options.json)
    if options.json:
        print_json(job.model_dump(mode="json"))
        return
    typer.echo(job.id)
    say(f"sent; nodegraph jobs watch {job.id} shows how far it is")


def _submit_batch(client: Client, workflow: Workflow, rows: list[dict[str, Any]], options: SubmitOptions) -> None:
    sent = client.submit_batch(workflow, rows, options=_options(options), client_key=options.client_key)
    batch, count = sent.batch.id, len(sent.jobs)
    if not options.wait:
        if options.json:
            print_json(sent.model_dump(mode="json"))
            return
        typer.echo(batch)
        say(f"{count} jobs sent; nodegraph jobs list --batch {batch} shows them")
        return
    if not options.json:
        say(f"the batch {batch} with {count} jobs is sent")
    ended = _wait_for_all(client, batch, sent.jobs, quiet=options.json)
    if options.json:
        print_json([each.model_dump(mode="json") for each in ended])
    codes = [exit_code(each) for each in ended]
    raise typer.Exit(next((code for code in codes if code != ExitCode.DONE), ExitCode.DONE))


def _wait_for_all(client: Client, batch: str, jobs: list[str], *, quiet: bool) -> list[Job]:
    """The jobs of a batch when all have ended; each is told of as it ends, in the order of the rows."""
    from .reaching import shown_files

    found: list[Job] = []
    try:
        for number, each in enumerate(jobs, start=1):
            job = client.wait(each)
            found.append(job)
            if not quiet:
                told = ", ".join(shown_files(job, client.output)) or "done"
                told = told if job.state == "done" else f"{job.state}: {job.error.message if job.error else ''}"
                typer.echo(f"[{number}/{len(jobs)}] {told}")
    except KeyboardInterrupt:
        say(f"the jobs go on; nodegraph jobs list --batch {batch} shows them")
        raise typer.Exit(ExitCode.CANCELLED) from None
    return found


def _rows(
    workflow: Workflow, inputs: Mapping[str, JsonValue], options: SubmitOptions, runner: Runner
) -> tuple[Workflow, list[dict[str, JsonValue]]] | None:
    """The rows of a batch, and the workflow with everything declared that they name; None for a single job."""
    from ..execution.batch import make_jobs, read_axis
    from .batch import read_table
    from .inputs import port_named, value_from_text

    if options.rows is None and not options.grid:
        return None
    jobs = make_jobs(read_table(options.rows), [read_axis(each) for each in options.grid or []])
    names = dict.fromkeys(name for job in jobs for name in (*job.values, *job.texts))
    declared = workflow
    renamed = {}
    for name in names:
        if name not in workflow.inputs and name.rpartition(".")[0] in workflow.nodes:
            declared, renamed[name] = _declare(declared, name)
    ports = {name: port_named(workflow, runner.catalog, name) for name in names}
    rows = []
    for job in jobs:
        read = {name: value_from_text(runner, ports[name], text) for name, text in job.texts.items()}
        row = {renamed.get(name, name): value for name, value in {**job.values, **read}.items()}
        rows.append({**inputs, **row})
    return declared, rows


def _declare(workflow: Workflow, place: str) -> tuple[Workflow, str]:
    """The workflow with a declared input that goes to `place`, and its name."""
    from ..workflow.model import WorkflowInput

    name = place.replace(".", "_").replace("-", "_")
    while name in workflow.inputs:
        name += "_"
    inputs = {**workflow.inputs, name: WorkflowInput(to=[place])}
    return workflow.model_copy(update={"inputs": inputs}), name
