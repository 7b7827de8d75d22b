"""Graphs and loops in files: what is refused, where, and with which words; types through graphs."""

from __future__ import annotations

from typing import Any

import pytest

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.workflow.validate import MAX_DEPTH, check, find_defects

from ..flows import flow, graph, link

NUMBER = graph({"make": ("number", {"value": 0})}, {"number": "make.number"}, {"value": "make.value"})
ADD = graph({"sum": ("add", {})}, {"number": "sum.number"}, {"number": "sum.a", "more": "sum.b"})
HALVE = graph({"half": ("calculate", {"a": 1, "b": 2, "how": ":"})}, {"value": "half.value"}, {"value": "half.a"})
TEXT = graph({"text": ("join", {"texts": []})}, {"text": "text.text"}, {"value": "text.texts"})


def defects(catalog: Catalog, workflow: Workflow) -> list[str]:
    found = find_defects(workflow, catalog)
    assert all(each.code for each in found)
    return [str(each) for each in found]


def call(kind: str, inputs: dict[str, Any], graphs: dict[str, Any], **options: Any) -> Workflow:
    return flow({"n": ("number", {"value": 1}), "x": (kind, inputs, options)}, graphs=graphs)


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (call("graph", {}, {"add": ADD}), "x: a node of the type 'graph' runs a graph; none is named; write \"graph\": "),
        (call("graph", {}, {"make": NUMBER}, graph="mak"), "x: there is no usable graph 'mak'; did you mean 'make'?"),
        (call("graph", {"number": link("n.number")}, {"add": ADD}, graph="add"), "x.more: it needs Number; wire it or write a value"),
        (call("graph", {"size": 1}, {"make": NUMBER}, graph="make"), "x.size: 'graph' has no such input; the inputs are value"),
        (call("graph", {"value": "1"}, {"make": NUMBER}, graph="make"), "x.value = '1': it is a text, not float; write a number"),
        (call("graph", {"value": 5000}, {"make": NUMBER}, graph="make"), "x.value = 5000: it is out of range; give a number at least -1000"),
        (call("for_each", {"value": [1, "2"]}, {"make": NUMBER}, graph="make", each=["value"]), "x.value = [1, '2']: at [1]: it is a text, not float"),
        (call("for_each", {"value": [1]}, {"make": NUMBER}, graph="make"), "x: it does not say what it goes through; name the inputs that get lists"),
        (call("for_each", {}, {"make": NUMBER}, graph="make", each=["value"]), "x.value: it needs list[float]; wire it or write a value"),
        (call("for_each", {"value": [1]}, {"make": NUMBER}, graph="make", each=["size"]), "x: each names 'size', which is no input of 'make'; there are value"),
        (call("for_each", {"value": [1]}, {"make": NUMBER}, graph="make", each=["value", "value"]), "x: each names 'value' twice; name it once"),
        (call("for_each", {"value": [1]}, {"make": NUMBER}, graph="make", each=["value"], until="number"), "x: 'until' means nothing for 'for_each'; it is for 'repeat'"),
        (call("for_each", {"value": [1]}, {"make": NUMBER}, graph="make", each=["value"], index="value"), "x: 'value' cannot get the number of the round and something else"),
        (call("number", {}, {"make": NUMBER}, graph="make"), "x: 'graph' means nothing for 'number'; it is for 'graph' and 'for_each' and 'repeat'"),
        (call("repeat", {"value": 1}, {"h": HALVE}, graph="h", carry=["value"]), "x: nothing says when it ends; write \"times\", or name an output"),
        (call("repeat", {"value": 1, "times": -1}, {"h": HALVE}, graph="h", carry=["value"]), "x.times = -1: it is out of range"),
        (call("repeat", {"value": 1, "times": 2}, {"h": HALVE}, graph="h", carry=["half"]), "x: carry names 'half', which is no input and output of 'h'"),
        (call("repeat", {"value": 1, "times": 2}, {"h": HALVE}, graph="h", carry=["value"], collect=["value"]), "x: 'value' is both carried and collected"),
        (call("repeat", {"value": 1}, {"h": HALVE}, graph="h", carry=["value"], until="value"), "x: 'value' should end it and gives float"),
        (call("repeat", {"value": [], "times": 2}, {"t": {**TEXT, "outputs": {"value": {"from": "text.text"}}}}, graph="t", carry=["value"]), "x.value: its types do not close: after a round 'value' may be list[str] | str, which the next round does not take"),
        (call("for_each", {"value": link("n.number")}, {"make": NUMBER}, graph="make", each=["value"]), "x.value: a list is needed, to go through its items; this is Number"),
        (call("graph", {"value": link("n.number")}, {"make": NUMBER}, graph="make"), "x.value: it is Number, but make.value inside 'make' needs float: Number is not float"),
        (call("graph", {"value": 1}, {"h": {**HALVE, "inputs": {"value": {"to": ["half.c"]}}}}, graph="h"), "in the graph 'h': the graph input 'value' goes to 'half.c', but 'calculate' has no input 'c'"),
        (call("graph", {}, {"unused": graph({"a": ("ad", {})}), "make": NUMBER}, graph="make"), "in the graph 'unused', a: there is no node type 'ad'"),
        (call("graph", {}, {"g": graph({"a": ("add", {"a": link("b.number"), "b": link("b.text")}), "b": ("number", {})})}, graph="g"), "in the graph 'g', a.b = 'b.text': 'b' (number) has no output 'text'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(catalog: Catalog, workflow: Workflow, message: str) -> None:
    assert any(found.startswith(message) for found in defects(catalog, workflow)), defects(catalog, workflow)


def test_a_graph_that_contains_itself_is_refused(catalog: Catalog) -> None:
    graphs = {
        "a": graph({"b": ("graph", {}, {"graph": "b"})}),
        "b": graph({"c": ("for_each", {"x": []}, {"graph": "c", "each": ["x"]})}),
        "c": graph({"a": ("graph", {}, {"graph": "a"}), "n": ("number", {})}, inputs={"x": "n.value"}),
    }
    found = defects(catalog, flow({"start": ("graph", {}, {"graph": "a"})}, graphs=graphs))
    assert (
        "in the graph 'a': the graph 'a' contains itself: a -> b -> c -> a; a repetition is written with 'repeat'"
        in found
    )
    itself = flow({"g": ("graph", {}, {"graph": "g"})}, graphs={"g": graph({"again": ("graph", {}, {"graph": "g"})})})
    assert any("contains itself: g -> g" in each for each in defects(catalog, itself))


def test_a_small_file_cannot_mean_endless_work(catalog: Catalog) -> None:
    """Forty graphs that each hold the next one twice would be a million million nodes."""
    graphs = {
        f"g{index}": graph({side: ("graph", {}, {"graph": f"g{index + 1}"}) for side in "ab"}) for index in range(40)
    }
    graphs["g40"] = graph({"n": ("number", {})})
    found = defects(catalog, flow({"start": ("graph", {}, {"graph": "g0"})}, graphs=graphs))
    assert any("with all its graphs taken apart it has" in each and "stay below 1,000,000" in each for each in found)


def test_graphs_lie_only_so_deep_in_one_another(catalog: Catalog) -> None:
    count = 20_000
    graphs = {f"g{index}": graph({"a": ("graph", {}, {"graph": f"g{index + 1}"})}) for index in range(count)}
    graphs[f"g{count}"] = graph({"n": ("number", {})})
    found = defects(catalog, flow({"start": ("graph", {}, {"graph": "g0"})}, graphs=graphs))
    assert any(f"stay below {MAX_DEPTH}" in each for each in found)


def test_types_are_followed_through_graphs_for_each_use(catalog: Catalog) -> None:
    """One graph of generic nodes is used with numbers and with texts; each use gives what it was given."""
    pick = graph({"first": ("first", {})}, {"item": "first.result"}, {"items": "first.items"})
    nodes = {
        "n": ("number", {}),
        "one": ("graph", {"items": [link("n.number")]}, {"graph": "pick"}),
        "two": ("graph", {"items": ["a", "b"]}, {"graph": "pick"}),
        "sum": ("add", {"a": link("one.item"), "b": link("n.number")}),
        "text": ("join", {"texts": [link("two.item")]}),
    }
    assert defects(catalog, flow(nodes, graphs={"pick": pick})) == []
    nodes["text"] = ("join", {"texts": [link("one.item")]})
    [found] = defects(catalog, flow(nodes, graphs={"pick": pick}))
    assert found.startswith("text.texts = 'one.item': one.item gives Number, but str is needed")


def test_what_a_loop_carries_may_widen(catalog: Catalog) -> None:
    nodes = {
        "small": ("small_number", {}),
        "grow": (
            "repeat",
            {"number": link("small.small_number"), "more": link("small.small_number"), "times": 3},
            {"graph": "add", "carry": ["number"]},
        ),
        "use": ("rounded", {"number": link("grow.number")}),
    }
    assert defects(catalog, flow(nodes, graphs={"add": ADD})) == []


def test_lists_of_lists_come_out_of_loops_in_loops(catalog: Catalog) -> None:
    row = graph(
        {"cells": ("for_each", {"value": []}, {"graph": "make", "each": ["value"]})},
        {"row": "cells.number"},
        {"values": "cells.value"},
    )
    nodes = {
        "table": ("for_each", {"values": [[1], [2, 3]]}, {"graph": "row", "each": ["values"]}),
        "flat": ("total", {"numbers": link("table.row")}),
    }
    [found] = defects(catalog, flow(nodes, graphs={"make": NUMBER, "row": row}))
    assert found.startswith(
        "flat.numbers = 'table.row': table.row gives list[list[Number]], but list[Number] is needed"
    )


def test_graphs_are_taken_apart_and_what_never_changes_goes_before_the_loop(catalog: Catalog) -> None:
    body = graph(
        {
            "machine": ("machine", {}),
            "make": ("number", {}),
            "work": ("use_machine", {"machine": link("machine.machine"), "number": link("make.number")}),
        },
        {"number": "work.number"},
        {"value": "make.value"},
    )
    nodes = {
        "stage": ("graph", {"value": 1}, {"graph": "g"}),
        "loop": ("for_each", {"value": [1]}, {"graph": "g", "each": ["value"]}),
    }
    found = check(flow(nodes, {"a": "stage.number", "b": "loop.number"}, graphs={"g": body}), catalog)
    assert set(found.nodes) == {"stage/machine", "stage/make", "stage/work", "loop", "loop/machine"}
    assert str(found.outputs["a"]) == "stage/work.number"
    loop = found.nodes["loop"].loop
    assert loop is not None
    assert set(loop.body.nodes) == {"make", "work"}


def test_names_of_graphs_and_nodes_inside_do_not_matter_to_keys(runner: Any) -> None:
    def keys(graph_name: str, inner: str, value: float) -> dict[str, str]:
        body = graph({inner: ("number", {"value": value})}, {"number": f"{inner}.number"}, {"more": f"{inner}.value"})
        nodes = {
            "loop": ("for_each", {"more": [1, 2]}, {"graph": graph_name, "each": ["more"]}),
            "sum": ("total", {"numbers": link("loop.number")}),
        }
        return dict(runner.prepare(flow(nodes, {"x": "sum.number"}, graphs={graph_name: body})).plan.keys)

    first = keys("one", "make", 0)
    assert keys("two", "number", 0) == first
    assert keys("one", "make", 5) == first, "the value is what every round is given"


def test_what_stands_in_the_body_of_a_loop_is_part_of_its_key(runner: Any) -> None:
    def key(factor: float) -> str:
        body = graph({"s": ("scaled", {"value": 1, "times": factor})}, {"v": "s.value"}, {"value": "s.value"})
        node = ("for_each", {"value": [1, 2]}, {"graph": "g", "each": ["value"]})
        return str(runner.prepare(flow({"loop": node}, {"x": "loop.v"}, graphs={"g": body})).plan.keys["loop"])

    assert key(2) == key(2)
    assert key(2) != key(3)


def test_what_a_body_does_not_need_does_not_run_before_the_loop(catalog: Catalog) -> None:
    body = graph({"make": ("number", {}), "spare": ("machine", {})}, {"number": "make.number"}, {"value": "make.value"})
    loop = ("for_each", {"value": [1]}, {"graph": "g", "each": ["value"]})
    assert set(check(flow({"loop": loop}, graphs={"g": body}), catalog).nodes) == {"loop"}
