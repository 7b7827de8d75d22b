"""`nodegraph cache`: how large the stored results are, and clearing them."""

from __future__ import annotations

import typer

from .common import ExitCode, JsonOption, print_json, reporting, say


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Look at and clear stored results.", rich_markup_mode=None, no_args_is_help=True)
    group.command("info")(show_info)
    group.command("clear")(clear)
    app.add_typer(group, name="cache")


def show_info(as_json: JsonOption = False) -> None:
    """Show where stored results lie and how much room they take."""
    with reporting(as_json=as_json):
        from ..execution.opening import open_disk
        from ..settings import load_settings

        with open_disk(load_settings()) as disk:
            info = disk.info()
        if as_json:
            print_json(
                {"folder": str(info.folder), "entries": info.entries, "bytes": info.bytes, "budget": info.budget}
            )
            return
        typer.echo(
            f"{info.folder}: {info.entries} results, {info.bytes / 1e6:.1f} of at most {info.budget / 1e6:.0f} MB"
        )


def clear() -> None:
    """Delete all stored results; they are computed again when needed."""
    with reporting():
        from ..execution.opening import open_disk
        from ..settings import load_settings

        with open_disk(load_settings()) as disk:
            info = disk.info()
            disk.clear()
            cleared = disk.info().usable
        if not cleared:
            say(f"nodegraph: {info.folder} could not be cleared; its results are still there")
            raise typer.Exit(ExitCode.FAILED)
        typer.echo(f"deleted {info.entries} results, {info.bytes / 1e6:.1f} MB")
