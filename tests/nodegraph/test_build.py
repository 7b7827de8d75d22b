"""Building workflows in Python, and programs made from workflow files."""

from __future__ import annotations

import copy
import re
import runpy
from pathlib import Path
from typing import Any

import mypy.api
import pytest
from hypothesis import HealthCheck, given, settings

from nodegraph import InvalidWorkflow, Workflow
from nodegraph.build import BuildError
from nodegraph.catalog import Catalog
from nodegraph.workflow.compare import compare
from nodegraph.workflow.graph import Gathered, Link, Written, parse_source
from nodegraph.workflow.inputs import bind_inputs
from nodegraph.workflow.python import NotExpressible, to_python
from nodegraph.workflow.validate import find_defects
from nodes.conditioning.text import encode_text
from nodes.samplers.euler import euler

from .flows import flow, link
from .random_flows import workflows

ROOT = Path(__file__).parents[2]


@pytest.fixture
def g(catalog: Catalog) -> Workflow:
    return Workflow(title="t").using(catalog)


def test_what_is_built_is_what_a_file_says(g: Workflow) -> None:
    one = g.add("number", value=1)
    two = g.add("number", "deux", value=2)
    total = g.add("total", numbers=[one, two])
    g.titled(total, "Sum")
    g.input("a", (one, "value"), (two, "value"), title="A", help="h")
    g.output("sum", total.number, title="S")
    assert g.check() == Workflow.from_document(
        {
            "format": "nodegraph/1",
            "title": "t",
            "nodes": {
                "number": {"type": "number", "inputs": {"value": 1}},
                "deux": {"type": "number", "inputs": {"value": 2}},
                "total": {
                    "type": "total",
                    "title": "Sum",
                    "inputs": {"numbers": [link("number.number"), link("deux.number")]},
                },
            },
            "inputs": {"a": {"to": ["number.value", "deux.value"], "title": "A", "help": "h"}},
            "outputs": {"sum": {"from": "total.number", "title": "S"}},
        }
    )


def test_functions_stand_for_their_nodes_and_names_count_up(g: Workflow) -> None:
    assert [repr(g.add(euler)) for _ in range(3)] == ["<euler>", "<euler_2>", "<euler_3>"]


def test_several_outputs_are_named_or_taken_apart(g: Workflow) -> None:
    loaded = g.add("load_checkpoint", "model", checkpoint=Path("sub") / "x.safetensors")
    denoiser, text_encoder, _ = loaded
    g.add(encode_text, encoder=text_encoder, text=["a", "b"])
    g.add("empty_latent", model=denoiser)
    with pytest.raises(BuildError, match=r"'model' \(load_checkpoint\) does not stand for one output"):
        g.add("empty_latent", model=loaded)
    built = g.check().nodes
    assert built["model"].inputs == {"checkpoint": "sub/x.safetensors"}
    assert built["encode_text"].inputs["encoder"] == link("model.text_encoder")
    assert built["empty_latent"].inputs["model"] == link("model.denoiser")


def test_objects_and_enums_are_written_as_files_write_them(g: Workflow) -> None:
    from enum import Enum

    mode = Enum("mode", {"PLAIN": "negated"})
    g.add("scaled", value=1.0, mode=mode.PLAIN)
    g.add("area", box={"width": 2})
    assert g.check().nodes["scaled"].inputs["mode"] == "negated"
    assert g.check().nodes["area"].inputs["box"] == {"value": {"width": 2}}


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda g: g.add("numbr"), "did you mean 'number'"),
        (lambda g: g.add(len), "is no function of a node pack"),
        (lambda g: g.add("number", "9"), "'9' is no name for a node"),
        (lambda g: (g.add("number", "n"), g.add("number", "n")), "'n' is there already"),
        (lambda g: g.add("number").nothing, "has no output 'nothing'; its outputs are number"),
        (lambda g: g.input("x", (g.add("number"), "nothing")), "has no input 'nothing'; its inputs are value"),
        (lambda g: g.input("x", "number.value"), "'number.value' is no place; write a handle and an input of it"),
        (lambda g: g.add("area", box={"width": g.add("number")}), "<number> is wired too deep"),
        (lambda g: bool(g.add("number")), "it cannot decide an if"),
        (lambda g: g.add("number", value=object()), "cannot be written into a workflow"),
        (lambda g: g.add("rounded", number=Workflow().using(g._catalog).add("number")), "belongs to another graph"),
        (lambda g: g.input("x"), "goes nowhere"),
        (lambda g: g.output("x", 3), "3 is no node that was added"),
        (lambda g: [g.output("x", g.add("number")) for _ in "ab"], "'x' is there already"),
    ],
)
def test_mistakes_are_said_where_they_are_made(g: Workflow, build: Any, words: str) -> None:
    with pytest.raises(BuildError) as caught:
        build(g)
    assert words in str(caught.value)


def test_lists_and_objects_inside_each_other_stay_what_they_are(g: Workflow) -> None:
    name = g.add("join", texts=["a", "b"])
    nested: list[Any] = [{"from": "a.b"}, [{"value": 1}], [[{"from": "c.d"}]]]
    g.add("first", "written", items=nested)
    g.add("first", "mixed", items=[name, *nested])
    assert parse_source(g.nodes["written"].inputs["items"]) == Written(nested)
    assert parse_source(g.nodes["mixed"].inputs["items"]) == Gathered((Link("join", "text"), *map(Written, nested)))


