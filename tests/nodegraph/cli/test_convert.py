"""`nodegraph convert`, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodegraph import Workflow
from nodegraph.cli.common import ExitCode

from .conftest import Cli

FLOW = Path(__file__).parents[3] / "workflows" / "text_to_image.json"


def test_there_and_back(cli: Cli, tmp_path: Path) -> None:
    program = tmp_path / "flow.py"
    assert cli("convert", str(FLOW), "--output", str(program)).code == ExitCode.DONE
    assert "sample_ = g.add(" in program.read_text()
    back = cli("convert", str(program))
    assert Workflow.parse(back.out) == Workflow.load(FLOW)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("x = 1", ExitCode.UNREADABLE, "it leaves no workflows"),
        ("from nodegraph import Workflow\na, b = Workflow(), Workflow()", ExitCode.UNREADABLE, "it leaves 2 workflows"),
        ("1 / 0", ExitCode.UNREADABLE, "ZeroDivisionError"),
        ("import sys; sys.exit(3)", ExitCode.UNREADABLE, "SystemExit: 3"),
        ("(", ExitCode.UNREADABLE, "SyntaxError"),
        ("from nodegraph import Workflow\nWorkflow().add('numbr')", ExitCode.FAILED, "did you mean 'number'"),
        (None, ExitCode.UNREADABLE, "there is no such file"),
    ],
)
def test_programs_that_build_nothing(cli: Cli, tmp_path: Path, text: str | None, code: int, words: str) -> None:
    program = tmp_path / "flow.py"
    if text is not None:
        program.write_text(text)
    answer = cli("convert", str(program))
    assert answer.code == code
    assert words in answer.err
