"""`nodegraph nodes`: which nodes there are and how they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .common import ExitCode, JsonOption, print_json, report_failures, reporting, say

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..definition import InputDefinition, NodeDefinition


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
        catalog = _catalog()
        chosen = [each for each in catalog.values() if not category or each.category.startswith(category)]
        if as_json:
            print_json([each.model_dump(mode="json") for each in chosen])
            return
        report_failures(catalog)
        for each in sorted(chosen, key=lambda each: (each.category, each.id)):
            typer.echo(f"{each.category:<24} {each.id:<36} {each.title}")


def show_node(name: Annotated[str, typer.Argument(help="The node's id.")], as_json: JsonOption = False) -> None:
    """Show a node's help, inputs and outputs."""
    with reporting(as_json=as_json):
        catalog = _catalog()
        definition = catalog.get(name)
        if definition is None:
            near = " or ".join(map(repr, catalog.nearest(name)))
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


def _page(definition: NodeDefinition) -> str:
    from ..ports.types import describe

    lines = [
        f"{definition.id} (version {definition.version}, {definition.category}, pack {definition.pack})",
        f"  {definition.title}",
    ]
    lines += ["", *(f"  {line}" for line in definition.doc.splitlines())] if definition.doc else []
    lines += ["", "inputs:"] + [
        f"  {each.name}: {describe(each.type)}{_default(each)}{_help(each.doc)}" for each in definition.inputs
    ]
    lines += ["", "outputs:"] + [
        f"  {each.name}: {describe(each.type)}{_help(each.doc)}" for each in definition.outputs
    ]
    return "\n".join(lines)


def _default(port: InputDefinition) -> str:
    return "" if port.required else f" = {port.default!r}"


def _help(doc: str) -> str:
    return f"\n      {doc}" if doc else ""
