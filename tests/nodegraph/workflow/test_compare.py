"""Comparing workflows by what they compute."""

from __future__ import annotations

from typing import Any

import pytest

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.workflow.compare import Difference, compare

from ..flows import flow, graph, link

Nodes = dict[str, tuple[str, dict[str, Any]]]

NODES: Nodes = {
    "one": ("number", {"value": 1}),
    "two": ("number", {"value": 2}),
    "sum": ("add", {"a": link("one.number"), "b": link("two.number")}),
}


def base(**changes: tuple[str, dict[str, Any]]) -> Workflow:
    return flow({**NODES, **changes}, {"out": "sum.number"}, {"x": {"to": ["one.value"]}})


def test_a_workflow_is_like_itself() -> None:
    assert compare(base(), base()) == []


def test_titles_layout_and_order_do_not_count() -> None:
    other = base()
    nodes = {name: other.nodes[name].model_copy(update={"title": name}) for name in reversed(other.nodes)}
    assert compare(base(), other.model_copy(update={"nodes": nodes, "layout": {"a": 1}, "title": "t"})) == []


@pytest.mark.parametrize(("before", "after"), [(1, 2), (1, 1.0), (1, True), (1, "1"), ([1, 2], [2, 1])])
def test_values_and_their_types_count(before: Any, after: Any) -> None:
    found = compare(base(one=("number", {"value": before})), base(one=("number", {"value": after})))
    assert found == [Difference("input", "one.value", before, after)]


def test_wires_count() -> None:
    found = compare(base(), base(sum=("add", {"a": link("two.number"), "b": link("two.number")})))
    assert found == [Difference("input", "sum.a", link("one.number"), link("two.number"))]
    assert str(found[0]) == "~ sum.a: one.number -> two.number"


def test_a_renamed_node_is_the_same_recipe() -> None:
    nodes: Nodes = {
        "uno": NODES["one"],
        "two": NODES["two"],
        "total": ("add", {"a": link("uno.number"), "b": link("two.number")}),
    }
    renamed = flow(nodes, {"out": "total.number"}, {"x": {"to": ["uno.value"]}})
    assert compare(base(), renamed) == [
        Difference("renamed", "one", "one", "uno"),
        Difference("renamed", "sum", "sum", "total"),
    ]


def test_added_removed_and_replaced_nodes() -> None:
    found = compare(base(), base(more=("number", {}), two=("small_number", {"value": 2})))
    assert found == [
        Difference("type", "two", "number", "small_number"),
        Difference("added", "more", after="number"),
    ]
    assert [each.what for each in compare(base(more=("number", {})), base())] == ["removed"]


def test_versions_and_ends_count() -> None:
    other = base()
    one = other.nodes["one"].model_copy(update={"version": "2"})
    changed = other.model_copy(update={"nodes": {**other.nodes, "one": one}, "outputs": {}, "inputs": {}})
    assert [(each.what, each.place) for each in compare(base(), changed)] == [
        ("version", "one"),
        ("output", "out"),
        ("declared_input", "x"),
    ]


def test_a_default_is_the_same_value_written(catalog: Catalog) -> None:
    default = catalog["scaled"].inputs_by_name["times"].default
    bare, written = (flow({"s": ("scaled", {"value": 1.0, **more})}) for more in ({}, {"times": default}))
    assert compare(bare, written, catalog) == []
    assert [each.place for each in compare(bare, written)] == ["s.times"]


def test_even_workflows_that_cannot_run_are_compared() -> None:
    ring = flow({"a": ("add", {"a": link("b.number")}), "b": ("add", {"a": link("a.number"), "b": {"from": "x"}})})
    assert compare(ring, ring) == []
    assert compare(ring, Workflow())[0].what == "removed"


def test_a_long_chain_needs_no_recursion() -> None:
    nodes: Nodes = {"n0": ("number", {})}
    for index in range(1, 5_000):
        nodes[f"n{index}"] = ("add", {"a": link(f"n{index - 1}.number"), "b": link("n0.number")})
    other = flow({**nodes, "n0": ("number", {"value": 5})})
    assert compare(flow(nodes), other) == [Difference("input", "n0.value", None, 5)]


# graphs and loops

DOUBLE = graph(
    {"n": ("scaled", {"value": 1.0, "times": 2}), "done": ("compare", {"a": link("n.value"), "b": 9.0})},
    {"x": "n.value", "done": "done.value"},
    {"x": "n.value"},
)


def looping(name: str = "double", of: Any = DOUBLE, **changes: Any) -> Workflow:
    """A workflow that uses a graph in every way; `changes` are nodes that stand for others."""
    nodes = {
        "one": ("graph", {"x": 3.0}, {"graph": name}),
        "many": ("for_each", {"x": [link("one.x"), 1.0]}, {"graph": name, "each": ["x"]}),
        "grown": ("repeat", {"times": 2}, {"graph": name, "carry": ["x"]}),
    }
    return flow({**nodes, **changes}, {"out": "many.x", "grown": "grown.x"}, graphs={name: of})


