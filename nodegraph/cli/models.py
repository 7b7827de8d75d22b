"""`nodegraph models`: the files that workflows can name."""

from __future__ import annotations

from typing import Annotated

import typer

from .common import JsonOption, print_json, report_failures, reporting, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("models")(list_models)


def list_models(
    kind: Annotated[str, typer.Option(help="Only this kind of file, such as checkpoint.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the model files that workflows can name, by kind, with the folders they are looked for in."""
    with reporting(as_json=as_json):
        from ..catalog import load_catalog
        from ..errors import NodegraphError
        from ..execution.resolve import FileResolver
        from ..ports.types import path_kinds
        from ..settings import load_settings

        settings = load_settings()
        catalog = load_catalog(settings)
        files = FileResolver(settings, catalog.packs)
        used = {found for each in catalog.values() for port in each.inputs for found in path_kinds(port.type)}
        kinds = [kind] if kind else sorted(used)
        found: list[tuple[str, str, int]] = []
        unusable: list[NodegraphError] = []
        for each in kinds:
            for name in files.names(each):
                try:
                    found.append((each, name, files.resolve(each, name).stat().st_size))
                except NodegraphError as error:
                    unusable.append(error)
        if as_json:
            print_json([{"kind": each, "name": name, "bytes": size} for each, name, size in found])
            return
        report_failures(catalog)
        for refused in unusable:
            say(f"nodegraph: warning: {refused}")
        for each in kinds:
            say(f"{each}: looked for in {', '.join(map(str, settings.folders_of(each)))}")
        for each, name, size in found:
            typer.echo(f"{each:<14} {size / 1e6:>10.1f} MB  {name}")
