"""docs/workflow-file.md against the model: its example runs, its tables are complete."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image as Pillow
from pydantic import BaseModel

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.execution.resolve import FileResolver
from nodegraph.execution.run import Runner
from nodegraph.workflow.defects import DefectCode
from nodegraph.workflow.graph import parse_source
from nodegraph.workflow.migrations import FORMAT, MIGRATIONS
from nodegraph.workflow.model import NodeEntry, WorkflowInput, WorkflowOutput
from nodegraph.workflow.validate import find_defects

from .pages import DOCS, blocks, first_column, sections

PAGE = sections(DOCS / "workflow-file.md")
[EXAMPLE] = blocks(PAGE[""], "json")


def test_the_example_is_valid(catalog: Catalog) -> None:
    workflow = Workflow.parse(EXAMPLE)
    assert find_defects(workflow, catalog, complete=True) == []
    assert Workflow.parse(workflow.to_json()) == workflow


def test_the_example_runs(make_runner: Callable[..., Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.nodes.tiny import tiny_weights, write_checkpoint

    checkpoint = write_checkpoint(tmp_path / "tiny.safetensors", *tiny_weights())
    monkeypatch.setattr(FileResolver, "_bundled", lambda *_: checkpoint)
    (tmp_path / "input" / "sketches").mkdir(parents=True)
    Pillow.new("RGB", (20, 30), "red").save(tmp_path / "input" / "sketches" / "fruit.png")
    result = make_runner().run(Workflow.parse(EXAMPLE), {"size": 16})
    assert [Path(each).name[:13] for each in result.outputs["files"]] == ["variation-000", "variation-001"]
    with Pillow.open(result.outputs["files"][1]) as picture:
        assert picture.size == (16, 16)


def test_the_example_of_loops_gives_what_the_page_says(runner: Runner) -> None:
    [example] = blocks(PAGE["Graphs and loops"], "json")
    outputs = runner.run(Workflow.parse(example)).outputs
    assert f"It gives `{outputs['list']}` and `{outputs['grown']}`." in PAGE["Graphs and loops"]


def test_the_programs_run_and_give_what_the_page_says(
    catalog: Catalog, make_runner: Callable[..., Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.nodes.tiny import tiny_weights, write_checkpoint

    checkpoint = write_checkpoint(tmp_path / "tiny.safetensors", *tiny_weights())
    monkeypatch.setattr(FileResolver, "_bundled", lambda *_: checkpoint)
    monkeypatch.setattr("nodegraph.build.load_catalog", lambda _: catalog)
    monkeypatch.setattr("nodegraph.run", lambda *given: make_runner().run(*given))
    guidance, interest = blocks(PAGE["In Python"], "python")
    left: dict[str, Any] = {}
    exec(guidance, left)
    assert list(left["result"].outputs) == ["guider"]
    exec(interest, left)
    assert f"gives `{left['outputs']}`" in PAGE["In Python"]


def fields(model: type[BaseModel]) -> set[tuple[str, bool]]:
    """Names in the file, and whether they are needed."""
    return {(each.alias or name, each.is_required()) for name, each in model.model_fields.items()}


def table(text: str) -> set[tuple[str, bool]]:
    rows = re.findall(r"^\| `(\w+)` \| (yes)? ?\|", text, re.MULTILINE)
    return {(name, needed == "yes") for name, needed in rows}


def test_every_field_is_listed() -> None:
    assert table(PAGE["The file"]) == {(name, name == "format") for name in Workflow.model_fields}
    assert table(PAGE["Nodes"]) == fields(NodeEntry)
    inputs, outputs = PAGE["Inputs and outputs"].split("An output has")
    assert table(inputs) == fields(WorkflowInput)
    assert table(outputs) == fields(WorkflowOutput)


def test_every_form_of_a_value_is_one() -> None:
    forms = re.findall(r"^\| (.+?) \|", PAGE["Values"], re.MULTILINE)[1:]
    kinds = [type(parse_source(json.loads(text))).__name__ for form in forms for text in re.findall(r"`(.+?)`", form)]
    assert kinds == ["Written"] * 6 + ["Link", "Gathered", "Written"]


def test_every_defect_is_listed() -> None:
    assert first_column(PAGE["Defects"], "code") == list(get_args(DefectCode))


def test_every_format_is_listed() -> None:
    assert first_column(PAGE["Formats and migrations"], "format") == [*MIGRATIONS, FORMAT]
