"""`nodegraph run`: runs a workflow; its declared inputs are options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..execution.showing import shown
from .apart import prints_apart
from .common import JsonOption, print_json, reporting
from .declared import DeviceOption, Given, PrecisionOption, SetOption, UpToOption, register_with_inputs, with_inputs
from .inputs import stopping

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..execution.run import Runner, RunResult
    from ..workflow.model import Workflow

_HELP = """Run a workflow.

nodegraph run FLOW.json [OPTIONS], where FLOW.json may be - for standard input. The inputs that the workflow
declares are options: nodegraph run FLOW.json --help lists them."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    register_with_inputs(app, "run", _HELP, RunOptions, _run)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of every run, beside the inputs that the workflow declares."""

    set: SetOption = None
    up_to: UpToOption = None
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Folder to write into (default: ./output).")
    ] = None
    device: DeviceOption = None
    precision: PrecisionOption = None
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write stored results.")] = False
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again whenever the workflow, node code or a file it reads changes.")
    ] = False
    json: JsonOption = False


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a command line asks for.

    name: of the workflow file. values: of declared inputs that were given, by name; texts are still to be understood.
    """

    name: str
    values: Given
    options: RunOptions


def _run(name: str, workflow: Workflow, catalog: Catalog, values: Given, options: RunOptions) -> None:
    from ..execution.run import Runner
    from ..settings import load_settings
    from .watch import watch

    request = Request(name=name, values=values, options=options)
    with reporting(as_json=options.json):
        if options.watch and request.name == "-":
            raise typer.BadParameter("standard input cannot be watched; give a file", param_hint="--watch")
        overrides = {"output": options.output, "device": options.device, "precision": options.precision}
        with Runner(load_settings(overrides), catalog=catalog) as runner:
            if options.watch:
                watch(request, runner)
            else:
                report(run_once(request, bound(request, workflow, runner), runner), as_json=options.json)


def bound(request: Request, workflow: Workflow, runner: Runner) -> Workflow:
    """The workflow with all that was given on the command line written in."""
    return with_inputs(workflow, runner, request.options.set or [], request.values)


def run_once(request: Request, workflow: Workflow, runner: Runner) -> RunResult:
    """Run a workflow into which everything is written; Ctrl-C stops it."""
    from ..execution.cancel import CancelToken
    from ..jobs.here import run_here
    from .progress import watching

    options, token = request.options, CancelToken()
    with stopping(token), watching(quiet=options.json) as listener, prints_apart():
        return run_here(runner, workflow, listener, token, targets=options.up_to, use_cache=not options.no_cache)


def report(result: RunResult, *, as_json: bool) -> None:
    """Print what a run gave."""
    found = {name: shown(value) for name, value in result.outputs.items()}
    if as_json:
        print_json(
            {
                "status": "done",
                "outputs": found,
                "ran": result.ran,
                "cached": result.cached,
                "seconds": round(result.seconds, 3),
            }
        )
        return
    for name, value in found.items():
        typer.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
