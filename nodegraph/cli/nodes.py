"""`nodegraph nodes`: which nodes there are and how they are used."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from .common import ExitCode, JsonOption, print_json, report_failures, reporting, say

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..definition import InputDefinition, NodeDefinition, OutputDefinition
    from ..workflow.constructs import Construct


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="List and show nodes.", rich_markup_mode=None, invoke_without_command=True)
    group.callback()(nodes)
    group.command("list")(list_nodes)
    group.command("show")(show_node)
    app.add_typer(group, name="nodes")


def nodes(context: typer.Context, as_json: JsonOption = False) -> None:
    """List and show nodes; with --json alone, all definitions."""
    if context.invoked_subcommand is None:
        list_nodes(as_json=as_json)


def list_nodes(
    category: Annotated[str, typer.Option(help="Only this category.")] = "", as_json: JsonOption = False
) -> None:
    """List the nodes by category."""
    with reporting(as_json=as_json):
        from ..workflow.constructs import CATEGORY, CONSTRUCTS

        catalog = _catalog()
        chosen = [each for each in catalog.values() if not category or each.category.startswith(category)]
        if as_json:
            print_json([each.model_dump(mode="json") for each in chosen])
            return
        report_failures(catalog)
        rows = [(each.category, each.id, each.title) for each in chosen]
        if CATEGORY.startswith(category):
            rows += [(CATEGORY, kind, construct.title) for kind, construct in CONSTRUCTS.items()]
        for place, kind, title in sorted(rows):
            typer.echo(f"{place:<24} {kind:<36} {title}")


def show_node(name: Annotated[str, typer.Argument(help="The node's id.")], as_json: JsonOption = False) -> None:
    """Show a node's help, inputs and outputs."""
    with reporting(as_json=as_json):
        from ..workflow.constructs import CONSTRUCTS

        if name in CONSTRUCTS:
            _show_construct(name, CONSTRUCTS[name], as_json=as_json)
            return
        catalog = _catalog()
        definition = catalog.get(name)
        if definition is None:
            near = " or ".join(map(repr, difflib.get_close_matches(name, [*catalog, *CONSTRUCTS], n=3, cutoff=0.5)))
            say(f"nodegraph: there is no node {name!r}{f'; did you mean {near}?' if near else ''}")
            raise typer.Exit(ExitCode.USAGE)
        if as_json:
            print_json(definition.model_dump(mode="json"))
        else:
            typer.echo(_page(definition))


def _catalog() -> Catalog:
    from ..catalog import load_catalog
    from ..settings import load_settings

    return load_catalog(load_settings())


def _show_construct(kind: str, construct: Construct, *, as_json: bool) -> None:
    """One of the node types that belong to the engine: they run a graph of the file."""
    from ..workflow.constructs import CATEGORY

    if as_json:
        fields = {**asdict(construct), "own": [each.model_dump(mode="json") for each in construct.own]}
        print_json({"id": kind, "version": "1", "category": CATEGORY, **fields})
        return
    lines = [f"{kind} (version 1, {CATEGORY}, part of nodegraph)", f"  {construct.title}", "", f"  {construct.doc}"]
    lines += ["", "options:", *(f"  {name}:{_help(text)}" for name, text in construct.options.items())]
    lines += ["", "inputs:", f"  {construct.inputs}", *map(_input, construct.own)]
    lines += ["", "outputs:", f"  {construct.outputs}"]
    typer.echo("\n".join(lines))


def _page(definition: NodeDefinition) -> str:
    lines = [
        f"{definition.id} (version {definition.version}, {definition.category}, pack {definition.pack})",
        f"  {definition.title}",
    ]
    lines += ["", *(f"  {line}" for line in definition.doc.splitlines())] if definition.doc else []
    lines += ["", "inputs:", *map(_input, definition.inputs)]
    lines += ["", "outputs:", *map(_output, definition.outputs)]
    return "\n".join(lines)


def _input(port: InputDefinition) -> str:
    from ..ports.types import describe

    lazy = {"whole": ", computed when it is asked for", "items": ", each computed when it is asked for"}.get(
        port.lazy, ""
    )
    return f"  {port.name}: {describe(port.type)}{_default(port)}{lazy}{_help(port.doc)}"


def _output(port: OutputDefinition) -> str:
    from ..ports.types import describe

    return f"  {port.name}: {describe(port.type)}{', or blocked' if port.may_block else ''}{_help(port.doc)}"


def _default(port: InputDefinition) -> str:
    return "" if port.required else f" = {port.default!r}"


def _help(doc: str) -> str:
    return f"\n      {doc}" if doc else ""
