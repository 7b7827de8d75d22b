"""Building workflows in Python, and programs made from workflow files."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import InvalidWorkflow, Workflow
from nodegraph.build import Builder, BuildError
from nodegraph.catalog import Catalog
from nodegraph.workflow.compare import compare
from nodegraph.workflow.python import NotExpressible, to_python
from nodes.conditioning.text import encode_text
from nodes.samplers.euler import euler

from .flows import flow, link

ROOT = Path(__file__).parents[2]


@pytest.fixture
def g(catalog: Catalog) -> Builder:
    return Builder(title="t", catalog=catalog)


def test_what_is_built_is_what_a_file_says(g: Builder) -> None:
    one = g.add("number", value=1)
    two = g.add("number", "deux", value=2)
    total = g.add("total", numbers=[one, two])
    g.titled(total, "Sum")
    g.input("a", one["value"], two["value"], title="A", help="h")
    g.output("sum", total.number, title="S")
    assert g.build() == Workflow.from_document(
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


def test_functions_stand_for_their_nodes_and_names_count_up(g: Builder) -> None:
    assert [repr(g.add(euler)) for _ in range(3)] == ["<euler>", "<euler_2>", "<euler_3>"]


def test_several_outputs_are_named_or_taken_apart(g: Builder) -> None:
    loaded = g.add("load_checkpoint", "model", checkpoint=Path("sub") / "x.safetensors")
    denoiser, text_encoder, _ = loaded
    g.add(encode_text, encoder=text_encoder, text=["a", "b"])
    g.add("empty_latent", model=denoiser)
    with pytest.raises(BuildError, match=r"'model' \(load_checkpoint\) does not stand for one output"):
        g.add("empty_latent", model=loaded)
    built = g.build().nodes
    assert built["model"].inputs == {"checkpoint": "sub/x.safetensors"}
    assert built["encode_text"].inputs["encoder"] == link("model.text_encoder")
    assert built["empty_latent"].inputs["model"] == link("model.denoiser")


def test_objects_and_enums_are_written_as_files_write_them(g: Builder) -> None:
    from enum import Enum

    mode = Enum("mode", {"PLAIN": "negated"})
    g.add("scaled", value=1.0, mode=mode.PLAIN)
    g.add("area", box={"width": 2})
    assert g.build().nodes["scaled"].inputs["mode"] == "negated"
    assert g.build().nodes["area"].inputs["box"] == {"value": {"width": 2}}


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda g: g.add("numbr"), "did you mean 'number'"),
        (lambda g: g.add(len), "is no function of a node pack"),
        (lambda g: g.add("number", "9"), "'9' is no name for a node"),
        (lambda g: (g.add("number", "n"), g.add("number", "n")), "'n' is there already"),
        (lambda g: g.add("number").nothing, "has no output 'nothing'; its outputs are number"),
        (lambda g: g.add("number")["nothing"], "has no input 'nothing'; its inputs are value"),
        (lambda g: bool(g.add("number")), "it cannot decide an if"),
        (lambda g: g.add("number", value=object()), "cannot be written into a workflow"),
        (lambda g: g.add("rounded", number=Builder(catalog=g._catalog).add("number")), "belongs to another workflow"),
        (lambda g: g.input("x"), "goes nowhere"),
        (lambda g: g.output("x", 3), "3 is no node that was added"),
        (lambda g: [g.output("x", g.add("number")) for _ in "ab"], "'x' is there already"),
    ],
)
def test_mistakes_are_said_where_they_are_made(g: Builder, build: Any, words: str) -> None:
    with pytest.raises(BuildError) as caught:
        build(g)
    assert words in str(caught.value)


def test_wrong_inputs_are_defects_of_the_line_that_adds_them(g: Builder) -> None:
    with pytest.raises(InvalidWorkflow, match="did you mean 'value'"):
        g.add("number", valeu=1)
    with pytest.raises(InvalidWorkflow, match="it is out of range"):
        g.add("number", value=5000)
    assert g.build() == Workflow(title="t")
    g.add("scaled", value=g.add("number"))
    with pytest.raises(InvalidWorkflow, match=r"gives Number, but float is needed"):
        g.build()


def run(program: str, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """The workflow that a program builds."""
    monkeypatch.setattr("nodegraph.build.load_catalog", lambda settings: catalog)
    path = tmp_path / "program.py"
    path.write_text(program, "utf-8")
    found = runpy.run_path(str(path))["workflow"]
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


names = st.sampled_from(["n", "class", "g", "number", "a-b", "a_b", "workflow", "n_"])
values = st.integers(-1000, 1000) | st.floats(-1000, 1000)


@given(st.dictionaries(names, values, min_size=1), st.text(max_size=20))
def test_any_names_and_titles_survive(
    catalog: Catalog, tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Any], title: str
) -> None:
    chained: dict[str, tuple[str, dict[str, Any]]] = {
        name: ("number", {"value": value}) for name, value in nodes.items()
    }
    chained["sum"] = ("total", {"numbers": [link(f"{name}.number") for name in nodes]})
    workflow = flow(
        chained, {title or "x": "sum.number"}, {title: {"to": [f"{next(iter(nodes))}.value"], "title": title}}
    )
    workflow = workflow.model_copy(update={"title": title, "description": title, "layout": {title: [1, None]}})
    with pytest.MonkeyPatch.context() as patch:
        assert run(to_python(workflow, catalog), tmp_path_factory.mktemp("p"), catalog, patch) == workflow


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ({"a": ("rounded", {"number": link("b.number")})}, "wired to 'b', which is not there"),
        ({"a": ("nothing", {})}, "of the type 'nothing' version 1, which is not installed"),
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
