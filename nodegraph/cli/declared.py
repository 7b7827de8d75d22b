"""Commands whose options are the inputs that a workflow declares: the workflow is read first, then its options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_type_hints

import typer

from .common import ExitCode, load_workflow, report_failures, reporting
from .inputs import port_named, value_from_text, write_sets

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import JsonValue

    from ..catalog import Catalog
    from ..execution.run import Runner
    from ..ports.types import PortType
    from ..workflow.inputs import DeclaredInput
    from ..workflow.model import Workflow

Options = TypeVar("Options", bound="DataclassInstance")

Given = Mapping[str, Any]
"""What was given for declared inputs, by name: texts, still to be understood, or truth values."""

Action = Callable[[str, "Workflow", "Catalog", Given, Options], None]
"""What a command does, given the name of the file, what is in it, and what was typed."""

DeviceOption = Annotated[
    Literal["auto", "cpu", "cuda", "mps"] | None, typer.Option("--device", help="Where to compute.")
]
PrecisionOption = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"] | None,
    typer.Option("--precision", help="The dtype to compute in."),
]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="Write any input: node.input=value; repeatable.")]
UpToOption = Annotated[
    list[str] | None, typer.Option("--up-to", metavar="NODE", help="Run only what this node needs; repeatable.")
]


def register_with_inputs(
    app: typer.Typer, name: str, text: str, options: type[Options], action: Action[Options]
) -> None:
    """Add a command NAME FLOW.json that takes a workflow's declared inputs as options, beside those of `options`.

    text: its help. options: a dataclass whose fields are annotated as typer wants. action: what it does.
    """
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}

    def read(context: typer.Context) -> None:
        _read(context, name, text, options, action)

    app.command(name, help=text, context_settings=settings, add_help_option=False)(read)


def _read(context: typer.Context, name: str, text: str, options: type[Options], action: Action[Options]) -> None:
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

        file = arguments.pop(0)
        workflow = load_workflow(file)
        catalog = load_catalog(load_settings())
        if not as_json:
            report_failures(catalog)
        declared = declared_inputs(workflow, catalog)
        command = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
        command.command(name=f"nodegraph {name} {file}", help=workflow.description or workflow.title or text)(
            _command(declared, options, lambda values, chosen: action(file, workflow, catalog, values, chosen))
        )
        command(arguments, prog_name=f"nodegraph {name} {file}")


def with_inputs(workflow: Workflow, runner: Runner, sets: list[str], given: Given) -> Workflow:
    """The workflow with all that was given on the command line written in; files of this machine become names that
    workflows may use.
    """
    from ..workflow.inputs import bind_inputs

    return bind_inputs(write_sets(workflow, runner.catalog, sets), values_of(workflow, runner, given))


def values_of(workflow: Workflow, runner: Runner, given: Given) -> dict[str, JsonValue]:
    """The values of declared inputs that were given on the command line."""
    return {
        name: value_from_text(runner, port_named(workflow, runner.catalog, name), value)
        if isinstance(value, str)
        else value
        for name, value in given.items()
    }


def _command(
    declared: list[DeclaredInput], options: type[Options], act: Callable[[Given, Options], None]
) -> Callable[..., None]:
    """A function whose signature holds the declared inputs and the command's own options."""
    names = {f"input_{index}": each for index, each in enumerate(declared)}

    def command(**given: Any) -> None:
        values = [(each, given.pop(key)) for key, each in names.items()]
        act({each.name: value for each, value in values if value is not None}, options(**given))

    hints = get_type_hints(options, include_extras=True)
    taken = {"help", *(field.name.replace("_", "-") for field in fields(options))}
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [_option(key, each, taken) for key, each in names.items()]
    parameters += [
        inspect.Parameter(field.name, keyword, default=field.default, annotation=hints[field.name])
        for field in fields(options)
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
