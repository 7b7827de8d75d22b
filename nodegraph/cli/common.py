"""What several commands share: exit codes, turning errors into messages, reading values from text."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ..catalog import Catalog
    from ..ports.types import PortType
    from ..workflow.model import Workflow


class ExitCode(IntEnum):
    """What `nodegraph` ends with; documented in docs/cli.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    UNREADABLE = 4
    DIFFERENT = 5
    CANCELLED = 130


JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]


def say(text: str) -> None:
    """Print a line for people, beside the results, on standard error."""
    sys.stderr.write(text + "\n")


def print_json(document: Any) -> None:
    """Print a JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def print_json_line(document: Any) -> None:
    """Print a JSON document as one line of standard output, at once."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def reporting(*, as_json: bool = False) -> Iterator[None]:
    """Turn this package's errors into a message and an exit code."""
    from .. import errors
    from ..errors import InvalidWorkflow, NodegraphError

    codes: list[tuple[type[NodegraphError], ExitCode]] = [
        (InvalidWorkflow, ExitCode.INVALID),
        (errors.Cancelled, ExitCode.CANCELLED),
        (errors.WorkflowFormatError, ExitCode.UNREADABLE),
        (errors.FileMissing, ExitCode.UNREADABLE),
        (errors.FileNotAllowed, ExitCode.UNREADABLE),
        (errors.SettingsError, ExitCode.USAGE),
        (NodegraphError, ExitCode.FAILED),
    ]
    try:
        yield
    except NodegraphError as error:
        code = next(code for kind, code in codes if isinstance(error, kind))
        if as_json:
            defects = [each.to_document() for each in error.defects] if isinstance(error, InvalidWorkflow) else []
            print_json({"status": code.name.lower(), "error": str(error), "defects": defects})
        else:
            say(f"nodegraph: {error}")
        raise typer.Exit(code) from None


def load_workflow(name: str) -> Workflow:
    """Read a workflow from a file, or from standard input for `-`."""
    from ..workflow.model import Workflow

    if name == "-":
        return Workflow.read(sys.stdin.buffer, source="standard input")
    return Workflow.load(Path(name))


def report_failures(catalog: Catalog) -> None:
    """Tell which packs could not be loaded; the rest work."""
    for failure in catalog.failures:
        say(f"nodegraph: warning: {failure}")


def parse_text(port: PortType, text: str) -> JsonValue:
    """The value that a text from the command line means for a port; validation judges it afterwards."""
    from ..ports.literals import problems
    from ..ports.types import AnyType, ChoiceType, PathType, ScalarType

    if isinstance(port, PathType) or (isinstance(port, ScalarType) and port.kind == "str"):
        return text
    if isinstance(port, ChoiceType):
        return next((value for value in port.values if str(value) == text), text)
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if problems(AnyType(), value):  # NaN and its like are no JSON, although Python reads them
        return text
    return text if problems(port, value) and not problems(port, text) else value
