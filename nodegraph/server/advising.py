"""Run as a process of its own: answers questions of the server, one JSON document a line, with the packs' specs.

The first line holds the settings and where packages are found. What packs print is nobody's answer.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from ..execution.model_facts import model_facts
from ..execution.preflight import preflight
from ..execution.report_document import to_document
from ..execution.run import Runner
from ..jobs.lifelines import be_first_to_go, die_with
from ..settings import Settings
from ..workflow.model import Workflow

IDLE_SECONDS = 120
"""After so long without a question the process ends."""


def answer(runner: Runner, question: Mapping[str, Any]) -> Any:
    """The answer to one question."""
    if "models" in question:
        return [model_facts(runner, kind, name) for kind, name in question["models"]]
    asked = question["preflight"]
    workflow = Workflow.from_document(asked["workflow"])
    return to_document(preflight(runner, workflow, asked["inputs"], targets=asked["targets"]))


def main() -> None:
    """Answer until the server ends, or nobody asks any more."""
    be_first_to_go()
    begin = json.loads(sys.stdin.buffer.readline())
    die_with(begin["parent"])
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        sys.path[:] = begin["search"]
        with Runner(Settings.model_validate(begin["settings"])) as runner:
            while question := _next():
                answers.write(json.dumps(answer(runner, json.loads(question))).encode() + b"\n")
                answers.flush()


def _next() -> bytes:
    """The next question; nothing where there will be none."""
    if not hasattr(signal, "alarm"):
        return sys.stdin.buffer.readline()
    signal.alarm(IDLE_SECONDS)
    line = sys.stdin.buffer.readline()
    signal.alarm(0)
    return line
