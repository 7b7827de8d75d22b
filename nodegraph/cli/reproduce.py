"""`nodegraph reproduce`: makes a picture again from its recipe and compares."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .apart import prints_apart
from .common import ExitCode, JsonOption, print_json, report_failures, reporting, say

if TYPE_CHECKING:
    from ..execution.reproduce import Reproduction


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce")(reproduce)


def reproduce(
    picture: Annotated[Path, typer.Argument(help="A picture that save_image wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Keep the new picture in this folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the recipe in a picture again, compare the two, and say what differs; ends with 5 when they differ."""
    with reporting(as_json=as_json), tempfile.TemporaryDirectory(prefix="nodegraph-reproduce-") as scratch:
        from ..execution import reproduce as reproducing
        from ..execution.run import Runner
        from ..settings import load_settings
        from .progress import watching

        with Runner(load_settings({"output": Path(scratch)})) as runner, watching(quiet=as_json) as listener:
            if not as_json:
                report_failures(runner.catalog)
            with prints_apart():
                found = reproducing.reproduce(picture, runner, on_event=listener)
        kept = _keep(found, output) if output is not None else None
        if as_json:
            print_json({**reproducing.as_document(found), "made": str(kept) if kept else None})
        else:
            _report(found, kept)
        raise typer.Exit(ExitCode.DONE if found.identical else ExitCode.DIFFERENT)


def _keep(found: Reproduction, folder: Path) -> Path:
    """Put the new picture into a folder; never over the one that it is compared with."""
    target = folder / found.made.name
    if target.exists() and target.samefile(found.original):
        target = target.with_name(f"{target.stem}-reproduced{target.suffix}")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(found.made, target)
    return target


def _report(found: Reproduction, kept: Path | None) -> None:
    for change in found.changes:
        say(f"  ~ {change}")
    if found.identical:
        verdict = "identical"
    elif found.largest is None:
        verdict = f"different: {_form(found.original)} then, {_form(found.made)} now"
    else:
        verdict = f"different: by at most {found.largest} of 255 levels, PSNR {found.psnr:.1f} dB"
    typer.echo(f"{found.original}: {verdict}")
    if kept is not None:
        typer.echo(f"made: {kept}")
    elif not found.identical:
        say("  keep the new picture with --output DIR to look at it")


def _form(picture: Path) -> str:
    """Size and channels of a picture."""
    from PIL import Image

    with Image.open(picture) as opened:
        return f"{opened.width} x {opened.height} {opened.mode}"
