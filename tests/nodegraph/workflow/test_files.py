"""The workflow file: reading, writing, migrating, and refusing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Workflow
from nodegraph.errors import WorkflowFormatError
from nodegraph.workflow.migrations import FORMAT, MIGRATIONS, migrate
from nodegraph.workflow.model import NodeEntry, WorkflowInput, WorkflowOutput, json_schema

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "corpus" / "workflows"

texts = st.text(max_size=8)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
entries = st.builds(
    NodeEntry, type=names, version=texts, inputs=st.dictionaries(names, json_values, max_size=3), title=texts
)
workflows = st.builds(
    Workflow,
    title=texts,
    description=texts,
    nodes=st.dictionaries(names, entries, max_size=4),
    inputs=st.dictionaries(
        names, st.builds(WorkflowInput, to=st.lists(texts, min_size=1, max_size=2), title=texts), max_size=2
    ),
    outputs=st.dictionaries(names, st.builds(WorkflowOutput, source=texts), max_size=2),
    layout=st.dictionaries(texts, json_values, max_size=2),
)


@given(workflows)
def test_saving_and_loading_loses_nothing(workflow: Workflow) -> None:
    again = Workflow.parse(workflow.to_json())
    assert again == workflow
    assert again.to_json() == workflow.to_json()


def test_files_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    Workflow(title="one").save(path)
    Workflow(title="two").save(path)
    assert Workflow.load(path).title == "two"
    assert [each.name for each in tmp_path.iterdir()] == ["flow.json"]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.old.json")), ids=lambda path: path.stem)
def test_old_files_migrate_to_what_they_became(path: Path) -> None:
    migrated = Workflow.load(path)
    assert migrated.to_json() == path.with_name(path.name.replace(".old.", ".new.")).read_text("utf-8")


def test_there_is_an_old_file_for_every_migration() -> None:
    formats = {json.loads(path.read_text("utf-8"))["format"] for path in CORPUS.glob("*.old.json")}
    assert formats == set(MIGRATIONS)


def test_migrating_leaves_its_argument_alone() -> None:
    document = json.loads((CORPUS / "draft_text_to_image.old.json").read_text("utf-8"))
    before = json.dumps(document)
    migrate(document)
    assert json.dumps(document) == before
    assert migrate({"format": FORMAT, "nodes": {}}) == {"format": FORMAT, "nodes": {}}


def test_the_published_schema_is_up_to_date() -> None:
    published = json.loads((ROOT / "docs" / "workflow.schema.json").read_text("utf-8"))
    assert published == json_schema(), "write it anew: nodegraph schema > docs/workflow.schema.json"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no valid JSON"),
        ("[1, 2]", "a workflow is a JSON object, this is list"),
        ("{}", 'it has no "format"'),
        ('{"format": "nodegraph/99"}', "the format 'nodegraph/99' is not known here (known: nodegraph/0, nodegraph/1)"),
        ('{"format": ["nodegraph/1"]}', "is not known here"),
        ('{"format": "nodegraph/1", "nodes": {"a": {"type": "x", "inputs": {"y": NaN}}}}', "NaN is no JSON value"),
        ('{"format": "nodegraph/1", "nodes": {"a": {"type": "x", "inputs": {"y": 1e999}}}}', "1e999 is no JSON value"),
        ('{"format": "nodegraph/1", "title": "\\ud800"}', "surrogates not allowed"),
        (
            '{"format": "nodegraph/1", "nodes": {"a": {"type": "x", "inputs": {"y": ["\\ud800"]}}}}',
            "surrogates not allowed",
        ),
        (
            '{"format": "nodegraph/1", "nodes": {"a": {"type": "x", "inputs": {"y": ' + "9" * 5000 + "}}}}",
            "no valid JSON",
        ),
        ('{"format": "nodegraph/1", "nodes": {"a": {"type": "x"}, "a": {"type": "y"}}}', "the name 'a' occurs twice"),
        ('{"format": "nodegraph/1", "nodes": {"a": {"inputs": {}}}}', "nodes.a.type: Field required"),
        ('{"format": "nodegraph/1", "knots": {}}', "knots: Extra inputs are not permitted"),
        ('{"format": "nodegraph/0", "nodes": {"a": {}}}', "no valid nodegraph/0 workflow"),
        ('{"format": "nodegraph/1", "layout": ' + "[" * 10_000 + "]" * 10_000 + "}", "nested too deeply"),
        ('{"format": "nodegraph/1"', "no valid JSON"),
    ],
)
def test_what_is_no_workflow_is_refused(text: str, words: str) -> None:
    with pytest.raises(WorkflowFormatError) as caught:
        Workflow.parse(text, source="flow.json")
    assert str(caught.value).startswith("flow.json: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("make", ["missing", "folder", "binary", "huge"])
def test_unreadable_files_are_refused(tmp_path: Path, make: str) -> None:
    path = tmp_path / "flow.json"
    if make == "folder":
        path.mkdir()
    elif make == "binary":
        path.write_bytes(b"\xff\xfe\x00{")
    elif make == "huge":
        with path.open("wb") as file:
            file.truncate(2**30)
    with pytest.raises(WorkflowFormatError, match=r"flow\.json"):
        Workflow.load(path)


def test_values_are_written_where_they_belong() -> None:
    workflow = Workflow(nodes={"a": NodeEntry(type="t", inputs={"x": 1, "y": 2})})
    values: dict[tuple[str, str], Any] = {("a", "x"): 5, ("a", "z"): {"k": 1}}
    changed = workflow.with_values(values)
    assert changed.nodes["a"].inputs == {"x": 5, "y": 2, "z": {"value": {"k": 1}}}
    assert workflow.nodes["a"].inputs == {"x": 1, "y": 2}
