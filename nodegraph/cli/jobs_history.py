"""The history of jobs as a whole: `nodegraph jobs export`, `import` and `prune`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from .common import JsonOption, print_json, reporting, say
from .reaching import ServerOption, reach

if TYPE_CHECKING:
    from collections.abc import Iterator


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("export")(export)
    group.command("import")(load)
    group.command("prune")(prune)


def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write; - is standard output.")],
    state: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help="Only jobs in this state; repeatable.")
    ] = None,
    batch: Annotated[str | None, typer.Option("--batch", metavar="ID", help="Only jobs of this batch.")] = None,
    search: Annotated[str, typer.Option("--search", metavar="WORDS", help="Only jobs in which all words occur.")] = "",
    server: ServerOption = None,
) -> None:
    """Write the history into a file, one job per line, for `nodegraph jobs import`."""
    from .jobs import chosen_jobs

    with reporting(), reach(server) as client:
        parts = client.export(chosen_jobs(state, batch, search))
        with _writing(file) as stream:
            lines = 0
            for part in parts:
                stream.write(part)
                lines += part.count(b"\n")
        say(f"{lines} lines written")


def load(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What `jobs export` wrote; - is standard input.")],
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add the jobs of an export; those that are there already stay as they are."""
    from ..errors import FileMissing

    with reporting(as_json=as_json), reach(server) as client:
        try:
            with contextlib.nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as stream:
                loaded = client.load(stream)
        except OSError as error:
            raise FileMissing(f"{file}: cannot be read: {error.strerror or error}") from error
        if as_json:
            print_json(loaded.model_dump(mode="json"))
        else:
            typer.echo(f"{loaded.new} jobs added, {loaded.known} were there already")


def prune(
    keep: Annotated[
        int | None, typer.Option("--keep", min=0, metavar="COUNT", help="Keep the newest so many finished jobs.")
    ] = None,
    days: Annotated[
        float | None, typer.Option("--days", min=0, help="Keep finished jobs that ended within so many days.")
    ] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget finished jobs that are old; the files that they wrote stay."""
    if keep is None and days is None:
        raise typer.BadParameter("say what to keep: --keep COUNT, --days DAYS, or both")
    with reporting(as_json=as_json), reach(server) as client:
        count = client.prune(keep=keep, days=days)
        if as_json:
            print_json({"jobs": count})
        else:
            typer.echo(f"{count} jobs forgotten")


@contextlib.contextmanager
def _writing(name: str) -> Iterator[BinaryIO]:
    from ..errors import FileMissing
    from ..files import replacing

    if name == "-":
        yield sys.stdout.buffer
        return
    try:
        with replacing(Path(name)) as stream:
            yield stream
    except OSError as error:
        raise FileMissing(f"{name}: cannot be written: {error.strerror or error}") from error
