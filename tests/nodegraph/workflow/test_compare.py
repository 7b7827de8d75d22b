"""Comparing workflows by what they compute."""

from __future__ import annotations

from typing import Any

import pytest

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.workflow.compare import Difference, compare

from ..flows import flow, link

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
