"""`nodegraph validate`: every defect of a workflow, without running anything."""

from __future__ import annotations

from typing import Annotated

import typer

from .common import ExitCode, JsonOption, load_workflow, print_json, report_failures, reporting, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate")(validate)


def validate(
    workflow: Annotated[str, typer.Argument(help="A workflow file, or - for standard input.")],
    as_json: JsonOption = False,
) -> None:
    """Check a workflow and print every defect; ends with 3 when there are any."""
    with reporting(as_json=as_json):
        from ..catalog import load_catalog
        from ..settings import load_settings
        from ..workflow.validate import find_defects

        document = load_workflow(workflow)
        catalog = load_catalog(load_settings())
        if not as_json:
            report_failures(catalog)
        defects = find_defects(document, catalog)
        if as_json:
            print_json(
                {
                    "valid": not defects,
                    "nodes": len(document.nodes),
                    "defects": [each.to_document() for each in defects],
                }
            )
        else:
            for defect in defects:
                say(f"  - {defect}")
            count = f"{len(defects)} defect{'s' if len(defects) != 1 else ''}"
            say(f"{workflow}: {count if defects else 'valid'}, {len(document.nodes)} nodes")
        raise typer.Exit(ExitCode.INVALID if defects else ExitCode.DONE)
