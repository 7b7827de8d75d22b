"""Preflight: states, sizes, defects, memory and time, told without running a node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nodegraph.catalog import Catalog, load_catalog
from nodegraph.execution import preflight as module
from nodegraph.execution.memory import ENGINE_BYTES, heap_slack
from nodegraph.execution.preflight import NodeReport, Report, preflight
from nodegraph.execution.run import Runner
from nodegraph.ports.flow import Blocked
from nodegraph.settings import Settings

from ..blocks import write_blocks
from ..flows import flow, graph, link

PACK = "blocks."


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path) -> Catalog:
    """The catalog with the pack whose nodes declare specs."""
    folder = write_blocks(tmp_path_factory.mktemp("plugins"))
    found = load_catalog(Settings(cache=definitions_cache, plugins=[folder]))
    assert not found.failures, found.failures
    return found


@pytest.fixture
def runner(settings: Settings, blocks: Catalog) -> Any:
    with Runner(settings, catalog=blocks) as made:
        yield made


Look = Callable[..., Report]


@pytest.fixture
def look(runner: Runner) -> Look:
    """Preflight of nodes given as `{name: (type, inputs)}`, by default of all that nothing is wired to."""

    def call(
        nodes: dict[str, tuple[str, dict[str, Any]]], outputs: dict[str, str] | None = None, **options: Any
    ) -> Report:
        return preflight(
            runner, flow({name: (PACK + kind, given) for name, (kind, given) in nodes.items()}, outputs), **options
        )

    return call


def named(report: Report) -> dict[str, NodeReport]:
    return {each.name: each for each in report.nodes}


def said(report: Report, node: str) -> str:
    [value] = named(report)[node].outputs.values()
    return str(value)


def codes(report: Report) -> list[tuple[str, str, str]]:
    return [(each.code, each.node, each.input) for each in report.defects]


CHAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "a": ("make", {"size": 100}),
    "b": ("doubled", {"block": link("a.block")}),
    "c": ("doubled", {"block": link("b.block")}),
    "d": ("kept", {"block": link("c.block")}),
}


def test_sizes_follow_the_wires(look: Look) -> None:
    report = look(CHAIN)
    assert [said(report, name) for name in "abcd"] == ["block of 100", "block of 200", "block of 400", "block of 400"]
    assert {each.state for each in report.nodes} == {"runs"}
    assert report.defects == report.gaps == ()


def test_memory_is_that_of_the_worst_moment(look: Look) -> None:
    alone = look(CHAIN, use_cache=False).memory
    assert alone is not None
    assert alone.baseline == ENGINE_BYTES  # nothing here uses torch
    assert (alone.node, alone.values, alone.working) == ("c", 200 + 400, 0)
    first = look({"a": CHAIN["a"]}, use_cache=False).memory
    assert first is not None
    assert (first.node, first.values, first.working) == ("a", 100, 300 + heap_slack(300))


def test_the_cache_keeps_what_nobody_needs_up_to_its_budget(runner: Runner, look: Look) -> None:
    kept = look(CHAIN).memory
    assert kept is not None
    assert (kept.node, kept.values) == ("d", 100 + 200 + 400)
    runner.settings = runner.settings.model_copy(update={"memory_cache_bytes": 150})
    bounded = look(CHAIN).memory
    assert bounded is not None
    assert bounded.values == 200 + 400 + 100


def test_a_value_that_is_passed_on_counts_once(look: Look) -> None:
    found = look(
        {"a": CHAIN["a"], "k": ("kept", {"block": link("a.block")}), "l": ("kept", {"block": link("k.block")})}
    )
    assert found.memory is not None
    assert found.memory.values == 100


def test_time_is_of_what_runs(look: Look) -> None:
    report = look(CHAIN)
    assert named(report)["b"].seconds == 100.0
    assert 200.0 < report.seconds < 205.0
    assert report.time_class == "minutes"


def test_results_at_hand_are_told_and_cost_nothing(runner: Runner, look: Look) -> None:
    workflow = flow({name: (PACK + kind, given) for name, (kind, given) in CHAIN.items()})
    runner.run(workflow)
    report = look(CHAIN)
    assert {name: each.state for name, each in named(report).items()} == {
        "a": "not needed", "b": "not needed", "c": "cached", "d": "runs"
    }  # fmt: skip
    assert report.seconds < 5.0
    assert said(report, "d") == "block of 400"
    assert {each.state for each in look(CHAIN, use_cache=False).nodes} == {"runs"}


def test_nothing_is_run(runner: Runner, look: Look) -> None:
    look(CHAIN)
    plan = runner.prepare(flow({name: (PACK + kind, given) for name, (kind, given) in CHAIN.items()})).plan
    assert plan.cached == frozenset()
    assert not runner.settings.output.exists()


@pytest.mark.parametrize(
    ("kind", "source"), [("measured", "m.value"), ("silent", "m.block"), ("bewildered", "m.block")]
)
def test_below_what_only_the_run_tells(look: Look, kind: str, source: str) -> None:
    maker = ("make", {"size": link(source)}) if kind == "measured" else ("doubled", {"block": link(source)})
    report = look(
        {
            "a": CHAIN["a"],
            "m": (kind, {"block": link("a.block")}),
            "x": maker,
            "y": ("doubled", {"block": link("x.block")}),
        }
    )
    assert [said(report, name) for name in "xy"] == [f"depends on {source}"] * 2
    assert report.defects == ()
    assert {"x", "y"} <= set(report.gaps)
    assert named(report)["x"].seconds is None
    reasons = {
        "measured": "",
        "silent": "blocks.silent declares no spec",
        "bewildered": "its spec raised ZeroDivisionError: no wonder",
    }
    assert named(report)["m"].gap == reasons[kind]


def test_a_spec_may_know_a_plain_value(look: Look) -> None:
    nodes = {"a": CHAIN["a"], "n": ("counted", {"block": link("a.block")}), "x": ("make", {"size": link("n.value")})}
    assert said(look(nodes), "x") == "block of 100"
    big = look({**nodes, "b": CHAIN["b"], "a": ("make", {"size": 9_000}), "n": ("counted", {"block": link("b.block")})})
    assert codes(big) == [("refused", "x", "size")]
    assert "out of range" in big.defects[0].reason


def test_a_list_with_something_unknown_in_it(look: Look) -> None:
    nodes = {
        "a": CHAIN["a"],
        "s": ("silent", {"block": link("a.block")}),
        "j": ("joined", {"blocks": [link("a.block"), link("s.block")]}),
    }
    report = look(nodes)
    assert said(report, "j") == "depends on s.block"
    assert report.gaps == ("s",)
    both = look({"a": CHAIN["a"], "j": ("joined", {"blocks": [link("a.block"), link("a.block")]})})
    assert said(both, "j") == "block of 200"


def test_all_refusals_at_once_and_none_below_another(look: Look) -> None:
    report = look(
        {
            "odd": ("make", {"size": 3}),
            "odder": ("make", {"size": 5}),
            "below": ("doubled", {"block": link("odd.block")}),
            "beside": ("kept", {"block": link("odder.block")}),
        },
        {"out": "below.block"},
    )
    assert codes(report) == [("refused", "odd", "size"), ("refused", "odder", "size")]
    assert str(report.defects[0]) == "odd.size = 3: it is odd; give an even one"
    assert said(report, "below") == "depends on odd.block"


def test_what_is_not_needed_may_be_refused(look: Look) -> None:
    report = look({"odd": ("make", {"size": 3}), "a": CHAIN["a"]}, {"out": "a.block"})
    assert report.defects == ()
    assert named(report)["odd"].state == "not needed"


def test_missing_files_have_near_names(look: Look, settings: Settings) -> None:
    (settings.models / "block").mkdir(parents=True)
    (settings.models / "block" / "stone.bin").write_bytes(b"12345678")
    report = look(
        {
            "r": ("read", {"file": "stome.bin"}),
            "x": ("doubled", {"block": link("r.block")}),
            "odd": ("make", {"size": 3}),
        }
    )
    assert codes(report) == [("missing_file", "r", "file"), ("refused", "odd", "size")]
    assert "did you mean 'stone.bin'" in report.defects[0].reason
    assert said(report, "x") == "depends on r.block"
    good = look({"r": ("read", {"file": "stone.bin"})})
    assert said(good, "r") == "block of 8"
    [model] = good.models
    assert (model.node, model.name, model.facts.family) == ("r", "stone.bin", "blocks")


def test_a_large_new_file_is_not_read_for_its_digest(
    look: Look, runner: Runner, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.models / "block").mkdir(parents=True)
    (settings.models / "block" / "stone.bin").write_bytes(b"12345678")
    monkeypatch.setattr(module, "LARGEST_HASHED", 4)
    report = look({"r": ("read", {"file": "stone.bin"})})
    assert report.unread == ("stone.bin",)
    assert named(report)["r"].state == "runs"


def test_defects_of_form_come_alone(look: Look) -> None:
    report = look({"a": ("make", {"size": "x"}), "b": ("doubled", {})})
    assert [code for code, _, _ in codes(report)] == ["bad_value", "missing_input"]
    assert report.memory is None
    assert report.nodes == ()
    assert codes(look(CHAIN, targets=["z"])) == [("missing_node", "", "")]
    assert {name for name, each in named(look(CHAIN, targets=["b"])).items() if each.state == "runs"} == {"a", "b"}


DOUBLING = {
    "double": graph({"d": ("blocks.doubled", {})}, {"block": "d.block"}, {"block": "d.block"}),
    "make": graph({"m": ("blocks.make", {})}, {"block": "m.block"}, {"size": "m.size"}),
    "grow": graph(
        {
            "d": ("blocks.doubled", {}),
            "n": ("blocks.measured", {"block": link("d.block")}),
            "c": ("compare", {"a": link("n.value"), "b": 5.0}),
        },
        {"block": "d.block", "small": "c.value"},
        {"block": "d.block"},
    ),
}
"""Graphs that loops run."""


def test_a_loop_over_a_list(runner: Runner) -> None:
    nodes = {"l": ("for_each", {"size": [2, 4, 6]}, {"graph": "make", "each": ["size"]})}
    report = preflight(runner, flow(nodes, {"all": "l.block"}, graphs=DOUBLING), use_cache=False)
    assert [str(each) for each in named(report)["l"].outputs["block"]] == ["block of 2", "block of 4", "block of 6"]  # type: ignore[attr-defined]
    assert report.defects == report.gaps == ()
    assert report.memory is not None
    assert report.memory.values > 12
    bad = {"l": ("for_each", {"size": [2, 3, 5, 3]}, {"graph": "make", "each": ["size"]})}
    found = preflight(runner, flow(bad, {"all": "l.block"}, graphs=DOUBLING))
    assert [str(each).partition(":")[0] for each in found.defects] == ["m.size = 3", "m.size = 5"]


def test_a_long_loop_is_not_walked_to_its_end(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodegraph.execution.forecast_loops.MOST_ROUNDS", 2)
    nodes = {
        "a": (PACK + "make", {"size": 10}),
        "l": ("for_each", {"block": [link("a.block")] * 5}, {"graph": "double", "each": ["block"]}),
    }
    report = preflight(runner, flow(nodes, {"all": "l.block"}, graphs=DOUBLING), use_cache=False)
    items = named(report)["l"].outputs["block"]
    assert [str(each) for each in items] == ["block of 20"] * 5  # type: ignore[attr-defined]
    assert 500.0 <= report.seconds < 505.0
    assert report.memory is not None
    assert report.memory.values >= 10 + 5 * 20


def test_a_loop_that_carries(runner: Runner) -> None:
    nodes = {
        "a": (PACK + "make", {"size": 10}),
        "l": ("repeat", {"block": link("a.block"), "times": 3}, {"graph": "double", "carry": ["block"]}),
        "k": (PACK + "kept", {"block": link("l.block")}),
    }
    report = preflight(runner, flow(nodes, {"last": "l.block"}, graphs=DOUBLING))
    assert said(report, "k") == "block of 80"
    assert 300.0 <= report.seconds < 305.0
    endless = {
        **nodes,
        "l": ("repeat", {"block": link("a.block")}, {"graph": "grow", "carry": ["block"], "until": "small"}),
    }
    found = preflight(runner, flow(endless, {"last": "l.block"}, graphs=DOUBLING))
    assert said(found, "k") == "depends on l.block"
    assert named(found)["l"].gap == "how often it repeats depends on small"


def test_a_loop_without_a_round(runner: Runner) -> None:
    nodes = {
        "a": (PACK + "make", {"size": 10}),
        "l": ("repeat", {"block": link("a.block"), "times": 0}, {"graph": "grow", "carry": ["block"]}),
        "n": ("length", {"items": [True, link("l.small")]}),
    }
    found = named(preflight(runner, flow(nodes, {"n": "n.value", "block": "l.block"}, graphs=DOUBLING)))
    assert str(found["l"].outputs["block"]) == "block of 10"
    assert isinstance(found["l"].outputs["small"], Blocked)
    assert found["n"].outputs == {"value": found["l"].outputs["small"]}


def test_a_loop_over_what_only_the_run_tells(runner: Runner) -> None:
    nodes = {
        "a": (PACK + "make", {"size": 10}),
        "n": (PACK + "measured", {"block": link("a.block")}),
        "i": ("integers", {"count": link("n.value"), "step": 2}),
        "l": ("for_each", {"size": link("i.result")}, {"graph": "make", "each": ["size"]}),
    }
    report = preflight(runner, flow(nodes, {"all": "l.block"}, graphs=DOUBLING))
    assert said(report, "l") == "depends on n.value"
    known = preflight(
        runner, flow({**nodes, "i": ("integers", {"count": 3, "step": 2})}, {"all": "l.block"}, graphs=DOUBLING)
    )
    assert len(named(known)["l"].outputs["block"]) == 3  # type: ignore[arg-type]


def test_choices_that_are_known_and_branches_that_may_run(runner: Runner) -> None:
    nodes = {
        "a": (PACK + "make", {"size": 10}),
        "b": (PACK + "make", {"size": 20}),
        "s": ("switch", {"condition": False, "on_true": link("a.block"), "on_false": link("b.block")}),
        "g": ("gate", {"value": link("s.result"), "open": False, "reason": "shut"}),
        "k": (PACK + "kept", {"block": link("g.result")}),
        "f": ("fallback", {"value": link("g.result"), "otherwise": link("a.block")}),
    }
    report = preflight(runner, flow(nodes, {"s": "s.result", "f": "f.result"}))
    assert said(report, "s") == "block of 20"
    assert str(named(report)["k"].outputs["block"]) == "Blocked(reason='shut')"
    assert said(report, "f") == "block of 10"
    states = {name: each.state for name, each in named(report).items()}
    assert states == {"a": "runs", "b": "runs", "s": "runs", "g": "runs", "k": "runs", "f": "runs"}
    assert report.defects == report.gaps == ()


def test_a_branch_that_is_not_taken_may_be_refused(runner: Runner) -> None:
    nodes = {
        "odd": (PACK + "make", {"size": 3}),
        "b": (PACK + "make", {"size": 20}),
        "n": (PACK + "measured", {"block": link("b.block")}),
        "s": ("switch", {"condition": False, "on_true": link("odd.block"), "on_false": link("b.block")}),
        "i": ("select", {"items": [link("odd.block"), link("b.block")], "index": 1}),
    }
    report = preflight(runner, flow(nodes, {"s": "s.result", "i": "i.result"}))
    assert report.defects == ()
    assert named(report)["odd"].state == "not needed"
    doubtful = {**nodes, "i": ("select", {"items": [link("odd.block"), link("b.block")], "index": link("n.value")})}
    report = preflight(runner, flow(doubtful, {"i": "i.result"}))
    assert {name: each.state for name, each in named(report).items() if name != "s"} == {
        "odd": "may run", "b": "runs", "n": "runs", "i": "runs"
    }  # fmt: skip
    assert [each.node for each in report.defects] == ["odd"]
