"""Building graphs and loops in Python, and programs made from workflow files that have them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodegraph import InvalidWorkflow, Workflow
from nodegraph.build import BuildError
from nodegraph.catalog import Catalog
from nodegraph.execution.run import Runner
from nodegraph.workflow.calls import OPTIONS, argument_name, input_name
from nodegraph.workflow.compare import compare
from nodegraph.workflow.model import Subgraph
from nodegraph.workflow.python import NotExpressible, to_python
from nodegraph.workflow.validate import find_defects

from .flows import flow, graph, link
from .test_build import run
from .test_random_graphs import workflows


@pytest.fixture
def g(catalog: Catalog) -> Workflow:
    return Workflow().using(catalog)


def stage_of(g: Workflow, name: str = "stage") -> Subgraph:
    """A graph that doubles its input `value`."""
    stage = g.graph(name)
    n = stage.add("scaled", value=1.0, times=2)
    stage.input("value", (n, "value"))
    stage.output("value", n)
    return stage


def test_what_is_built_is_what_a_file_says(g: Workflow, runner: Runner) -> None:
    stage = g.graph("stage", title="T", description="D", layout={"a": 1})
    n = stage.add("scaled", "n", value=1.0, times=2)
    stage.titled(n, "Twice")
    stage.input("value", (n, "value"), help="h")
    stage.input("round", (n, "times"))
    stage.output("number", n, title="N")
    stage.output("value", n)
    one = g.call(stage, value=4.0)
    many = g.for_each("stage", "many", each="value", index="round", value=[1.0, one.number])
    grown = g.repeat(stage, carry=["value"], collect=("number",), times=3)
    g.input("times", (grown, "times"))
    g.output("many", many.number)
    g.output("grown", grown.value)
    assert g.check() == Workflow.from_document(
        {
            "format": "nodegraph/1",
            "nodes": {
                "stage": {"type": "graph", "graph": "stage", "inputs": {"value": 4.0}},
                "many": {
                    "type": "for_each",
                    "graph": "stage",
                    "each": ["value"],
                    "index": "round",
                    "inputs": {"value": [1.0, link("stage.number")]},
                },
                "stage_2": {
                    "type": "repeat",
                    "graph": "stage",
                    "carry": ["value"],
                    "collect": ["number"],
                    "inputs": {"times": 3},
                },
            },
            "inputs": {"times": {"to": ["stage_2.times"]}},
            "outputs": {"many": {"from": "many.number"}, "grown": {"from": "stage_2.value"}},
            "graphs": {
                "stage": {
                    "title": "T",
                    "description": "D",
                    "layout": {"a": 1},
                    "nodes": {"n": {"type": "scaled", "title": "Twice", "inputs": {"value": 1.0, "times": 2}}},
                    "inputs": {"value": {"to": ["n.value"], "help": "h"}, "round": {"to": ["n.times"]}},
                    "outputs": {"number": {"from": "n.value", "title": "N"}, "value": {"from": "n.value"}},
                }
            },
        }
    )
    assert runner.run(g).outputs == {"many": [0.0, 8.0], "grown": 8.0}


def test_graphs_use_one_another_but_not_themselves(g: Workflow) -> None:
    inner, outer = stage_of(g, "inner"), g.graph("outer")
    outer.output("value", outer.call(inner, value=2.0))
    g.output("value", g.call(outer))
    g.check()
    for wrong in (inner, outer):
        with pytest.raises(BuildError, match="the graph would contain itself"):
            inner.call(wrong)
    assert list(inner.nodes) == ["scaled"]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda g: g.call("stge"), "there is no graph 'stge'; did you mean 'stage'?"),
        (lambda g: g.call(3), "there is no graph 3; there are stage"),
        (lambda g: g.call(Subgraph()), "this graph is none of the workflow's"),
        (lambda g: Workflow().using(g._catalog).call(g.graphs["stage"]), "this graph is none of the workflow's"),
        (lambda g: Subgraph().using(g._catalog).call("stage"), "there is no graph 'stage'; there are none"),
        (lambda g: g.call("stage", "9"), "'9' is no name for a node"),
        (lambda g: g.call("stage").nothing, "has no output 'nothing'; its outputs are value"),
        (lambda g: g.for_each("stage", each=3), "each = 3: give a name or a list of names"),
        (lambda g: g.repeat("stage", until=["value"], times=1), "until = ['value']: give a name"),
        (lambda g: g.graph("stage"), "the graph 'stage' is there already"),
        (lambda g: g.graph("stage", Workflow()), "two different graphs called 'stage'"),
        (lambda g: g.graph(""), "'' is no name for a graph"),
        (lambda g: g.graph("x", {"nodes": {}}), "is no graph; give a workflow"),
        (lambda g: g.graphs["stage"].add("rounded", number=g.add("number")), "<number> belongs to another graph"),
        (lambda g: g.output("x", g.graphs["stage"].add("number")), "<number> belongs to another graph"),
    ],
)
def test_mistakes_are_said_where_they_are_made(g: Workflow, build: Any, words: str) -> None:
    stage_of(g)
    with pytest.raises(BuildError) as caught:
        build(g)
    assert words in str(caught.value)
    assert list(g.graphs) == ["stage"]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda g: g.call("stage", valeu=1.0), "stage.valeu: 'graph' has no such input; did you mean 'value'?"),
        (lambda g: g.call("stage", value="x"), "stage.value = 'x': it is a text, not float"),
        (lambda g: g.for_each("stage", each="value", value=1.0), "it is a number, not a list"),
        (lambda g: g.for_each("stage", each="x"), "each names 'x', which is no input of 'stage'; there are value"),
        (lambda g: g.for_each("stage", each=[]), "it does not say what it goes through"),
        (lambda g: g.repeat("stage", carry="value"), "nothing says when it ends"),
        (lambda g: g.repeat("stage", collect="x", times=1), "collect names 'x', which is no output of 'stage'"),
        (lambda g: g.graphs["stage"].add("number", valeu=1), "in the graph 'stage', number.valeu"),
    ],
)
def test_what_does_not_fit_a_graph_is_a_defect_of_the_line_that_adds_it(g: Workflow, build: Any, words: str) -> None:
    stage_of(g)
    before = g.to_json()
    with pytest.raises(InvalidWorkflow) as caught:
        build(g)
    assert words in str(caught.value)
    assert g.to_json() == before


def test_inputs_called_like_options_get_an_underscore_and_outputs_may_have_any_name(g: Workflow) -> None:
    stage = g.graph("stage")
    n = stage.add("scaled", value=1.0)
    stage.input("each", (n, "value"))
    stage.input("each_", (n, "times"))
    stage.output("two words", n)
    stage.output("_node", n)
    many = g.for_each(stage, each="each", each_=[1.0], each__=2)
    g.output("a", many["two words"])
    g.output("b", many["_node"])
    g.call(stage, "one", each=2.0, each_=3)
    assert g.check().nodes["stage"].inputs == {"each": [1.0], "each_": 2}
    assert g.nodes["one"].inputs == {"each": 2.0, "each_": 3}
    assert [each.source for each in g.outputs.values()] == ["stage.two words", "stage._node"]


@given(st.sampled_from(sorted(OPTIONS)), st.sampled_from(["each", "index", "times"]), st.integers(0, 3))
def test_every_input_has_an_argument_of_its_own(kind: str, name: str, underscores: int) -> None:
    argument = argument_name(kind, name + "_" * underscores)
    assert argument not in OPTIONS[kind]
    assert input_name(kind, argument) == name + "_" * underscores


@pytest.mark.parametrize(
    "derive",
    [
        lambda g: g.model_copy(),
        lambda g: g.model_copy(deep=True),
        lambda g: g.model_copy(update={"title": "other"}),
        lambda g: Workflow(title="other").model_copy(update={"graphs": g.graphs}),
        lambda g: Workflow(graphs=g.graphs),
        copy.copy,
        copy.deepcopy,
        lambda g: Workflow.model_validate(g.model_dump(by_alias=True)),
        lambda g: Workflow.parse(g.to_json()),
    ],
)
def test_no_graph_grows_with_what_it_came_from(g: Workflow, catalog: Catalog, derive: Any) -> None:
    stage = stage_of(g)
    derived = derive(g).using(catalog)
    assert derived.graphs == g.graphs
    before = derived.to_json()
    stage.titled(stage.add("number"), "Another")
    assert derived.to_json() == before
    after = g.to_json()
    other = derived.graphs["stage"]
    other.output("more", other.add("number", "d"))
    derived.output("more", derived.call(other).more)
    assert g.to_json() == after


def test_a_pickled_workflow_grows_in_its_graphs(g: Workflow) -> None:
    stage_of(g)
    again = pickle.loads(pickle.dumps(g))
    assert again == g
    again.graphs["stage"].add("number")
    again.call("stage", value=2.0)
    assert again != g


def test_a_graph_begins_as_another_one_with_all_that_it_uses(g: Workflow, catalog: Catalog) -> None:
    other = Workflow(title="Other").using(catalog)
    outer = other.graph("outer")
    outer.call(stage_of(other, "inner"), "one")
    other.call(outer, "two")
    whole = g.graph("whole", other, title="Whole")
    assert (whole.title, list(whole.nodes), list(g.graphs)) == ("Whole", ["two"], ["whole", "outer", "inner"])
    assert g.graph("outer", outer) is g.graphs["outer"]
    g.graphs["inner"].add("number")
    assert "number" not in other.graphs["inner"].nodes
    with pytest.raises(BuildError, match="two different graphs called 'inner'"):
        g.graph("new", outer)
    assert "new" not in g.graphs
    alone = Workflow().using(catalog)
    alone.graph("new", outer)
    assert list(alone.graphs) == ["new", "inner"]


def test_graphs_are_equal_when_their_documents_are(g: Workflow) -> None:
    assert stage_of(g) == stage_of(Workflow().using(g._catalog))  # type: ignore[arg-type]
    assert g.graphs["stage"] != Subgraph()
    assert Workflow() != Subgraph()


# programs

NAMES = [
    "each",
    "each_",
    "index",
    "carry_",
    "until",
    "self",
    "name",
    "class",
    "_node",
    "__iter__",
    "two words",
    "ﬁ",
    "g",
]


def renamed(workflow: Workflow, ports: dict[str, str], graphs: dict[str, str]) -> Workflow:
    """The workflow with other names for its graphs, and for their inputs and outputs."""

    def value(text: Any, calls: set[str]) -> Any:
        match text:
            case {"from": str(source)}:
                node, _, output = source.rpartition(".")
                return link(f"{node}.{ports.get(output, output) if node in calls else output}")
            case [*items]:
                return [value(each, calls) for each in items]
            case _:
                return text

    def document(of: dict[str, Any], *, top: bool) -> dict[str, Any]:
        calls = {name for name, entry in of["nodes"].items() if entry["graph"]}
        for name, entry in of["nodes"].items():
            inputs = {port: value(each, calls) for port, each in entry["inputs"].items()}
            if name in calls:
                entry["inputs"] = {ports.get(port, port): each for port, each in inputs.items()}
                entry |= {key: [ports[each] for each in entry[key]] for key in ("each", "carry", "collect")}
                entry |= {"graph": graphs[entry["graph"]], "index": ports.get(entry["index"], "")}
            else:
                entry["inputs"] = inputs
        ends = {name: {**end, **value({"from": end["from"]}, calls)} for name, end in of["outputs"].items()}
        keep = (lambda name: name) if top else (lambda name: ports[name])
        of["outputs"] = {keep(name): end for name, end in ends.items()}
        of["inputs"] = {keep(name): each for name, each in of["inputs"].items()}
        return of

    whole = workflow.model_dump(mode="json", by_alias=True)
    inner = {graphs[name]: document(each, top=False) for name, each in whole["graphs"].items()}
    found = Workflow.from_document({**document(whole, top=True), "graphs": inner})
    return Workflow.parse(found.to_json())  # without options that are empty


@given(
    workflow=workflows(),
    ports=st.permutations(NAMES).map(lambda names: dict(zip(["x", "y", "n", "s"], names, strict=False))),
    graphs=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4) | st.just("g"), unique=True,
                    min_size=3, max_size=3).map(lambda names: dict(zip(["g0", "g1", "g2"], names, strict=True))),
)  # fmt: skip
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
def test_any_workflow_with_loops_survives_the_trip_through_python_and_through_json(
    catalog: Catalog,
    tmp_path_factory: pytest.TempPathFactory,
    workflow: Workflow,
    ports: dict[str, str],
    graphs: dict[str, str],
) -> None:
    odd = renamed(workflow, ports, graphs)
    assert find_defects(odd, catalog, complete=True) == []
    for each in (workflow, odd):
        assert Workflow.parse(each.to_json()) == each
        with pytest.MonkeyPatch.context() as patch:
            again = run(to_python(each, catalog), tmp_path_factory.mktemp("p"), catalog, patch)
        assert again == each
        assert compare(each, again, catalog) == []


def test_a_program_builds_every_graph_before_it_is_used(catalog: Catalog) -> None:
    outer = graph({"n": ("graph", {}, {"graph": "inner"})})
    inner = graph({"n": ("number", {})})
    lines = to_python(flow({}, graphs={"outer": outer, "inner": inner}), catalog).splitlines()
    program = [line for line in lines if "add" in line or "graph(" in line or "call" in line]
    assert program == [
        'inner = g.graph("inner")',
        'n = inner.add("number", "n")',
        'outer = g.graph("outer")',
        'outer_n = outer.call(inner, "n")',
    ]


@pytest.mark.parametrize(
    ("nodes", "graphs", "words"),
    [
        ({}, {"a": graph({"n": ("graph", {}, {"graph": "a"})})}, "the graph 'a' contains itself"),
        ({}, {"": graph({})}, "has no name"),
        ({"n": ("graph", {}, {"graph": "a"})}, {}, "'graph' version 1 of the graph 'a', which is not installed"),
        ({"n": ("number", {}, {"graph": "a"})}, {}, "node 'n' has 'graph', which its type does not have"),
        ({"n": ("graph", {}, {"graph": "a", "each": ["x"]})}, {"a": graph({})}, "has 'each'"),
        ({}, {"a": graph({"n": ("no_such", {})})}, "node 'n' of the graph 'a' is of the type 'no_such'"),
        ({}, {"a": graph({}, {"x": "n.value"})}, "the output 'x' of the graph 'a' names 'n', which is not there"),
    ],
)
def test_what_has_no_program_says_why(catalog: Catalog, nodes: Any, graphs: Any, words: str) -> None:
    with pytest.raises(NotExpressible) as caught:
        to_python(flow(nodes, graphs=graphs), catalog)
    assert words in str(caught.value)


def test_a_loaded_workflow_grows_in_its_graphs(g: Workflow, catalog: Catalog, tmp_path: Path) -> None:
    stage_of(g)
    g.save(tmp_path / "flow.json")
    loaded = Workflow.load(tmp_path / "flow.json").using(catalog)
    stage = loaded.graphs["stage"]
    stage.output("more", stage.add("number"))
    loaded.output("more", loaded.call(stage).more)
    loaded.check().save(tmp_path / "flow.json")
    assert list(Workflow.load(tmp_path / "flow.json").graphs["stage"].outputs) == ["value", "more"]