TYPED = """
from typing import NamedTuple
from nodegraph import Workflow
class Parts(NamedTuple):
    whole: int
    rest: float
def parts(value: float) -> Parts: ...
async def later(value: int) -> str: ...
g = Workflow()
both = g.add(parts, value=1.5)
good: tuple[int, float, str] = both.whole, both.rest, g.add(later, value=both.whole)
g.input("x", (both, "value"))
g.add(parts).nothing
bad: int = g.add(later)
"""


@pytest.mark.slow
def test_type_checkers_know_what_a_handle_stands_for(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(TYPED)
    said, _, _ = mypy.api.run(
        ["--cache-dir", str(tmp_path), "--disable-error-code=empty-body", str(tmp_path / "program.py")]
    )
    assert re.findall(r"(\d+): error: .*\[(.*)\]", said) == [("13", "attr-defined"), ("14", "assignment")], said


def test_a_loaded_workflow_grows(g: Workflow, catalog: Catalog, tmp_path: Path) -> None:
    g.add("number", value=1)
    g.save(tmp_path / "flow.json")
    loaded = Workflow.load(tmp_path / "flow.json").using(catalog)
    assert loaded == g
    loaded.add("number", value=2)
    loaded.save(tmp_path / "flow.json")
    assert {name: each.inputs for name, each in Workflow.load(tmp_path / "flow.json").nodes.items()} == {
        "number": {"value": 1},
        "number_2": {"value": 2},
    }


@pytest.mark.parametrize(
    "derive",
    [
        lambda g: g.model_copy(),
        lambda g: g.model_copy(deep=True),
        lambda g: g.model_copy(update={"title": "other"}),
        lambda g: Workflow(title="other").model_copy(update={"nodes": g.nodes, "inputs": g.inputs}),
        lambda g: g.with_values({("number", "value"): 2}),
        lambda g: bind_inputs(g, {"a": 3}),
        copy.copy,
        copy.deepcopy,
        lambda g: Workflow.model_validate(g.model_dump(by_alias=True)),
        lambda g: Workflow(nodes=g.nodes, inputs=g.inputs, outputs=g.outputs, layout=g.layout),
    ],
)
def test_nothing_grows_with_what_it_came_from(g: Workflow, catalog: Catalog, derive: Any) -> None:
    one = g.add("number", value=1)
    g.input("a", (one, "value"))
    derived = derive(g).using(catalog)
    before = derived.to_json()
    g.titled(g.add("number", value=1), "Another")
    g.titled(one, "One")
    g.input("b", (one, "value"))
    g.output("c", one)
    assert derived.to_json() == before
    after = g.to_json()
    derived.output("d", derived.add("number", "d"))
    derived.input("e", (derived.add("number", "f"), "value"))
    assert g.to_json() == after


def test_workflows_are_equal_when_their_documents_are(g: Workflow) -> None:
    assert g == Workflow(title="t")
    assert g != Workflow(title="u")
    assert g != "t"


def test_wrong_inputs_are_defects_of_the_line_that_adds_them(g: Workflow) -> None:
    with pytest.raises(InvalidWorkflow, match="did you mean 'value'"):
        g.add("number", valeu=1)
    with pytest.raises(InvalidWorkflow, match="it is out of range"):
        g.add("number", value=5000)
    assert g == Workflow(title="t")
    g.add("scaled", value=g.add("number"))
    with pytest.raises(InvalidWorkflow, match=r"gives Number, but float is needed"):
        g.check()


def run(program: str, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """The workflow that a program builds."""
    monkeypatch.setattr("nodegraph.build.load_catalog", lambda settings: catalog)
    path = tmp_path / "program.py"
    path.write_text(program, "utf-8")
    found = runpy.run_path(str(path))["g"]
    assert isinstance(found, Workflow)
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").rglob("*.json")), ids=lambda path: path.stem)
def test_every_workflow_is_the_same_after_a_trip_through_python(
    path: Path, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = Workflow.load(path)
    program = to_python(workflow, catalog)
    assert run(program, tmp_path, catalog, monkeypatch) == workflow
    assert max(map(len, program.splitlines())) < 2000


@given(workflow=workflows())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_workflow_survives_the_trip_through_python_and_through_json(
    catalog: Catalog, tmp_path_factory: pytest.TempPathFactory, workflow: Workflow
) -> None:
    assert find_defects(workflow, catalog, complete=True) == []
    assert Workflow.parse(workflow.to_json()) == workflow
    with pytest.MonkeyPatch.context() as patch:
        again = run(to_python(workflow, catalog), tmp_path_factory.mktemp("p"), catalog, patch)
    assert again == workflow
    assert again.to_json().encode() == Workflow.parse(again.to_json()).to_json().encode()


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ({"a": ("rounded", {"number": link("b.number")})}, "wired to 'b', which is not there"),
        ({"a": ("no_such", {})}, "of the type 'no_such' version 1, which is not installed"),
        ({"a": ("add", {"a": link("a.number"), "b": link("a.number")})}, "in a circle: a -> a"),
        ({"a": ("number", {}), "b": ("rounded", {"number": link("a.value")})}, "has no output 'value'"),
        ({"a": ("number", {"value": {"form": 1}})}, "an object is either a wire"),
    ],
)
def test_what_has_no_program_says_why(catalog: Catalog, nodes: Any, words: str) -> None:
    with pytest.raises(NotExpressible) as caught:
        to_python(flow(nodes), catalog)
    assert words in str(caught.value)


def test_defaults_and_values_in_objects_mean_the_same(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = flow({"s": ("scaled", {"value": {"value": 2.5}}), "b": ("area", {"box": {"value": {"width": 1}}})})
    again = run(to_python(workflow, catalog), tmp_path, catalog, monkeypatch)
    assert compare(workflow, again) == []
