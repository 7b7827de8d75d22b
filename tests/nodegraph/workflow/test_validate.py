"""Validation: every defect at once, as records, from definitions alone."""

from __future__ import annotations

from typing import Any

import pytest

from nodegraph import InvalidWorkflow, Workflow
from nodegraph.catalog import Catalog
from nodegraph.workflow.defects import Defect
from nodegraph.workflow.graph import Written
from nodegraph.workflow.validate import check, find_defects

from ..flows import flow, graph, link


def only(workflow: Workflow, catalog: Catalog, *, complete: bool = False) -> Defect:
    found = find_defects(workflow, catalog, complete=complete)
    assert len(found) == 1, found
    return found[0]


def test_one_of_every_defect_is_reported_at_once(catalog: Catalog) -> None:
    workflow = Workflow.from_document(
        {
            "format": "nodegraph/1",
            "nodes": {
                "ok": {"type": "number"},
                "9bad": {"type": "number"},
                "unknown": {"type": "numbr"},
                "old": {"type": "number", "version": "0"},
                "extra": {"type": "number", "inputs": {"valeu": 1}},
                "missing": {"type": "add", "inputs": {"a": link("ok.number")}},
                "range": {"type": "number", "inputs": {"value": 5000}},
                "kind": {"type": "scaled", "inputs": {"value": 1, "times": "5"}},
                "form": {"type": "scaled", "inputs": {"value": {"form": "ok.number"}}},
                "no_node": {"type": "split", "inputs": {"number": link("okk.number")}},
                "no_output": {"type": "split", "inputs": {"number": link("ok.value")}},
                "type": {"type": "scaled", "inputs": {"value": link("ok.number")}},
                "c1": {"type": "add", "inputs": {"a": link("c2.number"), "b": link("ok.number")}},
                "c2": {"type": "add", "inputs": {"a": link("c1.number"), "b": link("ok.number")}},
                "self": {"type": "split", "inputs": {"number": link("self.whole")}},
                "after": {"type": "split", "inputs": {"number": link("c1.number")}},
                "path": {"type": "read_text", "inputs": {"file": "../secret"}},
                "box": {"type": "area", "inputs": {"box": {"value": {"width": 0, "depth": 1}}}},
            },
            "inputs": {"a": {"to": ["gone.value"]}, "b": {"to": ["ok.valu"]}, "c": {"to": ["missing.a"]}},
            "outputs": {"x": {"from": "ok.nothing"}, "y": {"from": "nowhere"}},
        }
    )
    found = {(each.code, each.node, each.input) for each in find_defects(workflow, catalog)}
    assert found == {
        ("bad_name", "9bad", ""), ("unknown_type", "unknown", ""), ("wrong_version", "old", ""),
        ("unknown_input", "extra", "valeu"), ("missing_input", "missing", "b"), ("bad_value", "range", "value"),
        ("bad_value", "kind", "times"), ("bad_link", "form", "value"), ("missing_node", "no_node", "number"),
        ("missing_output", "no_output", "number"), ("type_mismatch", "type", "value"), ("cycle", "c1", ""),
        ("cycle", "self", ""), ("bad_value", "path", "file"), ("bad_value", "box", "box"),
        ("bad_workflow_input", "", ""), ("missing_output", "", ""), ("bad_link", "", ""),
    }  # fmt: skip
    assert len([each for each in find_defects(workflow, catalog) if each.code == "bad_workflow_input"]) == 3
    with pytest.raises(InvalidWorkflow) as caught:
        check(workflow, catalog)
    assert [each for each in find_defects(workflow, catalog) if each not in caught.value.defects] == []


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ({"n": ("numbr", {})}, "there is no node type 'numbr'; did you mean 'number'"),
        (
            {"n": ("number", {"value": 5000})},
            "n.value = 5000: it is out of range; give a number at least -1000 and at most 1000",
        ),
        ({"n": ("number", {"valeu": 1})}, "'number' has no such input; did you mean 'value'?"),
        ({"n": ("add", {"a": link("n.number"), "b": link("n.number")})}, "the wires run in a circle: n -> n"),
        (
            {"n": ("number", {}), "s": ("scaled", {"value": link("n.number")})},
            "n.number gives Number, but float is needed",
        ),
        ({"n": ("number", {}), "s": ("first", {"items": link("n.number")})}, "write [Number] as a list of one"),
        ({"m": ("machine", {}), "r": ("rounded", {"number": link("m.machine")})}, "Machine is not Number"),
        ({"r": ("scaled", {"value": 1, "mode": "other"})}, "it is not offered; choose one of 'plain', 'negated'"),
        ({"f": ("read_text", {"file": "/etc/passwd"})}, "absolute paths are not allowed"),
        ({"f": ("read_text", {"file": "C:\\x"})}, "absolute paths are not allowed"),
        ({"f": ("read_text", {"file": "a/../../b"})}, "the name leaves its folder"),
        ({"f": ("number", {"value": link("nodot")})}, 'a wire is written {"from": "node.output"}'),
        ({"b": ("area", {"box": {"value": {"width": 2, "height": "x"}}})}, "at .height: it is a text, not int"),
    ],
)
def test_messages_say_what_and_what_to_do(catalog: Catalog, nodes: Any, words: str) -> None:
    assert words in str(only(flow(nodes), catalog))


