"""Every error there is, told to somebody who must not learn where things lie on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph.errors import InvalidWorkflow, NodegraphError
from nodegraph.server import defects
from nodegraph.server.http import STATUS, code_of, error_answer
from nodegraph.server.veil import Veil
from nodegraph.settings import Settings
from nodegraph.workflow.defects import Defect


def kinds() -> Iterator[type[NodegraphError]]:
    """All errors of the package that are loaded, those that the table names first."""
    waiting = [NodegraphError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("nodegraph."):
            yield kind


KINDS = sorted({*STATUS, *kinds()}, key=lambda kind: (kind.__module__, kind.__name__))


def folders(settings: Settings) -> list[str]:
    """Folders of this machine, and what lies in them."""
    named = [settings.models, settings.input, settings.output, settings.state, settings.cache, *settings.plugins]
    own = [
        Path(defects.__file__),
        Path(sys.prefix) / "bin" / "python",
        Path.home() / "notes.txt",
        Path.cwd() / "x.json",
    ]
    return [str(each / "deep" / "file.bin") for each in named] + [str(each) for each in own]


def raised(kind: type[Exception], text: str) -> Exception:
    """An error of a kind that says this, whatever its makers ask for."""
    error = kind.__new__(kind)
    Exception.__init__(error, text)
    if issubclass(kind, defects.WrongRequest | defects.WorkflowChanged):
        error.defects = [{"code": "bad_field", "input": text, "reason": text}]  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_error_tells_a_path(settings: Settings, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "__str__", lambda self: str(self.args[0]))
    places = folders(settings)
    text = "; ".join(f"{each}: cannot be read ({each!r})" for each in places)
    error = raised(kind, text) if kind is not InvalidWorkflow else InvalidWorkflow([Defect("refused", text, text, "n", "i", {"a": [text]})])  # fmt: skip
    answer = error_answer(error, Veil(settings))
    told = (answer.text or "") + str(answer.headers)
    assert not [each for each in places if each in told or str(Path(each).parent) in told]
    assert json.loads(answer.text or "")["code"] in (code_of(kind), "internal")
    assert 400 <= answer.status < 600


@pytest.mark.parametrize("kind", [OSError, KeyError, RuntimeError, AssertionError, RecursionError, MemoryError])
def test_what_nobody_foresaw_is_not_told_at_all(settings: Settings, kind: type[Exception]) -> None:
    answer = error_answer(kind(2, "secret", "/secret/place"), Veil(settings))
    assert answer.status == 500
    assert "secret" not in (answer.text or "")
    assert json.loads(answer.text or "")["code"] == "internal"
