"""Random graphs with loops, switches, gates and graphs in graphs: the engine against an interpreter without a plan."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph import Blocked, InvalidWorkflow, Workflow
from nodegraph.catalog import Catalog
from nodegraph.devices.policy import DevicePolicy
from nodegraph.execution.events import Event, NodeStarted
from nodegraph.execution.keys import KeyMaker
from nodegraph.execution.preflight import preflight
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from nodegraph.spec import Predicted, Unknown, has_unknown
from nodegraph.workflow.graph import Graph
from nodegraph.workflow.validate import check, find_defects

from .flows import flow, graph, link
from .naive import Naive

PACKS = Path(__file__).parents[1] / "packs"
LOOPS = ("for_each", "repeat")
REGIONS = (*LOOPS, "by_workflow")
"""Types of nodes that run others; that one begins does not mean that a function was called."""

Pools = dict[str, list[Any]]


class Drawing:
    """Draws the nodes of one graph. `pools` holds what can be wired so far, by type."""

    def __init__(self, draw: st.DrawFn, graphs: list[str], *, loose: bool) -> None:
        self.draw, self.graphs, self.loose = draw, graphs, loose
        self.nodes: dict[str, tuple[Any, ...]] = {}
        self.pools: Pools = {"float": [], "bool": [], "list": []}

    def value(self, kind: str) -> Any:
        """A wire to something of a type, or a literal; when loose, now and then something of another type."""
        if self.loose and self.draw(st.integers(0, 30)) == 0:
            kind = self.draw(st.sampled_from(["float", "bool", "list"]))
        pool = self.pools[kind]
        if pool and self.draw(st.integers(0, 4)):
            return link(self.draw(st.sampled_from(pool)))
        if kind == "list":
            items = st.lists(st.integers(-3, 3).map(float), max_size=4)
            wires = [link(each) for each in self.pools["float"][-3:]]
            return self.draw(items) + self.draw(st.sampled_from([[], wires]))
        return self.draw(st.booleans() if kind == "bool" else st.integers(-3, 3).map(float))

    def place(self, kind: str, node: str) -> None:
        self.pools[kind].append(node)

    def add(self, number: int) -> None:
        name = f"n{number}"
        options = ["calculate", "compare", "switch", "gate", "fallback", "collect", "length", "scaled", "by_workflow"]
        kind = self.draw(st.sampled_from(options + ["graph", "for_each", "repeat"] * bool(self.graphs)))
        if kind in ("graph", *LOOPS):
            self.add_call(name, kind)
            return
        inputs: dict[str, Any]
        match kind:
            case "calculate" | "by_workflow":
                how = self.draw(st.sampled_from(["+", "-", "min", "max"]))
                inputs = {"a": self.value("float"), "b": self.value("float"), "how": how}
            case "compare":
                inputs = {"a": self.value("float"), "b": self.value("float")}
            case "switch":
                inputs = {
                    "condition": self.value("bool"),
                    "on_true": self.value("float"),
                    "on_false": self.value("float"),
                }
            case "gate":
                inputs = {"value": self.value("float"), "open": self.value("bool")}
            case "fallback":
                inputs = {"value": self.value("float"), "otherwise": self.value("float")}
            case "scaled":
                inputs = {"value": self.value("float"), "times": self.draw(st.integers(0, 3))}
            case _:
                inputs = {"items": self.value("list")}
        self.nodes[name] = (kind, inputs)
        output = "result" if kind in ("switch", "gate", "fallback", "collect") else "value"
        gives = {"compare": "bool", "collect": "list"}.get(kind, "float")
        self.pools[gives].append(f"{name}.{output}")

    def add_call(self, name: str, kind: str) -> None:
        options: dict[str, Any] = {"graph": self.draw(st.sampled_from(self.graphs))}
        inputs: dict[str, Any] = {"x": self.value("float")}
        if self.draw(st.booleans()):
            inputs["y"] = self.value("float")
        if kind != "graph" and self.draw(st.booleans()):
            options["index"] = "n"
        if kind == "for_each":
            inputs["x"], options["each"] = self.value("list"), ["x"]
        if kind == "repeat":
            inputs["times"], options["carry"] = self.draw(st.integers(0, 3)), ["x"]
            options["collect"] = self.draw(st.sampled_from([[], ["s"]]))
        self.nodes[name] = (kind, inputs, options)
        gives_list = {"graph": (), "for_each": ("x", "s"), "repeat": tuple(options.get("collect", ()))}[kind]
        for output in ("x", "s"):
            self.pools["list" if output in gives_list else "float"].append(f"{name}.{output}")


@st.composite
def workflows(draw: st.DrawFn, *, loose: bool = False) -> Workflow:
    """A workflow of three graphs and their use; when loose, some wires may not fit."""
    graphs: dict[str, dict[str, Any]] = {}
    for number in range(draw(st.integers(0, 3))):
        drawing = Drawing(draw, list(graphs), loose=loose)
        for name in ("x", "y", "n"):
            drawing.nodes[f"in_{name}"] = ("scaled", {"value": 1.0})
            drawing.pools["float"].append(f"in_{name}.value")
        for index in range(draw(st.integers(1, 4))):
            drawing.add(index)
        ends = {name: draw(st.sampled_from(drawing.pools["float"])) for name in ("x", "s")}
        graphs[f"g{number}"] = graph(drawing.nodes, ends, {name: f"in_{name}.value" for name in ("x", "y", "n")})
    drawing = Drawing(draw, list(graphs), loose=loose)
    for index in range(draw(st.integers(1, 7))):
        drawing.add(index)
    places = [place for pool in drawing.pools.values() for place in pool]
    wanted = draw(st.lists(st.sampled_from(places), min_size=1, max_size=4, unique=True))
    return flow(drawing.nodes, {f"o{index}": place for index, place in enumerate(wanted)}, graphs=graphs)


def shown(value: Any) -> Any:
    """A value for comparison: why something is blocked does not count."""
    return "blocked" if isinstance(value, Blocked) else value


@contextmanager
def runners(catalog: Catalog) -> Iterator[Any]:
    """Makes runners that share one cache on disk; each stands for a new process."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as made:
        home = Path(folder)
        settings = Settings(cache=home, output=home / "output", state=home / "state", plugins=[PACKS], threads=1)
        yield lambda: made.enter_context(Runner(settings, catalog=catalog))


