"""`nodegraph models`: the files that workflows can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import JsonOption, print_json, report_failures, reporting, say

if TYPE_CHECKING:
    from ..execution.resolve import FileResolver


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
        from ..errors import shorten
        from ..execution.resolve import FileResolver
        from ..ports.types import path_kinds
        from ..settings import load_settings

        settings = load_settings()
        catalog = load_catalog(settings)
        files = FileResolver(settings, catalog.packs)
        used = {found for each in catalog.values() for port in each.inputs for found in path_kinds(port.type)}
        known = sorted(used | settings.folders.keys())
        if kind and kind not in known:
            raise typer.BadParameter(f"there is no kind {shorten(kind)}; there are {', '.join(known)}")
        kinds = [kind] if kind else known
        found = [_file(files, each, name) for each in kinds for name in files.names(each)]
        if as_json:
            print_json(found)
            return
        report_failures(catalog)
        for each in kinds:
            say(f"{each}: looked for in {', '.join(map(str, settings.folders_of(each)))}")
        for file in found:
            if "problem" in file:
                say(f"nodegraph: warning: {file['problem']}")
            else:
                typer.echo(f"{file['kind']:<14} {file['bytes'] / 1e6:>10.1f} MB  {file['name']}")


def _file(files: FileResolver, kind: str, name: str) -> dict[str, Any]:
    """One line of the list; a file that no workflow could use says why, so that it does not hide the others."""
    from ..errors import FileMissing, FileNotAllowed
    from ..files import size_of

    try:
        return {"kind": kind, "name": name, "bytes": size_of(files.resolve(kind, name))}
    except (FileMissing, FileNotAllowed) as error:
        return {"kind": kind, "name": name, "bytes": None, "problem": str(error)}
