"""The corpus that the server and the editor both keep to when they judge values written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from nodegraph.ports.literals import problems
from nodegraph.ports.types import PortType

CASES = json.loads((Path(__file__).parents[2] / "corpus" / "literals.json").read_text())
PORT_TYPE: TypeAdapter[PortType] = TypeAdapter(PortType)


@pytest.mark.parametrize("case", CASES, ids=[f"{number}" for number in range(len(CASES))])
def test_values_are_judged_as_the_corpus_says(case: dict[str, Any]) -> None:
    found = problems(PORT_TYPE.validate_python(case["type"]), case["value"])
    told = [{"reason": each.reason, "remedy": each.remedy, "where": each.where} for each in found]
    assert told == case["problems"]