@pytest.mark.parametrize(
    ("kind", "port", "value"),
    [
        ("scaled", "times", True), ("scaled", "times", 1.0), ("scaled", "times", "5"), ("scaled", "times", None),
        ("scaled", "value", True), ("scaled", "value", "1.5"), ("either", "take_a", 1), ("either", "take_a", "true"),
        ("join", "separator", 1), ("join", "texts", "one"), ("join", "texts", ["a", 1]), ("rounded", "how", "UP"),
        ("small_number", "value", 10), ("small_number", "value", -1), ("read_text", "seed", 2**53), ("machine", "factor", 1e400),
    ],
)  # fmt: skip
def test_nothing_is_coerced(catalog: Catalog, kind: str, port: str, value: Any) -> None:
    given = {"value": 1} if kind == "scaled" else {}
    found = find_defects(flow({"n": (kind, given | {port: value})}), catalog)
    assert [each.input for each in found if each.code == "bad_value"] == [port]


def test_a_whole_number_for_a_float_is_that_float(catalog: Catalog) -> None:
    graph = check(flow({"n": ("scaled", {"value": 7})}), catalog)
    assert graph.nodes["n"].sources["value"] == Written(7.0)
    assert repr(graph.nodes["n"].sources["value"]) == "Written(value=7.0)"


def test_in_a_union_the_exact_type_wins(catalog: Catalog) -> None:
    for value in (2, 2.0):
        graph = check(flow({"b": ("area", {"box": {"value": {"width": 1}}, "scale": value})}), catalog)
        scale = graph.nodes["b"].sources["scale"]
        assert isinstance(scale, Written)
        assert type(scale.value) is type(value)


def test_cycles_name_their_members(catalog: Catalog) -> None:
    nodes: dict[str, Any] = {"start": ("number", {})}
    for ring in ("a", "b"):
        for index in range(3):
            before = f"{ring}{(index - 1) % 3}.number"
            nodes[f"{ring}{index}"] = ("add", {"a": link(before), "b": link("start.number")})
    found = [each.reason for each in find_defects(flow(nodes), catalog)]
    assert len(found) == 2
    assert any("a0 -> " in each and "a1" in each and "a2" in each for each in found)
    assert any("b0 -> " in each and "b1" in each and "b2" in each for each in found)


def test_type_variables_follow_the_wires(catalog: Catalog) -> None:
    nodes = {
        "n": ("number", {}),
        "f": ("first", {"items": [link("n.number")]}),
        "ok": ("rounded", {"number": link("f.result")}),
        "e": ("either", {"a": link("n.number"), "b": 1}),
        "bad": ("rounded", {"number": link("e.result")}),
    }
    defect = only(flow(nodes), catalog)
    assert (defect.code, defect.node) == ("type_mismatch", "bad")
    assert "e.result gives Number | int" in defect.reason


