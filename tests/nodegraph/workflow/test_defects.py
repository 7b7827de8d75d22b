"""How a defect is told."""

from __future__ import annotations

import pytest

from nodegraph.workflow.defects import Defect


@pytest.mark.parametrize(
    ("defect", "text"),
    [
        (Defect("bad_value", "it is bad", "do better", "n", "x", 5), "n.x = 5: it is bad; do better"),
        (Defect("bad_value", "it is bad", "", "n", "x", None), "n.x: it is bad"),
        (Defect("bad_name", "it is bad", "do better", "n"), "n: it is bad; do better"),
        (Defect("missing_output", "'n' has no 'x'", "it has 'y'", value="n.x"), "'n' has no 'x'; it has 'y'"),
    ],
)
def test_a_defect_says_where_what_and_what_to_do(defect: Defect, text: str) -> None:
    assert str(defect) == text
    assert set(defect.to_document()) == {"code", "graph", "node", "input", "value", "reason", "remedy"}


def test_a_long_value_is_cut() -> None:
    assert len(str(Defect("bad_value", "it is bad", "", "n", "x", "y" * 10_000))) < 200
