"""Asking the packs' spec functions in a process of its own, so that none of their code runs in the server.

Whatever a pack does there, only that process is lost; the next question starts another. It ends when nobody has asked
for a while.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from ..errors import NodegraphError

if TYPE_CHECKING:
    from ..settings import Settings
    from .definitions import Definitions

ANSWER_SECONDS = 60.0
"""An answer that takes longer will never come."""

QUEUE_SECONDS = 10.0
"""How long a question waits for the ones before it, so that requests of other kinds are not kept waiting as well."""

_PROGRAM = "import sys; sys.path.insert(0, {engine!r}); from nodegraph.server.advising import main; main()"
_ENGINE = Path(__file__).parent.parent.parent


class NoAdvice(NodegraphError):
    """A question to the packs' spec functions was not answered."""


class Adviser:
    """Answers what only spec functions know: what a run would do, and what model files hold."""

    def __init__(self, settings: Settings, definitions: Definitions) -> None:
        self._settings, self._definitions = settings, definitions
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._code: Mapping[str, str] = {}

    def preflight(
        self, workflow: object, inputs: Mapping[str, JsonValue], targets: Collection[str] | None
    ) -> dict[str, JsonValue]:
        """What `nodegraph preflight --json` tells of a run. Raises WorkflowFormatError or NoAdvice."""
        from ..workflow.model import Workflow

        document = Workflow.from_document(workflow).to_document()
        asked = {"workflow": document, "inputs": dict(inputs), "targets": None if targets is None else list(targets)}
        return dict(self._ask({"preflight": asked}))

    def models(self, files: Sequence[tuple[str, str]]) -> list[dict[str, JsonValue]]:
        """What is in files, each by its kind and name: `family`, `precision` and `error`. Raises NoAdvice."""
        return list(self._ask({"models": [list(each) for each in files]}))

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, question: Mapping[str, Any]) -> Any:
        if not self._lock.acquire(timeout=QUEUE_SECONDS):
            raise NoAdvice("the questions before this one take long; ask again later")
        try:
            code = self._definitions.load().code
            if code != self._code:
                self._end()
            is_old = self._process is not None
            answer = self._exchange(json.dumps(question), code)
            if not answer and is_old:  # it may have ended because nobody had asked for a while
                answer = self._exchange(json.dumps(question), code)
        finally:
            self._lock.release()
        if not answer:
            raise NoAdvice(
                "a node pack's spec function ended its process or took too long, so nothing can be said before the "
                "run; the workflow may run all the same"
            )
        return json.loads(answer)

    def _exchange(self, question: str, code: Mapping[str, str]) -> bytes:
        """The answer; nothing where the process is gone or had to be ended."""
        if self._process is None:
            self._process, self._code = self._start(), code
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(ANSWER_SECONDS, process.kill)
        late.start()
        try:
            process.stdin.write(question.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = b""
        finally:
            late.cancel()
        if not answer.endswith(b"\n"):
            self._end()
            return b""
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-c", _PROGRAM.format(engine=str(_ENGINE))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        begin = {"settings": self._settings.model_dump(mode="json"), "search": sys.path, "parent": os.getpid()}
        assert process.stdin is not None
        process.stdin.write(json.dumps(begin).encode() + b"\n")
        return process

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # what was not sent yet goes nowhere
                continue
        self._process = None
