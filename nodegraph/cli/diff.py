"""`nodegraph diff`: what differs between two workflows, or between the recipes of two pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import ExitCode, JsonOption, load_workflow, print_json, reporting

if TYPE_CHECKING:
    from ..recipe import Recipe

PICTURES = (".png", ".webp", ".jpg", ".jpeg")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diff")(diff)


def diff(
    before: Annotated[str, typer.Argument(help="A workflow file, a picture, or - for standard input.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    as_json: JsonOption = False,
) -> None:
    """Compare two workflows, or pictures by their recipes; names, titles and layout do not count. Ends with 5 when they
    differ."""
    with reporting(as_json=as_json):
        from ..catalog import load_catalog
        from ..settings import load_settings
        from ..workflow.compare import compare

        one, other = _recipe(before), _recipe(after)
        differences = compare(one.workflow, other.workflow, load_catalog(load_settings()))
        surroundings = _surroundings(one, other) if one.nodegraph and other.nodegraph else []
        changed = any(each.what != "renamed" for each in differences) or bool(surroundings)
        if as_json:
            print_json(
                {
                    "same": not changed,
                    "differences": [each.to_document() for each in differences],
                    "surroundings": surroundings,
                }
            )
        else:
            for each in differences:
                typer.echo(str(each))
            for line in surroundings:
                typer.echo(f"~ {line}")
            if not changed:
                typer.echo("the same recipe")
        raise typer.Exit(ExitCode.DIFFERENT if changed else ExitCode.DONE)


def _recipe(name: str) -> Recipe:
    """The recipe in a picture; a workflow file is one without surroundings."""
    from ..recipe import Recipe

    if name != "-" and Path(name).suffix.lower() in PICTURES:
        return Recipe.of(Path(name))
    return Recipe(nodegraph="", workflow=load_workflow(name))


def _surroundings(one: Recipe, other: Recipe) -> list[str]:
    """Versions, contents of files, device and place in the batch that differ."""
    pairs = {
        "nodegraph": (one.nodegraph, other.nodegraph),
        "computed on": (one.computed_on, other.computed_on),
        "picture of the batch": (str(one.item), str(other.item)),
    }
    for label, before, after in (("version of", one.versions, other.versions), ("content of", one.files, other.files)):
        for name in sorted({*before, *after}):
            pairs[f"{label} {name}"] = before.get(name, "none")[:16], after.get(name, "none")[:16]
    return [f"{label}: {was} -> {now}" for label, (was, now) in pairs.items() if was != now]
