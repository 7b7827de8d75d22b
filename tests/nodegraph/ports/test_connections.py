"""The rule which type flows into which, as cases that the editor's tests check as well."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter

from nodegraph.ports.types import PortType, describe, why_not

CORPUS = Path(__file__).parents[2] / "corpus" / "connections.json"


def test_the_cases_are_what_the_rule_says() -> None:
    corpus = json.loads(CORPUS.read_text("utf-8"))
    adapter: TypeAdapter[PortType] = TypeAdapter(PortType)
    types = [adapter.validate_python(each) for each in corpus["types"]]
    assert [describe(each) for each in types] == corpus["names"]
    said = [[source, target, why_not(types[source], types[target])] for source, target, _ in corpus["reasons"]]
    assert said == corpus["reasons"]
    assert 200 < sum(reason is None for *_, reason in said) < len(said) - 800