def run(runner: Runner, workflow: Workflow, *, use_cache: bool) -> tuple[dict[str, Any], Counter[str]]:
    """The outputs, and how often functions were called, by type of node."""
    called: dict[str, str] = {}

    def listen(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.type_id not in REGIONS:
            called[event.node] = event.type_id

    result = runner.run(workflow, on_event=listen, use_cache=use_cache)
    return {name: shown(value) for name, value in result.outputs.items()}, Counter(called.values())


@settings(max_examples=200)
@given(workflow=workflows())
def test_a_run_gives_what_the_naive_interpreter_gives_and_calls_no_node_more_often(
    catalog: Catalog, workflow: Workflow
) -> None:
    naive = Naive(workflow)
    expected = {name: shown(value) for name, value in naive.run().items()}
    with runners(catalog) as make:
        found, calls = run(make(), workflow, use_cache=False)
    assert found == expected
    assert not calls - naive.calls


@settings(max_examples=100)
@given(workflow=workflows(), waiting=st.sets(st.sampled_from(["calculate", "compare", "scaled", "collect", "switch"])))
def test_nodes_that_run_beside_each_other_give_the_same(
    catalog: Catalog, workflow: Workflow, waiting: set[str]
) -> None:
    """Some kinds of nodes run in threads, and with them the rounds of loops."""
    expected = {name: shown(value) for name, value in Naive(workflow).run().items()}
    lanes = [each.model_copy(update={"lane": "io"}) if each.id in waiting else each for each in catalog.values()]
    threaded = Catalog(lanes, packs=catalog.packs.values())
    with runners(threaded) as make:
        for use_cache in (False, True, True):
            assert run(make(), workflow, use_cache=use_cache)[0] == expected


@settings(max_examples=100)
@given(workflow=workflows())
def test_a_second_process_gives_the_same_and_calls_nothing(catalog: Catalog, workflow: Workflow) -> None:
    with runners(catalog) as make:
        first, _ = run(make(), workflow, use_cache=True)
        second, calls = run(make(), workflow, use_cache=True)
    assert second == first
    assert not calls


@settings(max_examples=200)
@given(workflow=workflows(loose=True))
def test_what_validation_accepts_runs_and_what_it_refuses_does_not(catalog: Catalog, workflow: Workflow) -> None:
    defects = find_defects(workflow, catalog)
    with runners(catalog) as make:
        if defects:
            with pytest.raises(InvalidWorkflow):
                make().run(workflow, use_cache=False)
        else:
            run(make(), workflow, use_cache=False)


@settings(max_examples=100)
@given(workflow=workflows())
def test_in_a_graph_every_wire_points_forward(catalog: Catalog, workflow: Workflow) -> None:
    waiting = [check(workflow, catalog)]
    while waiting:
        found = waiting.pop()
        seen: set[str] = set()
        for name, node in found.nodes.items():
            assert {link.node for link in node.links()} <= seen
            seen.add(name)
            waiting += [node.loop.body] if node.loop is not None else []
        assert {link.node for link in found.outputs.values()} <= seen


@settings(max_examples=150)
@given(workflow=workflows())
def test_what_preflight_knows_is_what_the_run_gives(catalog: Catalog, workflow: Workflow) -> None:
    known = catalog_of_pure_values(catalog)
    with runners(known) as make:
        report = preflight(make(), workflow, use_cache=False)
        found, calls = run(make(), workflow, use_cache=False)
    assert not report.defects
    outputs = {node.name: node.outputs for node in report.nodes}
    for name, link_to in check(workflow, known).outputs.items():
        predicted = outputs[link_to.node][link_to.output]
        if not isinstance(predicted, Unknown) and has_unknown(predicted) is None:
            assert shown(predicted) == found[name]
    if not any(node.loop or node.definition.expands for node in check(workflow, known).nodes.values()):
        states = {node.name: node.state for node in report.nodes}
        assert sum(calls.values()) <= sum(state in ("runs", "may run") for state in states.values())


def catalog_of_pure_values(catalog: Catalog) -> Catalog:
    """The nodes that these workflows use, the one without a spec given one."""
    spec = f"{__name__}:scaled_spec"
    scaled = catalog["scaled"].model_copy(update={"spec": spec})
    return Catalog([scaled, *(each for each in catalog.values() if each.id != "scaled")], packs=catalog.packs.values())


def scaled_spec(value: float, times: int, mode: str) -> Predicted:
    return Predicted({"value": value * times * (-1 if mode == "negated" else 1)})


def keys_of(workflow: Workflow, catalog: Catalog) -> tuple[Graph, dict[str, str]]:
    """The graph of a workflow and the keys that are known before a run."""
    found = check(workflow, catalog)
    maker = KeyMaker(lambda kind, name: "", DevicePolicy("cpu", "float32", 1), "nonce")
    return found, maker.keys(found)


def renamed(workflow: Workflow) -> Workflow:
    """The same recipe: other names of nodes and graphs, other titles, nodes in another order."""

    def place(text: str) -> str:
        return f"other-{text}"

    def value(given: Any) -> Any:
        if isinstance(given, dict):
            return {"from": place(given["from"])}
        return [value(each) for each in given] if isinstance(given, list) else given

    def graph_of(document: dict[str, Any]) -> dict[str, Any]:
        nodes = {
            place(name): {
                **entry,
                "title": f"Number {name}",
                "inputs": {port: value(each) for port, each in entry["inputs"].items()},
                **({"graph": place(entry["graph"])} if "graph" in entry else {}),
            }
            for name, entry in reversed(document["nodes"].items())
        }
        inputs = {name: {"to": [*map(place, each["to"])]} for name, each in document.get("inputs", {}).items()}
        outputs = {name: {"from": place(each["from"])} for name, each in document.get("outputs", {}).items()}
        return {"nodes": nodes, "inputs": inputs, "outputs": outputs}

    document = json.loads(workflow.to_json())
    graphs = {place(name): graph_of(each) for name, each in document.get("graphs", {}).items()}
    return Workflow.from_document({"format": "nodegraph/1", **graph_of(document), "graphs": graphs})


@settings(max_examples=100)
@given(workflow=workflows())
def test_the_same_recipe_under_other_names_has_the_same_keys(catalog: Catalog, workflow: Workflow) -> None:
    (before, keys), (after, other) = keys_of(workflow, catalog), keys_of(renamed(workflow), catalog)
    assert sorted(keys.values()) == sorted(other.values())
    for name, source in before.outputs.items():
        assert keys.get(source.node) == other.get(after.outputs[name].node)


@settings(max_examples=100)
@given(workflow=workflows(), data=st.data())
def test_another_value_gives_other_keys_to_what_needs_it_and_to_nothing_else(
    catalog: Catalog, workflow: Workflow, data: st.DataObject
) -> None:
    places = [
        (name, port)
        for name, entry in workflow.nodes.items()
        for port, value in entry.inputs.items()
        if isinstance(value, float)
    ]
    if not places:
        return
    name, port = data.draw(st.sampled_from(places))
    changed = workflow.with_values({(name, port): float(workflow.nodes[name].inputs[port]) + 0.5})  # type: ignore[arg-type]
    (graph_before, keys), (graph_after, other) = keys_of(workflow, catalog), keys_of(changed, catalog)
    differ = {
        each
        for each, node in graph_before.nodes.items()
        if any(graph_after.nodes[each].sources[source] != value for source, value in node.sources.items())
    }
    assert differ
    for each, node in graph_before.nodes.items():
        if each in differ or differ & {link.node for link in node.links()}:
            differ.add(each)
            assert each not in keys or keys[each] != other[each]
        else:
            assert keys.get(each) == other.get(each)
