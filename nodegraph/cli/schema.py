"""`nodegraph schema` and `nodegraph openapi`: what workflow files and the server's API look like, for programs."""

from __future__ import annotations

import typer

from .common import print_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("schema")(show_schema)
    app.command("openapi")(show_openapi)


def show_schema() -> None:
    """Print the JSON Schema of workflow files."""
    from ..workflow.model import json_schema

    print_json(json_schema())


def show_openapi() -> None:
    """Print the OpenAPI document of the server's API."""
    from ..server.app import ROUTES
    from ..server.openapi import openapi

    print_json(openapi(ROUTES))
