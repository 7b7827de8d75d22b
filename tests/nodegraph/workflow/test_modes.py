"""Bypassed and muted nodes: what is left of a workflow, what runs, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph import Blocked, InvalidWorkflow, Workflow
from nodegraph.catalog import Catalog
from nodegraph.execution.naming import name_fields
from nodegraph.execution.preflight import preflight
from nodegraph.execution.run import Runner
from nodegraph.workflow.modes import resolve_modes
from nodegraph.workflow.validate import find_defects

from ..flows import flow, graph, link
from ..test_random_graphs import keys_of, run, runners, workflows

BYPASS, MUTE = {"mode": "bypass"}, {"mode": "mute"}
STAGE = graph(
    {"twice": ("scaled", {"value": 1.0, "times": 2}), "thrice": ("scaled", {"value": link("twice.value"), "times": 3})},
    {"value": "thrice.value", "half": "twice.value"},
    {"value": "twice.value"},
)


def outputs(runner: Runner, workflow: Workflow, **inputs: Any) -> dict[str, Any]:
    found = runner.run(workflow, inputs).outputs
    return {name: "blocked" if isinstance(value, Blocked) else value for name, value in found.items()}


def defects(catalog: Catalog, workflow: Workflow) -> list[str]:
    return [str(each) for each in find_defects(workflow, catalog)]


def chain(inputs: Any = None, **modes: str) -> Workflow:
    """source -> twice -> thrice."""
    nodes: dict[str, Any] = {
        "source": ("value", {"value": 5.0}),
        "twice": ("scaled", {"value": link("source.result"), "times": 2}),
        "thrice": ("scaled", {"value": link("twice.value"), "times": 3}),
    }
    return flow(moded(nodes, modes), {"end": "thrice.value"}, inputs)


def moded(nodes: dict[str, Any], modes: dict[str, str]) -> dict[str, Any]:
    """The nodes with these modes."""
    return {
        name: (kind, values, {**(more[0] if more else {}), **({"mode": modes[name]} if name in modes else {})})
        for name, (kind, values, *more) in nodes.items()
    }


def in_stage(kind: str = "graph", call: Any = None, **modes: str) -> Workflow:
    """A node that runs twice -> thrice, given 5 in most tests."""
    body = {**STAGE, "nodes": {**STAGE["nodes"]}}
    for name, mode in modes.items():
        body["nodes"][name] = {**body["nodes"][name], "mode": mode}
    node = (kind, call or {"value": 5.0}, {"graph": "g", **({"each": ["value"]} if kind == "for_each" else {})})
    return flow({"stage": node}, {"value": "stage.value", "half": "stage.half"}, graphs={"g": body})


def test_an_input_of_a_bypassed_node_stands_for_its_output(runner: Runner) -> None:
    assert outputs(runner, chain()) == {"end": 30.0}
    assert outputs(runner, chain(twice="bypass")) == {"end": 15.0}
    assert outputs(runner, chain(thrice="bypass")) == {"end": 10.0}
    assert outputs(runner, chain(twice="bypass", thrice="bypass")) == {"end": 5.0}
    assert outputs(runner, chain(source="bypass", twice="bypass", thrice="bypass")) == {"end": 5.0}


def test_a_bypassed_node_is_as_if_it_had_never_been_there(catalog: Catalog) -> None:
    without: dict[str, Any] = {
        "source": ("value", {"value": 5.0}),
        "thrice": ("scaled", {"value": link("source.result"), "times": 3}),
    }
    keys = keys_of(chain(twice="bypass"), catalog)[1]
    assert keys == keys_of(flow(without, {"end": "thrice.value"}), catalog)[1]


def test_a_workflow_without_modes_is_given_back_as_it_is(catalog: Catalog) -> None:
    workflow = chain()
    assert resolve_modes(workflow, catalog).workflow is workflow
    assert "mode" not in workflow.to_json()
    assert Workflow.parse(chain(twice="mute").to_json()) == chain(twice="mute")


def test_lists_and_defaults_stand_in_as_well(runner: Runner) -> None:
    nodes: dict[str, Any] = {
        "a": ("value", {"value": "a"}),
        "kept": ("collect", {"items": [link("a.result"), "b"]}, BYPASS),
        "text": ("join_texts", {"texts": link("kept.result")}),
        "default": ("join_texts", {"texts": ["a"]}, BYPASS),
        "joined": ("join_texts", {"texts": ["b", link("default.text"), "c"]}),
    }
    found = outputs(runner, flow(nodes, {"text": "text.text", "joined": "joined.text", "list": "kept.result"}))
    assert found == {"text": "a, b", "joined": "b, , , c", "list": ["a", "b"]}


def test_each_input_stands_for_one_output_in_declared_order(runner: Runner, catalog: Catalog) -> None:
    nodes: dict[str, Any] = {
        "a": ("number", {"value": 3}),
        "sum": ("add", {"b": link("a.number"), "a": link("b.number")}, BYPASS),
        "b": ("number", {"value": 4}),
        "chosen": ("switch", {"condition": True, "on_true": link("sum.number"), "on_false": link("a.number")}, BYPASS),
    }
    assert outputs(runner, flow(nodes, {"x": "chosen.result"}))["x"].value == 4
    nodes["parts"] = ("split", {"number": link("a.number")}, BYPASS)
    [found] = defects(catalog, flow(nodes, {"x": "chosen.result", "y": "parts.rest"}))
    assert found.startswith("the workflow output 'y' is gone: 'parts' is bypassed, and no input of it can stand for")
    nodes["use"] = ("scaled", {"value": link("parts.rest")})
    [found] = defects(catalog, flow(nodes, {"x": "use.value"}))
    assert found.startswith("use.value: 'parts' is bypassed, and no input of it can stand for its output 'rest'; wire")
    assert defects(catalog, flow({**nodes, "use": (*nodes["use"], MUTE)}, {"x": "use.value"})) == []


def test_a_muted_node_does_not_run_nor_what_cannot_do_without_it(runner: Runner, catalog: Catalog) -> None:
    nodes: dict[str, Any] = {
        "a": ("number", {"value": 3}),
        "b": ("number", {"value": 4}, MUTE),
        "sum": ("add", {"a": link("a.number"), "b": link("b.number")}),
        "total": ("total", {"numbers": [link("a.number"), link("sum.number")]}),
        "text": ("join", {"texts": ["x"], "last": link("word.result")}),
        "word": ("value", {"value": "w"}, MUTE),
        "written": ("write_number", {"number": link("sum.number")}),
    }
    ends = {"sum": "sum.number", "total": "total.number", "text": "text.text"}
    result = runner.run(flow(nodes, ends))
    assert {*result.ran} == {"a", "total", "text"}
    assert result.outputs["total"].value == 3
    assert result.outputs["text"] == "x"
    assert not result.files
    assert (
        resolve_modes(flow(nodes, ends), catalog).absent[""]["written"] == "cannot do without b.number, which is muted"
    )


def test_who_asks_or_takes_what_is_blocked_goes_on_without_a_muted_node(runner: Runner) -> None:
    def flow_of(condition: bool) -> Workflow:
        nodes: dict[str, Any] = {
            "a": ("value", {"value": 1.0}),
            "b": ("value", {"value": 2.0}, MUTE),
            "taken": ("switch", {"condition": condition, "on_true": link("a.result"), "on_false": link("b.result")}),
            "else": ("fallback", {"value": link("b.result"), "otherwise": link("a.result")}),
            "second": ("select", {"items": [link("b.result"), link("a.result")], "index": 1}),
            "list": ("collect", {"items": [link("a.result"), link("b.result")]}),
        }
        return flow(nodes, {name: f"{name}.result" for name in ("taken", "else", "second", "list")})

    assert outputs(runner, flow_of(True)) == {"taken": 1.0, "else": 1.0, "second": 1.0, "list": [1.0]}
    assert outputs(runner, flow_of(False))["taken"] == "blocked"


def test_declared_inputs_are_accepted_and_go_where_the_wire_went(runner: Runner, catalog: Catalog) -> None:
    place = {"x": "twice.value"}
    nodes: dict[str, Any] = {"twice": ("scaled", {"times": 2}), "thrice": ("scaled", {"value": link("twice.value")})}
    bypassed = flow(moded(nodes, {"twice": "bypass"}), {"end": "thrice.value"}, place)
    assert defects(catalog, bypassed) == [], "it is still asked for"
    assert outputs(runner, bypassed, x=4) == {"end": 4.0}
    with pytest.raises(InvalidWorkflow, match=r"thrice\.value: it needs float"):
        runner.run(bypassed)
    muted = flow(moded(nodes, {"twice": "mute"}), {"end": "thrice.value"}, place)
    assert outputs(runner, muted, x=4) == {}


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ({}, {"value": 30.0, "half": 10.0}),
        ({"twice": "bypass"}, {"value": 15.0, "half": 5.0}),
        ({"thrice": "bypass"}, {"value": 10.0, "half": 10.0}),
        ({"twice": "bypass", "thrice": "bypass"}, {"value": 5.0, "half": 5.0}),
        ({"thrice": "mute"}, {"half": 10.0}),
        ({"twice": "mute"}, {}),
    ],
)
@pytest.mark.parametrize("kind", ["graph", "for_each"])
def test_modes_inside_graphs(runner: Runner, kind: str, modes: dict[str, str], expected: dict[str, float]) -> None:
    call = {"value": [5.0, 50.0]} if kind == "for_each" else None
    lists = {name: [value, 10 * value] for name, value in expected.items()}
    assert outputs(runner, in_stage(kind, call, **modes)) == (lists if kind == "for_each" else expected)


def test_nodes_that_run_graphs_have_modes_like_others(runner: Runner, catalog: Catalog) -> None:
    body = graph({"twice": ("scaled", {"value": 1.0, "times": 2})}, {"x": "twice.value"}, {"x": "twice.value"})
    for kind, options, values in (
        ("graph", {}, {"x": 5.0}),
        ("repeat", {"carry": ["x"]}, {"x": 5.0, "times": 3}),
        ("for_each", {"each": ["x"]}, {"x": [5.0]}),
    ):
        node = (kind, values, {"graph": "g", **options})
        bypassed = flow(moded({"loop": node}, {"loop": "bypass"}), {"x": "loop.x"}, graphs={"g": body})
        assert outputs(runner, bypassed) == {"x": values["x"]}
        muted = flow(moded({"loop": node}, {"loop": "mute"}), {"x": "loop.x"}, graphs={"g": body})
        assert outputs(runner, muted) == {}


def test_a_loop_whose_end_is_muted_falls_away(catalog: Catalog) -> None:
    body = graph(
        {
            "twice": ("scaled", {"value": 1.0, "times": 2}),
            "large": ("compare", {"a": link("twice.value"), "b": 9}, MUTE),
        },
        {"x": "twice.value", "large": "large.value"},
        {"x": "twice.value"},
    )
    loop = ("repeat", {"x": 1.0}, {"graph": "g", "carry": ["x"], "until": "large"})
    resolved = resolve_modes(flow({"loop": loop}, {"x": "loop.x"}, graphs={"g": body}), catalog)
    assert resolved.absent == {"g": {"large": "is muted"}, "": {"loop": "cannot do without loop.large, which is muted"}}
    assert resolved.workflow.outputs == {}


def test_a_run_up_to_a_node_that_is_left_out_is_refused(runner: Runner) -> None:
    for workflow, target, why in (
        (chain(twice="bypass"), "twice", "nothing runs up to 'twice': it is bypassed; let it take part"),
        (
            chain(twice="mute"),
            "thrice",
            "nothing runs up to 'thrice': it cannot do without twice.value, which is muted",
        ),
        (in_stage(twice="bypass"), "stage/twice", "nothing runs up to 'stage/twice': it is bypassed"),
    ):
        with pytest.raises(InvalidWorkflow, match=why):
            runner.prepare(workflow, targets=[target])
        [found] = preflight(runner, workflow, targets=[target]).defects
        assert found.code == "bad_mode"


def test_what_is_wrong_with_a_node_that_is_left_out_is_not_told(catalog: Catalog) -> None:
    nodes: dict[str, Any] = {
        "broken": ("scaled", {"times": "many"}, MUTE),
        "strange": ("no_such_node", {}, MUTE),
        "fine": ("number", {}),
    }
    assert defects(catalog, flow(nodes, {"x": "fine.number"})) == []
    [found] = defects(catalog, flow({**nodes, "strange": ("no_such_node", {}, BYPASS)}, {"x": "fine.number"}))
    assert found.startswith("strange: there is no node type")


def test_wires_in_a_circle_are_told_whatever_the_modes(catalog: Catalog) -> None:
    nodes: dict[str, Any] = {
        "a": ("scaled", {"value": link("b.value")}, BYPASS),
        "b": ("scaled", {"value": link("a.value")}),
    }
    assert any("the wires run in a circle" in each for each in defects(catalog, flow(nodes, {"x": "b.value"})))


def test_a_mode_is_set_in_python_and_written_as_a_program(catalog: Catalog, runner: Runner) -> None:
    from nodegraph.workflow.compare import compare
    from nodegraph.workflow.python import to_python

    g = Workflow().using(catalog)
    twice = g.add("scaled", "twice", value=5.0, times=2)
    g.output("end", g.add("scaled", "thrice", value=twice, times=3))
    before = g.model_copy(deep=True)
    g.bypass(twice)
    assert outputs(runner, g.check()) == {"end": 15.0}
    assert "g.bypass(twice)" in to_python(g, catalog)
    assert [str(each) for each in compare(before, g, catalog)] == ['~ twice mode: nothing -> "bypass"']


def test_names_of_files_may_mention_an_input_that_leads_to_a_node_that_is_left_out(runner: Runner) -> None:
    nodes: dict[str, Any] = {
        "muted": ("scaled", {"value": 1.0}, MUTE),
        "stage": ("graph", {}, {"graph": "g"}),
        "written": ("number", {"value": 2}),
    }
    inputs = {"a": "muted.value", "b": "stage.value", "c": "written.value"}
    prepared = runner.prepare(flow(nodes, {"x": "written.number"}, inputs, {"g": STAGE}), {"a": 7.0, "b": 8.0})
    fields = name_fields(prepared.workflow, prepared.plan.graph, {})
    assert [fields["a"], fields["b"], fields["c"]] == [7.0, 8.0, 2.0]


def test_the_recipe_keeps_the_modes(runner: Runner) -> None:
    assert runner.prepare(chain(twice="bypass")).workflow == chain(twice="bypass")


@st.composite
def workflows_with_modes(draw: st.DrawFn, *modes: str) -> Workflow:
    """A random workflow of which some nodes, also inside its graphs, have a mode."""
    document = draw(workflows()).to_document()
    for each in (document, *document.get("graphs", {}).values()):  # type: ignore[union-attr]
        for entry in each["nodes"].values():  # type: ignore[index, call-overload, union-attr]
            if mode := draw(st.sampled_from(("", *modes))):
                entry["mode"] = mode
    return Workflow.from_document(document)


@settings(max_examples=200)
@given(workflow=workflows_with_modes("mute"))
def test_whatever_is_muted_the_rest_is_valid_and_runs(catalog: Catalog, workflow: Workflow) -> None:
    assert defects(catalog, workflow) == []
    with runners(catalog) as make:
        run(make(), workflow, use_cache=False)


@settings(max_examples=200)
@given(workflow=workflows_with_modes("bypass", "mute"))
def test_whatever_the_modes_validation_says_what_a_run_does(catalog: Catalog, workflow: Workflow) -> None:
    found = find_defects(workflow, catalog)
    with runners(catalog) as make:
        if found:
            with pytest.raises(InvalidWorkflow):
                make().run(workflow, use_cache=False)
        else:
            run(make(), workflow, use_cache=False)


@settings(max_examples=100)
@given(workflow=workflows_with_modes("bypass", "mute"))
def test_resolving_gives_the_same_again_and_needs_no_second_time(catalog: Catalog, workflow: Workflow) -> None:
    once = resolve_modes(workflow, catalog)
    assert once == resolve_modes(workflow, catalog)
    assert not any(entry.mode for entry in once.workflow.nodes.values())