def changed(**changes: Any) -> dict[str, Any]:
    """The graph with other nodes."""
    return {**DOUBLE, "nodes": {**DOUBLE["nodes"], **graph(changes)["nodes"]}}


def test_a_renamed_graph_is_the_same_recipe() -> None:
    assert compare(looping(), looping()) == []
    found = compare(looping(), looping("twice"))
    assert found == [Difference("renamed", "", "double", "twice", graph="double")]
    assert str(found[0]) == "  graph double is called twice"
    moved = looping("twice", {**DOUBLE, "title": "T", "layout": {"a": 1}}).to_json().replace("many", "lots")
    assert {each.what for each in compare(looping(), Workflow.parse(moved))} == {"renamed"}


def test_what_differs_in_a_graph_is_told_once_and_there() -> None:
    found = compare(looping(), looping(of=changed(n=("scaled", {"value": 1.0, "times": 3}), more=("number", {}))))
    assert [str(each) for each in found] == ["~ graph double: n.times: 2 -> 3", "+ graph double: more: number"]
    assert found[0].to_document() == {
        "what": "input",
        "graph": "double",
        "place": "n.times",
        "before": 2,
        "after": 3,
    }
    ends = {**DOUBLE, "inputs": {"x": {"to": ["done.b"]}}, "outputs": {"x": {"from": "n.value"}}}
    assert [str(each) for each in compare(looping(), looping(of=ends))] == [
        '~ graph double: output done: "done.value" -> nothing',
        '~ graph double: declared input x: ["n.value"] -> ["done.b"]',
    ]


def test_where_an_input_goes_belongs_to_a_graph() -> None:
    nodes: Nodes = {
        "a": ("number", {"value": 1}),
        "b": ("number", {"value": 1}),
        "c": ("add", {"a": link("a.number"), "b": link("b.number")}),
    }
    one, other = (
        graph(nodes, {"x": "c.number"}, {"p": f"{p}.value", "q": f"{q}.value"}) for p, q in (("a", "b"), ("b", "a"))
    )
    call = {"c": ("graph", {"p": 1, "q": 2}, {"graph": "g"})}
    renamed_call = {"d": ("graph", {"p": 1, "q": 2}, {"graph": "h"})}
    found = compare(flow(call, graphs={"g": one}), flow(renamed_call, graphs={"h": other}))
    assert {each.what for each in found} == {"removed", "added"}


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ({"one": ("graph", {"x": 4.0}, {"graph": "double"})}, "~ one.x: 3.0 -> 4.0"),
        ({"one": ("graph", {}, {"graph": "double"})}, "~ one.x: 3.0 -> 1.0"),
        ({"one": ("graph", {"x": 3.0}, {"graph": "other"})}, '~ one graph: "double" -> "other"'),
        ({"many": ("for_each", {"x": [link("one.x"), 1.0]}, {"graph": "double", "each": ["x"], "index": "x"})},
         '~ many index: nothing -> "x"'),
        ({"grown": ("repeat", {"times": 2}, {"graph": "double"})}, '~ grown carry: ["x"] -> nothing'),
        ({"grown": ("repeat", {"times": 2}, {"graph": "double", "carry": ["x"], "until": "done"})},
         '~ grown until: nothing -> "done"'),
        ({"grown": ("repeat", {"times": 2, "limit": 9}, {"graph": "double", "carry": ["x"]})},
         "~ grown.limit: 1000 -> 9"),
        ({"grown": ("repeat", {"times": 2, "limit": 1000, "x": 1.0}, {"graph": "double", "carry": ["x"]})}, ""),
    ],
)  # fmt: skip
def test_what_a_node_says_about_its_graph_counts(node: Any, text: str) -> None:
    assert "\n".join(map(str, compare(looping(), looping(**node)))) == text


def test_graphs_come_and_go_and_change_their_names() -> None:
    number, other = graph({"n": ("number", {})}), graph({"m": ("small_number", {"value": 1})})
    two, swapped = flow({}, graphs={"a": number, "b": other}), flow({}, graphs={"b": number, "a": other})
    assert [str(each) for each in compare(two, swapped)] == ["  graph a is called b", "  graph b is called a"]
    assert [str(each) for each in compare(two, flow({}, graphs={"c": other, "d": {}}))] == [
        "- graph a",
        "  graph b is called c",
        "+ graph d",
    ]


def test_even_graphs_that_contain_themselves_are_compared() -> None:
    ring = flow(
        {}, graphs={"a": graph({"n": ("graph", {}, {"graph": "b"})}), "b": graph({"n": ("graph", {}, {"graph": "a"})})}
    )
    assert compare(ring, ring) == []
    assert [each.what for each in compare(ring, Workflow())] == ["removed", "removed"]
