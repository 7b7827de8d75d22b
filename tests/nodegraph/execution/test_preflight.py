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
from nodegraph.settings import Settings

from ..blocks import write_blocks
from ..flows import flow, link

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
