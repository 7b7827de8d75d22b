"""Declaring specs: what is recorded, which mistakes are told, and how a node's behaviour is compared with its spec."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from nodegraph import InvalidInput, node, wire
from nodegraph.catalog import load_catalog
from nodegraph.declaration import describe_nodes
from nodegraph.errors import DeclarationError
from nodegraph.fingerprint import PackSources
from nodegraph.settings import Settings
from nodegraph.spec import Predicted, Spec, Unknown, held_by
from nodegraph.testing import ContractBroken, check_node

from .packs import write_pack

HEAD = """
from nodegraph import node
from nodegraph.spec import Predicted, SpecContext
def right(a: int, b: int, ctx: SpecContext) -> Predicted: ...
def less(a: int) -> Predicted: ...
def more(a: int, b: int, c: int) -> Predicted: ...
def unresolved(a: "Missing", b: int) -> Predicted: ...
def outer():
    def inner(a: int, b: int) -> Predicted: ...
    return inner
"""
NODE = "@node(category='t', spec={spec})\ndef f(a: int, b: int = 1) -> int:\n    'Doc.'\n"


@pytest.fixture
def make() -> Iterator[Callable[[str], ModuleType]]:
    name = "specs_in_a_test"

    def made(source: str) -> ModuleType:
        found = ModuleType(name)
        sys.modules[name] = found
        exec(compile(HEAD + source, name, "exec"), vars(found))
        return found

    yield made
    sys.modules.pop(name, None)


def test_a_spec_is_recorded_by_name(make: Callable[[str], ModuleType]) -> None:
    [found] = describe_nodes(make(NODE.format(spec="right")), pack="test")
    assert found.spec == "specs_in_a_test:right"
    [bare] = describe_nodes(make(NODE.format(spec="None")), pack="test")
    assert bare.spec == ""


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("less", "its spec less lacks the inputs b"),
        ("more", "its spec more takes c, which the node does not"),
        ("unresolved", "the annotations of its spec unresolved cannot be resolved: name 'Missing'"),
        ("outer()", "must be a function at the top of a module"),
        ("lambda a, b: None", "must be a function at the top of a module"),
        ("3", "must be a function at the top of a module"),
    ],
)
def test_mistakes_are_told(make: Callable[[str], ModuleType], spec: str, words: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        describe_nodes(make(NODE.format(spec=spec)), pack="test")
    assert any(words in each for each in caught.value.mistakes), caught.value.mistakes


SPEC_MODULE = """
from nodegraph.spec import Predicted
{imports}
def spec(a: int, b: int) -> Predicted:
    import torch
    return Predicted()
"""


@pytest.mark.parametrize(
    ("imports", "culprit"),
    [
        ("import torch.nn", "nodegraph_plugins.heavy.specs"),
        ("from .between import x", "nodegraph_plugins.heavy.deep"),
        ("from safetensors.torch import load", "nodegraph_plugins.heavy.specs"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", None),
    ],
)
def test_a_spec_module_imports_no_torch(tmp_path: Path, imports: str, culprit: str | None) -> None:
    files = {
        "specs.py": SPEC_MODULE.format(imports=imports),
        "between.py": "from . import deep\nx = 1\n",
        "deep.py": "def lazy():\n    pass\ntry:\n    import torch\nexcept ImportError:\n    pass\n",
    }
    folder = write_pack(tmp_path, "heavy", files)
    sources = PackSources("nodegraph_plugins.heavy", folder)
    assert sources.importer_of_torch("nodegraph_plugins.heavy.specs") == culprit


def test_a_pack_is_told_that_its_specs_import_torch(tmp_path: Path) -> None:
    module = "from nodegraph import node\nfrom .specs import spec\n" + NODE.format(spec="spec")
    write_pack(
        tmp_path / "plugins", "heavy", {"specs.py": SPEC_MODULE.format(imports="import torch"), "nodes.py": module}
    )
    catalog = load_catalog(Settings(cache=tmp_path / "cache", plugins=[tmp_path / "plugins"]))
    [failure] = catalog.failures
    assert "its spec spec lies in nodegraph_plugins.heavy.specs, which imports torch" in str(failure)


@wire(portable=True, id="test.Bar")
@dataclass(frozen=True)
class Bar:
    """A length."""

    length: int


@dataclass(frozen=True)
class BarSpec(Spec):
    wire: ClassVar[str] = "test.Bar"
    length: int
    kept: tuple[Spec, ...] = ()

    @classmethod
    def of(cls, value: Any) -> BarSpec:
        return cls(value.length)

    @property
    def own(self) -> int:
        return self.length

    @property
    def parts(self) -> tuple[Spec, ...]:
        return self.kept

    def __str__(self) -> str:
        return f"bar of {self.length}"


def test_what_is_held_counts_once() -> None:
    one = BarSpec(5)
    assert held_by([one, one, BarSpec(5)]) == 10
    assert held_by([BarSpec(1, (one, one)), BarSpec(2, (one,)), one, Unknown("a.b")]) == 8
    assert BarSpec(1, (one,)).held == 6


def halved_right(bar: BarSpec, least: int) -> Predicted:
    if bar.length < least:
        raise InvalidInput("bar", bar.length, "it is too short")
    return Predicted({"bar": BarSpec(bar.length // 2)})


def halved_wrong(bar: BarSpec, least: int) -> Predicted:
    return Predicted({"bar": BarSpec(bar.length)})


def halved_strict(bar: BarSpec, least: int) -> Predicted:
    raise InvalidInput("bar", bar.length, "no bar will do")


def halved_silent(bar: BarSpec, least: int) -> Predicted:
    return Predicted()


def halve(bar: Bar, least: int) -> Bar:
    """Halve."""
    if bar.length < least:
        raise InvalidInput("bar", bar.length, "it is too short")
    return Bar(bar.length // 2)


@node(category="t", spec=halved_right)
def right(bar: Bar, least: int = 4) -> Bar:
    """Halve."""
    return halve(bar, least)


@node(category="t", spec=halved_wrong)
def wrong(bar: Bar, least: int = 4) -> Bar:
    """Halve."""
    return halve(bar, least)


@node(category="t", spec=halved_strict)
def strict(bar: Bar, least: int = 4) -> Bar:
    """Halve."""
    return halve(bar, least)


@node(category="t", spec=halved_silent)
def silent(bar: Bar, least: int = 4) -> Bar:
    """Halve."""
    return halve(bar, least)


def test_a_node_is_compared_with_its_spec(tmp_path: Path) -> None:
    assert check_node(right, tmp_path, bar=Bar(8)) == {"bar": Bar(4)}
    assert check_node(silent, tmp_path, bar=Bar(8)) == {"bar": Bar(4)}
    with pytest.raises(ContractBroken, match="predicts for 'bar' bar of 8; it gave bar of 4"):
        check_node(wrong, tmp_path, bar=Bar(8))
    with pytest.raises(ContractBroken, match="the spec of strict refuses what the node accepts: bar = 8"):
        check_node(strict, tmp_path, bar=Bar(8))


def test_refusals_are_compared_too(tmp_path: Path) -> None:
    for function in (right, strict, silent):
        with pytest.raises(InvalidInput):
            check_node(function, tmp_path, bar=Bar(2))
    with pytest.raises(ContractBroken, match="wrong refuses what its spec accepts: bar = 2: it is too short"):
        check_node(wrong, tmp_path, bar=Bar(2))
