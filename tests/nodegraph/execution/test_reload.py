"""`Runner.reload`: the next run uses the code that is there now, and nothing of the old code reaches it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph import InvalidWorkflow, Settings, Workflow
from nodegraph.execution.reloading import holds_code_of
from nodegraph.execution.run import Runner

from ..flows import flow, link
from ..packs import write_pack

Edit = Callable[..., None]

PARTS = {
    "amount.py": "AMOUNT = 1\n",
    "machines.py": """
        from dataclasses import dataclass
        from nodegraph import node, wire

        @wire(portable=False, id="shop.Machine")
        @dataclass(frozen=True)
        class Machine:
            factor: int

        @node(category="test")
        def machine(factor: int = 2) -> Machine:
            "Make a machine."
            return Machine(factor)
        """,
    "work.py": """
        from nodegraph import node
        from .amount import AMOUNT
        from .machines import Machine

        @node(category="test")
        def work(machine: Machine, value: int) -> int:
            "Let it work."
            assert type(machine) is Machine, "a machine of the old code"
            return machine.factor * value + AMOUNT
        """,
    "other.py": """
        from nodegraph import node

        @node(category="test")
        def other(value: int = 0) -> int:
            "Give it back."
            return value
        """,
}
FLOW = {
    "machine": ("shop.machine", {"factor": 10}),
    "other": ("shop.other", {"value": 4}),
    "work": ("shop.work", {"machine": link("machine.machine"), "value": link("other.value")}),
}


@pytest.fixture
def reloading(
    settings: Settings, tmp_path: Path, definitions_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings with plugins of the test's own, which are forgotten afterwards; Python writes compiled files."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    settings.cache.mkdir()
    (settings.cache / "definitions").symlink_to(definitions_cache / "definitions")
    yield settings.model_copy(update={"plugins": [tmp_path / "plugins"]})
    for name in [name for name in sys.modules if name.startswith("nodegraph_plugins.")]:
        del sys.modules[name]
    package = sys.modules.get("nodegraph_plugins")
    if package is not None and str(tmp_path / "plugins") in package.__path__:
        package.__path__.remove(str(tmp_path / "plugins"))


@pytest.fixture
def shop(tmp_path: Path) -> Edit:
    """Writes the pack; the function edits it in place, as if within the same second."""
    stamps: dict[Path, int] = {}

    def edit(name: str, old: str, new: str, pack: str = "shop") -> None:
        path = tmp_path / "plugins" / pack / name if pack == "shop" else tmp_path / "plugins" / name
        stamps.setdefault(path, path.stat().st_mtime_ns)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        os.utime(path, ns=(stamps[path], stamps[path]))

    write_pack(tmp_path / "plugins", "shop", PARTS)
    return edit


def both(runner: Runner, nodes: Any = FLOW) -> tuple[Any, set[str]]:
    """The result, and which nodes ran."""
    last = list(nodes)[-1]
    found = runner.run(flow(nodes, {"r": f"{last}.value"}))
    return found.outputs["r"], set(found.ran)


@pytest.fixture
def warm(reloading: Settings, shop: Edit) -> Iterator[Runner]:
    with Runner(reloading) as runner:
        assert runner.catalog.failures == []
        assert both(runner) == (41, {"machine", "other", "work"})
        yield runner


def test_nothing_changed_nothing_dropped(warm: Runner) -> None:
    assert warm.reload() == set()
    assert both(warm) == (41, set())


def test_edited_code_and_what_imports_it_run_anew_and_the_rest_stays_warm(warm: Runner, shop: Edit) -> None:
    before = dict(sys.modules)
    shop("amount.py", "AMOUNT = 1", "AMOUNT = 2")  # same size, same second: compiled files say that nothing changed
    dropped = warm.reload()
    assert dropped == {"nodegraph_plugins.shop.amount", "nodegraph_plugins.shop.work"}
    assert set(before) - set(sys.modules) == dropped
    assert both(warm) == (42, {"work"})
    shop("amount.py", "AMOUNT = 2", "AMOUNT = 1")
    assert warm.reload() == dropped
    assert both(warm) == (41, set())  # that code's result is still stored


def test_resident_results_of_unchanged_code_are_used_again(warm: Runner, shop: Edit) -> None:
    shop("other.py", "return value", "return value + 1")
    assert warm.reload() == {"nodegraph_plugins.shop.other"}
    assert both(warm) == (51, {"other", "work"})


def test_an_edited_class_leaves_no_value_of_the_old_one(warm: Runner, shop: Edit) -> None:
    shop("machines.py", "factor: int\n", "factor: int\n    name: str = ''\n")
    assert warm.reload() == {"nodegraph_plugins.shop.machines", "nodegraph_plugins.shop.work"}
    assert both(warm) == (41, {"machine", "work"})


USER = """
    from nodegraph import node
    from nodegraph_plugins.shop.machines import Machine

    @node(category="test")
    def rent(factor: int = 3) -> Machine:
        "Get a machine of another pack."
        return Machine(factor)
    """


def test_classes_of_another_pack_are_of_one_generation(reloading: Settings, shop: Edit, tmp_path: Path) -> None:
    write_pack(tmp_path / "plugins", "user", USER)
    nodes = {**FLOW, "machine": ("user.rent", {"factor": 10})}
    with Runner(reloading) as runner:
        assert both(runner, nodes) == (41, {"machine", "other", "work"})
        shop("machines.py", "return Machine(factor)", "return Machine(factor + 0)")
        assert "nodegraph_plugins.user" in runner.reload()
        assert both(runner, nodes) == (
            41,
            {"machine", "work"},
        )  # the key of the first is the same, its value was dropped


def test_half_edited_files_are_reported_and_mended(warm: Runner, shop: Edit) -> None:
    shop("other.py", "return value", "return (value")
    warm.reload()
    assert "SyntaxError" in str(warm.catalog.failures[0])
    with pytest.raises(InvalidWorkflow, match=r"there is no node type 'shop\.other'"):
        both(warm)
    shop("other.py", "return (value", "return (value)")
    assert warm.reload() == set()
    assert both(warm) == (41, {"other", "work"})


def test_packs_come_and_go(warm: Runner, tmp_path: Path) -> None:
    path = write_pack(tmp_path / "plugins", "late", PARTS["other.py"].replace("return value", "return 7"))
    assert warm.reload() == set()
    assert both(warm, {"n": ("late.other", {})}) == (7, {"n"})
    path.unlink()
    assert warm.reload() == {"nodegraph_plugins.late"}
    with pytest.raises(InvalidWorkflow):
        both(warm, {"n": ("late.other", {})})


class Plain:
    def __init__(self, held: object) -> None:
        self.held = held


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (1, False),
        ("text", False),
        ({"a": [1, 2.5, None]}, False),
        (Workflow(title="t"), False),
        (Plain(1), True),
        ({"a": [(Plain(1),)]}, True),
        (Plain, True),
        (lambda: 1, True),
        ([{"sorted": sorted, "os": os, "path": Path()}], False),
    ],
)
def test_what_holds_code_of_a_module(value: object, holds: bool) -> None:
    assert holds_code_of(value, {__name__}) is holds


def test_values_that_hold_themselves_are_walked_once() -> None:
    ring: list[object] = []
    ring.append(ring)
    assert not holds_code_of(ring, {__name__})
