"""`nodegraph run`: runs a workflow; its declared inputs are options."""

from __future__ import annotations

import inspect
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .common import ExitCode, JsonOption, load_workflow, parse_text, print_json, report_failures, reporting, say

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..execution.cancel import CancelToken
    from ..execution.run import Runner, RunResult
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
            _command(workflow, catalog, declared)
        )
        command(arguments, prog_name=f"nodegraph run {name}")


def _command(workflow: Workflow, catalog: Catalog, declared: list[DeclaredInput]) -> Callable[..., None]:
    """A function whose signature holds the declared inputs beside the options of every run."""
    options = dict(inspect.signature(_run).parameters)
    taken = {"help", *(_option_name(name) for name in options)}
    names = {f"input_{index}": each for index, each in enumerate(declared)}

    def command(**given: Any) -> None:
        values = {names[key].name: given.pop(key) for key in list(given) if key in names}
        _run(
            workflow,
            catalog,
            {each.name: each for each in declared},
            {k: v for k, v in values.items() if v is not None},
            **given,
        )

    for name in ("workflow", "catalog", "declared", "values"):
        options.pop(name)
    parameters = [_option(key, each, taken) for key, each in names.items()]
    command.__signature__ = inspect.Signature([*parameters, *options.values()])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (*parameters, *options.values())}
    return command


def _option_name(parameter: str) -> str:
    return {"sets": "set", "as_json": "json", "up_to": "up-to", "no_cache": "no-cache"}.get(parameter, parameter)


def _option(key: str, declared: DeclaredInput, taken: set[str]) -> inspect.Parameter:
    from ..ports.types import ScalarType, describe

    flag = declared.name.replace("_", "-")
    flag = f"input-{flag}" if flag in taken else flag
    kind = declared.port.type
    is_flag = isinstance(kind, ScalarType) and kind.kind == "bool"
    known = "required" if declared.required else f"default: {declared.default!r}"
    text = f"{declared.help or declared.title} ({describe(kind)}; {known})"
    option = typer.Option(f"--{flag}/--no-{flag}" if is_flag else f"--{flag}", help=text, show_default=False)
    annotation: object = Annotated[bool | None, option] if is_flag else Annotated[str | None, option]
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _run(
    workflow: Workflow,
    catalog: Catalog,
    declared: dict[str, DeclaredInput],
    values: dict[str, Any],
    *,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="Write any input: node.input=value. May be repeated.")
    ] = None,
    up_to: Annotated[
        list[str] | None, typer.Option("--up-to", help="Run only what this node needs. May be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Folder to write into (default: ./output).")] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"] | None, typer.Option("--device", help="Where to compute.")
    ] = None,
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"] | None,
        typer.Option("--precision", help="The dtype to compute in."),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write stored results.")] = False,
    as_json: JsonOption = False,
) -> None:
    with reporting(as_json=as_json):
        from ..execution.cancel import CancelToken
        from ..execution.run import Runner
        from ..settings import load_settings
        from .progress import watching

        settings = load_settings({"output": output, "device": device, "precision": precision})
        token = CancelToken()
        with Runner(settings, catalog=catalog) as runner, _stopping(token), watching(quiet=as_json) as listener:
            bound = _write_sets(workflow, catalog, sets or [])
            inputs = {name: _value(runner, declared[name], value) for name, value in values.items()}
            result = runner.run(bound, inputs, targets=up_to, on_event=listener, cancel=token, use_cache=not no_cache)
        _report(result, as_json=as_json)


def _value(runner: Runner, declared: DeclaredInput, given: Any) -> Any:
    from ..execution.resolve import BUNDLED
    from ..ports.types import path_kinds

    kinds = path_kinds(declared.port.type)
    if isinstance(given, str) and kinds and not given.startswith(BUNDLED) and Path(given).is_file():
        return runner.import_file(kinds[0], Path(given))
    return parse_text(declared.port.type, given) if isinstance(given, str) else given


def _write_sets(workflow: Workflow, catalog: Catalog, texts: list[str]) -> Workflow:
    values = {}
    for text in texts:
        place, equals, value = text.partition("=")
        node, dot, port = place.rpartition(".")
        entry = workflow.nodes.get(node)
        if not equals or not dot or entry is None:
            raise typer.BadParameter(
                f"{text!r} is not node.input=value with a node of this workflow", param_hint="--set"
            )
        definition = catalog.get(entry.type)
        known = definition.inputs_by_name.get(port) if definition else None
        values[node, port] = parse_text(known.type, value) if known else value
    return workflow.with_values(values)


@contextmanager
def _stopping(token: CancelToken) -> Iterator[None]:
    """The first Ctrl-C asks the run to stop within a step, the second one stops at once."""

    def stop(*_: object) -> None:
        if token.is_set():
            raise KeyboardInterrupt
        token.cancel()
        say("stopping after this step; once more to stop at once")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _report(result: RunResult, *, as_json: bool) -> None:
    shown = {name: _shown(value) for name, value in result.outputs.items()}
    if as_json:
        print_json(
            {
                "status": "done",
                "outputs": shown,
                "ran": result.ran,
                "cached": result.cached,
                "seconds": round(result.seconds, 3),
            }
        )
        return
    for name, value in shown.items():
        typer.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")


def _shown(value: Any) -> Any:
    """A result as JSON: paths and plain values as they are, others by their type."""
    match value:
        case Path():
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_shown(each) for each in value]
        case dict():
            return {str(name): _shown(each) for name, each in value.items()}
        case _:
            return f"<{type(value).__name__}>"
