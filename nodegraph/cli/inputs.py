"""What commands that run workflows share: values from texts, results as JSON, stopping on Ctrl-C."""

from __future__ import annotations

import difflib
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .common import ExitCode, parse_text, say

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ..definition import NodeDefinition
    from ..execution.cancel import CancelToken
    from ..execution.run import Runner
    from ..ports.types import PortType
    from ..workflow.model import Workflow


def value_from_text(runner: Runner, port: PortType | None, text: str) -> JsonValue:
    """The value that a text means for a port; a path of this machine becomes a name that workflows may use."""
    from ..execution.resolve import BUNDLED
    from ..files import is_file, is_model_folder
    from ..ports.types import path_kinds

    if port is None:
        return text
    kinds = path_kinds(port)
    if kinds and not text.startswith(BUNDLED) and (is_file(Path(text)) or is_model_folder(Path(text))):
        return runner.import_file(kinds[0], Path(text))
    return parse_text(port, text)


def port_named(workflow: Workflow, definitions: Mapping[str, NodeDefinition], name: str) -> PortType | None:
    """The type of a declared input or of `node.input`; None where there is no such place."""
    from ..workflow.inputs import port_at

    declared = workflow.inputs.get(name)
    port = port_at(workflow, definitions, declared.to[0] if declared else name)
    return port.type if port else None


def write_sets(workflow: Workflow, definitions: Mapping[str, NodeDefinition], texts: list[str]) -> Workflow:
    """The workflow with the values of `--set node.input=value` in it."""
    from ..errors import shorten

    values = {}
    for text in texts:
        place, equals, value = text.partition("=")
        node, dot, port = place.rpartition(".")
        if not equals or not dot:
            raise typer.BadParameter(f"{shorten(text)} is not node.input=value", param_hint="--set")
        if node not in workflow.nodes:
            near = difflib.get_close_matches(node, workflow.nodes, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "name a node of this workflow"
            raise typer.BadParameter(f"there is no node {shorten(node)}; {remedy}", param_hint="--set")
        kind = port_named(workflow, definitions, place)
        values[node, port] = parse_text(kind, value) if kind else value
    return workflow.with_values(values)


@contextmanager
def stopping(token: CancelToken) -> Iterator[None]:
    """The first Ctrl-C asks the run to stop within a step, the second one stops at once.

    The third one ends the process, for nodes that catch whatever is raised.
    """
    raised = False

    def stop(*_: object) -> None:
        nonlocal raised
        if raised:
            os._exit(ExitCode.CANCELLED)
        if token.is_set():
            raised = True
            raise KeyboardInterrupt
        token.cancel()
        say("stopping after this step; once more to stop at once")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
