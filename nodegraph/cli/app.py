"""The `nodegraph` command and its commands' names."""

from __future__ import annotations

from typing import Annotated

import typer

from . import (
    batch,
    cache,
    convert,
    diff,
    jobs,
    models,
    nodes,
    plugins,
    preflight,
    reproduce,
    run,
    schema,
    serve,
    submit,
    validate,
)

app = typer.Typer(
    name="nodegraph",
    help="Typed node-graph workflows for diffusion models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    if version:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


run.register(app)
batch.register(app)
serve.register(app)
submit.register(app)
jobs.register(app)
validate.register(app)
preflight.register(app)
nodes.register(app)
models.register(app)
plugins.register(app)
cache.register(app)
reproduce.register(app)
diff.register(app)
convert.register(app)
schema.register(app)
