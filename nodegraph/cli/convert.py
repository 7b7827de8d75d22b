"""`nodegraph convert`: a workflow file as a Python program, and back."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import load_workflow, reporting, say

if TYPE_CHECKING:
    from ..workflow.model import Workflow


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("convert")(convert)


def convert(
    source: Annotated[str, typer.Argument(help="A workflow file, - for standard input, or a Python program (.py).")],
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write here instead of standard output.")
    ] = None,
) -> None:
    """Turn a workflow file into a Python program that builds it, or run such a program and print its workflow.

    Nothing is lost either way. A program is run, so convert only programs that you trust.
    """
    with reporting():
        from ..catalog import load_catalog
        from ..files import write_atomically
        from ..settings import load_settings
        from ..workflow.python import to_python

        if source.endswith(".py"):
            text = _built(Path(source)).to_json()
        else:
            text = to_python(load_workflow(source), load_catalog(load_settings()))
        if output is None:
            typer.echo(text, nl=False)
        else:
            write_atomically(output, text.encode())
            say(f"{output}: written")


def _built(program: Path) -> Workflow:
    """The only workflow that a program leaves."""
    from ..errors import FileMissing, NodegraphError, WorkflowFormatError
    from ..workflow.model import Workflow

    if not program.is_file():
        raise FileMissing(f"{program}: there is no such file")
    try:
        left = runpy.run_path(str(program), run_name="__nodegraph__").values()
    except NodegraphError:
        raise
    except (Exception, SystemExit) as error:
        raise WorkflowFormatError(f"{program}: running it raised {type(error).__name__}: {error}") from error
    found = {id(each): each for each in left if isinstance(each, Workflow)}
    if len(found) != 1:
        raise WorkflowFormatError(f"{program}: it leaves {len(found) or 'no'} workflows; leave one, `g = Workflow()`")
    return next(iter(found.values()))
