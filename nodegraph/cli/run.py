"""`nodegraph run`: runs a workflow; its declared inputs are options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import JsonOption, print_json, reporting
from .declared import (
    DeviceOption,
    Given,
    PrecisionOption,
    SetOption,
    UpToOption,
    register_with_inputs,
    values_of,
)
from .inputs import shown, stopping, write_sets

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..execution.run import RunResult
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
    json: JsonOption = False


def _run(workflow: Workflow, catalog: Catalog, given: Given, options: RunOptions) -> None:
    with reporting(as_json=options.json):
        from ..execution.cancel import CancelToken
        from ..execution.run import Runner
        from ..settings import load_settings
        from .progress import watching

        overrides = {"output": options.output, "device": options.device, "precision": options.precision}
        token = CancelToken()
        with (
            Runner(load_settings(overrides), catalog=catalog) as runner,
            stopping(token),
            watching(quiet=options.json) as listener,
        ):
            bound = write_sets(workflow, catalog, options.set or [])
            inputs, use_cache = values_of(runner, given), not options.no_cache
            result = runner.run(
                bound, inputs, targets=options.up_to, on_event=listener, cancel=token, use_cache=use_cache
            )
        _report(result, as_json=options.json)


def _report(result: RunResult, *, as_json: bool) -> None:
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
