"""`nodegraph schema`: the JSON Schema of workflow files."""

from __future__ import annotations

import typer

from .common import print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(show_schema)


def show_schema() -> None:
    """Print the JSON Schema of workflow files."""
    from ..workflow.model import json_schema

    print_json(json_schema())