def test_subclasses_flow_into_their_base_and_not_back(catalog: Catalog) -> None:
    nodes = {"s": ("small_number", {}), "r": ("rounded", {"number": link("s.small_number")})}
    assert find_defects(flow(nodes), catalog) == []


def test_a_remedy_names_a_node_that_converts(catalog: Catalog) -> None:
    nodes = {"n": ("number", {}), "s": ("join", {"texts": [link("n.number")]})}
    assert only(flow(nodes), catalog).code == "type_mismatch"
    nodes = {"n": ("number", {}), "s": ("scaled", {"value": 1.0, "times": link("n.number")})}
    assert "'rounded'" in only(flow(nodes), catalog).remedy


def test_values_that_are_asked_for_may_be_missing_until_the_run(catalog: Catalog) -> None:
    workflow = flow({"s": ("scaled", {})}, inputs={"v": {"to": ["s.value"]}})
    assert find_defects(workflow, catalog) == []
    assert only(workflow, catalog, complete=True).code == "missing_input"


def test_twenty_thousand_nodes_need_no_recursion(catalog: Catalog) -> None:
    nodes: dict[str, Any] = {"n0": ("number", {})}
    for index in range(1, 20_000):
        nodes[f"n{index}"] = ("add", {"a": link(f"n{index - 1}.number"), "b": link("n0.number")})
    workflow = flow(nodes, {"r": "n19999.number"})
    assert find_defects(workflow, catalog) == []
    graph = check(workflow, catalog)
    positions = {name: index for index, name in enumerate(graph.nodes)}
    assert all(positions[wire.node] < positions[name] for name, node in graph.nodes.items() for wire in node.links())
    closed = workflow.with_values({("n0", "value"): 1}).model_copy(
        update={
            "nodes": {
                **workflow.nodes,
                "n0": workflow.nodes["n1"].model_copy(
                    update={"inputs": {"a": link("n19999.number"), "b": link("n1.number")}}
                ),
            }
        }
    )
    cycle = only(closed, catalog)
    assert cycle.code == "cycle"
    assert cycle.reason == "the wires run in a circle: n0 -> n1 -> n0 (20000 nodes in all)"


def test_a_cycle_is_told_by_its_shortest_way_and_a_long_one_is_cut(catalog: Catalog) -> None:
    ring = {f"n{i:02}": ("split", {"number": link(f"n{(i - 1) % 30:02}.whole")}) for i in range(30)}
    reason = only(flow(ring), catalog).reason
    assert reason == (
        "the wires run in a circle: n00 -> n01 -> n02 -> n03 -> n04 -> n05 -> ... "
        "-> n25 -> n26 -> n27 -> n28 -> n29 -> n00 (30 nodes in all)"
    )


def test_thousands_of_cycles_in_a_row_are_all_named(catalog: Catalog) -> None:
    nodes: dict[str, Any] = {"start": ("number", {})}
    before = "start"
    for index in range(2_000):
        nodes[f"a{index}"] = ("add", {"a": link(f"b{index}.number"), "b": link(f"{before}.number")})
        nodes[f"b{index}"] = ("add", {"a": link(f"a{index}.number"), "b": link("start.number")})
        before = f"b{index}"
    found = find_defects(flow(nodes), catalog)
    assert {(each.code, each.node) for each in found} == {("cycle", f"a{index}") for index in range(2_000)}


def test_an_empty_workflow_is_valid(catalog: Catalog) -> None:
    assert find_defects(Workflow(), catalog) == []


def test_a_graph_has_a_name(catalog: Catalog) -> None:
    unnamed = graph({"n": ("number", {})})
    assert only(flow({}, graphs={"": unnamed}), catalog).reason == "a graph of the file has an empty name"
    used = find_defects(flow({"n": ("graph", {}, {"graph": ""})}, graphs={"": unnamed}), catalog)
    assert [each.code for each in used] == ["bad_graph", "bad_graph"]
