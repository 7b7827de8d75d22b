"""`nodegraph run`: runs a workflow; its declared inputs are options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from .apart import prints_apart
from .common import ExitCode, JsonOption, load_workflow, print_json, report_failures, reporting
from .inputs import port_named, shown, stopping, value_from_text, write_sets

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..execution.run import Runner, RunResult
    from ..ports.types import PortType
    from ..workflow.inputs import DeclaredInput
    from ..workflow.model import Workflow

_HELP = """Run a workflow.

nodegraph run FLOW.json [OPTIONS], where FLOW.json may be - for standard input. The inputs that the workflow
declares are options: nodegraph run FLOW.json --help lists them."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("run", help=_HELP, context_settings=settings, add_help_option=False)(run)


def run(context: typer.Context) -> None:
    """Read the workflow, then let a command made for its inputs parse the options."""
    arguments = list(context.args)
    if not arguments or arguments[0].startswith("--"):
        typer.echo(context.get_help())
        raise typer.Exit(ExitCode.DONE if arguments == ["--help"] else ExitCode.USAGE)
    as_json = "--json" in arguments
    with reporting(as_json=as_json):
        from ..catalog import load_catalog
        from ..settings import load_settings
        from ..workflow.inputs import declared_inputs

        name = arguments.pop(0)
        workflow = load_workflow(name)
        catalog = load_catalog(load_settings())
        if not as_json:
            report_failures(catalog)
        declared = declared_inputs(workflow, catalog)
        command = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
        command.command(name=f"nodegraph run {name}", help=workflow.description or workflow.title or _HELP)(
            _command(name, workflow, catalog, declared)
        )
        command(arguments, prog_name=f"nodegraph run {name}")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of every run, beside the inputs that the workflow declares."""

    set: Annotated[list[str] | None, typer.Option("--set", help="Write any input: node.input=value; repeatable.")] = (
        None
    )
    up_to: Annotated[
        list[str] | None, typer.Option("--up-to", metavar="NODE", help="Run only what this node needs; repeatable.")
    ] = None
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Folder to write into (default: ./output).")
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"] | None, typer.Option("--device", help="Where to compute.")
    ] = None
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"] | None,
        typer.Option("--precision", help="The dtype to compute in."),
    ] = None
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
    values: Mapping[str, Any]
    options: RunOptions


def _command(name: str, workflow: Workflow, catalog: Catalog, declared: list[DeclaredInput]) -> Callable[..., None]:
    """A function whose signature holds the declared inputs and the options of every run."""
    names = {f"input_{index}": each for index, each in enumerate(declared)}

    def command(**given: Any) -> None:
        values = [(each, given.pop(key)) for key, each in names.items()]
        chosen = {each.name: value for each, value in values if value is not None}
        _run(Request(name=name, values=chosen, options=RunOptions(**given)), workflow, catalog)

    hints = get_type_hints(RunOptions, include_extras=True)
    taken = {"help", *(field.name.replace("_", "-") for field in fields(RunOptions))}
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [_option(key, each, taken) for key, each in names.items()]
    parameters += [
        inspect.Parameter(field.name, keyword, default=field.default, annotation=hints[field.name])
        for field in fields(RunOptions)
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _option(key: str, declared: DeclaredInput, taken: set[str]) -> inspect.Parameter:
    from ..ports.types import ScalarType, describe

    flag = declared.name.replace("_", "-")
    flag = f"input-{flag}" if flag in taken else flag
    kind = declared.port.type
    is_flag = isinstance(kind, ScalarType) and kind.kind == "bool"
    known = "required" if declared.required else f"default: {declared.default!r}"
    help_text = declared.title if declared.title != declared.name else declared.help
    text = f"{help_text} ({describe(kind)}; {known})"
    names = f"--{flag}/--no-{flag}" if is_flag else f"--{flag}"
    metavar = None if is_flag else _metavar(kind)
    option = typer.Option(names, help=text, show_default=False, metavar=metavar)
    annotation: object = Annotated[bool | None, option] if is_flag else Annotated[str | None, option]
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _metavar(port: PortType) -> str:
    """What stands for the value in the help, such as INT or TEXT."""
    kind = getattr(port, "kind", "")
    return {"int": "INT", "float": "NUMBER", "path": "FILE", "choice": "CHOICE"}.get(kind, "TEXT")


def _run(request: Request, workflow: Workflow, catalog: Catalog) -> None:
    from ..execution.run import Runner
    from ..settings import load_settings
    from .watch import watch

    options = request.options
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
    from ..workflow.inputs import bind_inputs

    written = write_sets(workflow, runner.catalog, request.options.set or [])
    inputs = {
        name: value_from_text(runner, port_named(workflow, runner.catalog, name), value)
        if isinstance(value, str)
        else value
        for name, value in request.values.items()
    }
    return bind_inputs(written, inputs)


def run_once(request: Request, workflow: Workflow, runner: Runner) -> RunResult:
    """Run a workflow into which everything is written; Ctrl-C stops it."""
    from ..execution.cancel import CancelToken
    from .progress import watching

    options, token = request.options, CancelToken()
    with stopping(token), watching(quiet=options.json) as listener, prints_apart():
        return runner.run(
            workflow, targets=options.up_to, on_event=listener, cancel=token, use_cache=not options.no_cache
        )


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
