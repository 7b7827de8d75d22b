"""`nodegraph serve`: the server that runs jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import JsonOption, print_json_line, reporting, say
from .declared import DeviceOption, PrecisionOption

if TYPE_CHECKING:
    from ..server.listening import Address


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", help="Where to listen; other machines need a token to be let in."),
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 for any port that is free.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Holds the token that is asked for."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Folder to write into (default: ./output).")
    ] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, max=64, help="Processes that run jobs; 0 for one per device.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the jobs that are sent, until Ctrl-C.

    The first Ctrl-C stops running jobs after the step at hand and puts them back into the queue, where they go on when
    the server is started again; the second one ends at once.
    """
    with reporting(as_json=as_json):
        from ..server.serving import serve as run_server
        from ..settings import load_settings, secret_in

        given = {"port": port, "output": output, "device": device, "precision": precision, "workers": workers}
        token = secret_in(token_file) if token_file is not None else None
        settings = load_settings({**given, "token": token})

        def started(address: Address) -> None:
            if as_json:
                print_json_line({"url": address.url, "pid": os.getpid()})
                return
            typer.echo(f"nodegraph serves at {address.url}")
            if address.link:
                say(f"it asks for a token; this link has it: {address.link}")
            say("Ctrl-C ends it; nodegraph submit sends it workflows")

        def stopping() -> None:
            say("ending: running jobs stop after this step and go back into the queue; once more to end at once")

        run_server(settings, host, started=started, stopping=stopping)
