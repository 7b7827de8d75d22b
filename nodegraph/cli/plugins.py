"""`nodegraph plugins`: the node packs there are, and a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import JsonOption, print_json, report_failures, reporting, say


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="List the node packs, make a new one.", rich_markup_mode=None, no_args_is_help=True)
    group.command("list")(list_plugins)
    group.command("new")(new_plugin)
    app.add_typer(group, name="plugins")


def list_plugins(as_json: JsonOption = False) -> None:
    """List the node packs with where they lie and how many nodes they bring; those that fail, with the reason."""
    with reporting(as_json=as_json):
        from ..catalog import load_catalog
        from ..settings import load_settings

        catalog = load_catalog(load_settings())
        counts = dict.fromkeys(catalog.packs, 0)
        for each in catalog.values():
            counts[each.pack] += 1
        if as_json:
            found = [
                {"name": pack.name, "folder": str(pack.folder), "nodes": counts[pack.name]}
                for pack in catalog.packs.values()
            ]
            failures = [{"name": each.pack, "reason": each.reason} for each in catalog.failures]
            print_json({"packs": found, "failures": failures})
            return
        for pack in catalog.packs.values():
            typer.echo(f"{pack.name:<20} {counts[pack.name]:>4} nodes  {pack.folder}")
        report_failures(catalog)


def new_plugin(
    name: Annotated[str, typer.Argument(help="The pack's name: lower-case letters, digits and _.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Where to make its folder.")] = Path(),
) -> None:
    """Make a new node pack with one node, a test that passes, and what is needed to publish it."""
    with reporting():
        from ..scaffold import new_pack

        folder = new_pack(name, into)
        typer.echo(str(folder))
        say(f"its node: {name}.mix, in {folder / name / 'nodes.py'}")
        say(f"try it: cd {folder}; python -m pytest; NODEGRAPH_PLUGINS=$PWD nodegraph nodes show {name}.mix")
