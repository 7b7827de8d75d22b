"""What the editor makes of workflows computes what the workflows computed: its edits, and the engine, on random graphs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.workflow.validate import find_defects

from ..nodegraph.test_random_graphs import run, runners, workflows

WEB = Path(__file__).parents[2] / "web"
COUNT = 40

pytestmark = pytest.mark.skipif(not (WEB / "node_modules").is_dir(), reason="the editor's packages are not installed")

Document = dict[str, Any]
Part = tuple[Document, str, list[str]]
"""A workflow, one of its graphs, and some of that graph's nodes."""


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    """Random workflows, with a random selection of nodes each."""
    found: list[Document] = []

    @seed(1)
    @settings(max_examples=COUNT, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(workflow=workflows())
    def collect(workflow: Workflow) -> None:
        found.append(document_of(workflow))

    collect()
    random = Random(1)
    return [_part(document, random) for document in found]


def _part(document: Document, random: Random) -> Part:
    name = random.choice(["", *document.get("graphs", {})])
    nodes = list(graph_of(document, name)["nodes"])
    return document, name, [each for each in nodes if random.random() < 0.5] or nodes[:1]


def document_of(workflow: Workflow) -> Document:
    found = json.loads(workflow.model_dump_json(by_alias=True, exclude_defaults=True))
    return {"format": "nodegraph/1", **found}


def graph_of(document: Document, name: str) -> Document:
    return document if name == "" else document["graphs"][name]


class Editor:
    """The editor's edits; each case is the name of one and what it is given."""

    def __init__(self, catalog: Catalog) -> None:
        self._definitions = [json.loads(each.model_dump_json()) for each in catalog.values()]

    def edit(self, cases: list[tuple[str, list[Any]]]) -> list[Any]:
        asked = {
            "definitions": self._definitions,
            "cases": [{"edit": name, "arguments": arguments} for name, arguments in cases],
        }
        done = subprocess.run(
            ["node", "tools/edits.mjs"], cwd=WEB, input=json.dumps(asked), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, list)
        return found


@pytest.fixture(scope="module")
def editor(catalog: Catalog) -> Editor:
    return Editor(catalog)


@pytest.fixture(scope="module")
def made(editor: Editor, parts: list[Part]) -> list[Any]:
    """Every selection made into a graph."""
    return editor.edit([("makeSubgraph", [each, name, {"set": nodes}, "definitions"]) for each, name, nodes in parts])


@pytest.fixture(scope="module")
def runner(catalog: Catalog) -> Iterator[Any]:
    with runners(catalog) as make:
        yield make()


def outputs(runner: Any, document: Document) -> dict[str, Any]:
    return run(runner, Workflow.from_document(document), use_cache=False)[0]


def defects(document: Document, catalog: Catalog) -> list[str]:
    return [str(each) for each in find_defects(Workflow.from_document(document), catalog)]


def test_a_selection_made_into_a_graph_computes_the_same(
    parts: list[Part], made: list[Any], catalog: Catalog, runner: Any
) -> None:
    for (before, name, nodes), after in zip(parts, made, strict=True):
        assert after["graph"] in after["document"]["graphs"]
        assert not set(nodes) & set(graph_of(after["document"], name)["nodes"])
        assert not defects(after["document"], catalog)
        assert outputs(runner, after["document"]) == outputs(runner, before)


def test_unpacking_it_gives_the_workflow_back(editor: Editor, parts: list[Part], made: list[Any]) -> None:
    unpacked = editor.edit(
        [("unpack", [after["document"], name, after["node"]]) for (_, name, _), after in zip(parts, made, strict=True)]
    )
    for (before, _, _), after in zip(parts, unpacked, strict=True):
        assert plain(after["document"]) == plain(before)


def plain(document: Document) -> Document:
    """A workflow without its layout and without parts that are empty; the order of the places of an input is none."""

    def graph(each: Document) -> Document:
        left = {name: value for name, value in each.items() if value and name not in ("layout", "graphs")}
        nodes = {
            name: {part: value for part, value in node.items() if value or part != "inputs"}
            for name, node in each["nodes"].items()
        }
        inputs = {name: {**value, "to": sorted(value["to"])} for name, value in left.get("inputs", {}).items()}
        return {**left, "nodes": nodes, "inputs": inputs}

    return {**graph(document), "graphs": {name: graph(each) for name, each in document.get("graphs", {}).items()}}


def test_unpacking_any_graph_computes_the_same(
    editor: Editor, parts: list[Part], catalog: Catalog, runner: Any
) -> None:
    places = [
        (document, name, node)
        for document, *_ in parts
        for name in ("", *document.get("graphs", {}))
        for node, entry in graph_of(document, name)["nodes"].items()
        if entry["type"] == "graph"
    ]
    assert places
    for (before, *_), after in zip(places, editor.edit([("unpack", [*each]) for each in places]), strict=True):
        assert not defects(after["document"], catalog)
        assert outputs(runner, after["document"]) == outputs(runner, before)


def test_a_selection_is_repeated(editor: Editor, catalog: Catalog) -> None:
    document = {
        "format": "nodegraph/1",
        "nodes": {
            "start": {"type": "calculate", "inputs": {"a": 1, "b": 2}},
            "twice": {"type": "calculate", "inputs": {"a": {"from": "start.value"}, "b": 2, "how": "x"}},
        },
        "outputs": {"end": {"from": "twice.value"}},
    }
    [after] = editor.edit([("makeRepeat", [document, "", {"set": ["twice"]}, "definitions"])])
    entry = after["document"]["nodes"][after["node"]]
    assert entry["carry"] == ["a"]
    assert entry["inputs"] == {"a": {"from": "start.value"}, "times": 4}
    assert not defects(after["document"], catalog)


def test_a_selection_runs_for_each_item(editor: Editor, catalog: Catalog, runner: Any) -> None:
    document = {
        "format": "nodegraph/1",
        "nodes": {
            "twice": {"type": "calculate", "inputs": {"a": 4, "b": 2, "how": "x"}},
            "more": {"type": "calculate", "inputs": {"a": {"from": "twice.value"}, "b": 1}},
        },
        "outputs": {"end": {"from": "more.value"}},
    }
    [after] = editor.edit([("makeForEach", [document, "", {"set": ["twice"]}, ["twice.a"], "definitions"])])
    entry = after["document"]["nodes"][after["node"]]
    assert (entry["each"], entry["inputs"]) == (["a"], {"a": [4]})
    assert not defects(after["document"], catalog)
    assert outputs(runner, after["document"]) == outputs(runner, document) == {"end": 9.0}
