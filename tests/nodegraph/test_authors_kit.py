"""The kit for authors' tests finds what it is there to find, and a new pack passes its own tests."""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nodegraph import Context, InvalidInput, node, wire
from nodegraph.catalog import load_catalog
from nodegraph.cli.app import app
from nodegraph.ports.codec import NotPortable
from nodegraph.scaffold import CannotScaffold, new_pack
from nodegraph.settings import Settings
from nodegraph.testing import ContractBroken, check_node, check_workflow

from ..conftest import PACKS
from .flows import flow, graph, link

_COUNTER = itertools.count()


@wire(portable=True)
@dataclass(frozen=True)
class Bag:
    """Numbers."""

    items: list[int]


@node(category="t")
def good(bag: Bag, more: int = 1, *, ctx: Context) -> Bag:
    """Add one more."""
    ctx.progress(1, 1)
    return Bag([*bag.items, more])


@node(category="t")
def changes(bag: Bag) -> int:
    """Change what it is given."""
    bag.items.append(1)
    return len(bag.items)


@node(category="t")
def differs(bag: Bag) -> int:
    """Count the calls."""
    return next(_COUNTER)


@node(category="t")
async def later(bag: Bag) -> int:
    """Count, later."""
    return len(bag.items)


@node(category="t", cache="never")
def may_differ(bag: Bag) -> int:
    """Count the calls."""
    return next(_COUNTER)


@node(category="t")
def lies(bag: Bag) -> int:
    """Return a text."""
    return "one"  # type: ignore[return-value]


@dataclass(frozen=True)
class Place:
    """How far a long node is."""

    done: int
    items: tuple[int, ...]


@node(category="t")
def goes_on(bag: Bag, forgets: bool = False, *, ctx: Context) -> Bag:
    """Double every number, in steps."""
    place = ctx.resumed()
    done, items = (place.done, place.items) if isinstance(place, Place) else (0, ())
    while done < len(bag.items):
        items, done = (*items, 2 * bag.items[done]), done + 1
        ctx.checkpoint(functools.partial(Place, done, () if forgets else items))
    return Bag([*items])


@node(category="t")
def offers_what_cannot_be_kept(bag: Bag, *, ctx: Context) -> int:
    """Offer a generator."""
    ctx.checkpoint(lambda: iter(bag.items))
    return 1


def test_a_node_that_goes_on_from_its_checkpoints_is_found_right_or_wrong(tmp_path: Path) -> None:
    assert check_node(goes_on, tmp_path, bag=Bag([1, 2, 3])) == {"bag": Bag([2, 4, 6])}
    with pytest.raises(ContractBroken, match="gives another 'bag' when it goes on from a checkpoint"):
        check_node(goes_on, tmp_path, bag=Bag([1, 2, 3]), forgets=True)
    with pytest.raises(NotPortable, match="values of this type live in the memory of one process"):
        check_node(offers_what_cannot_be_kept, tmp_path, bag=Bag([]))


def test_a_good_node_gives_its_outputs(tmp_path: Path) -> None:
    assert check_node(good, tmp_path, bag=Bag([1]), more=2) == {"bag": Bag([1, 2])}
    assert check_node(later, tmp_path, bag=Bag([1])) == {"value": 1}
    assert set(check_node(may_differ, tmp_path, bag=Bag([]))) == {"value"}


@pytest.mark.parametrize(
    ("function", "inputs", "words"),
    [
        (changes, {"bag": Bag([])}, "changed its input 'bag'"),
        (differs, {"bag": Bag([])}, "the same inputs gave another 'value'"),
        (good, {"bag": 3}, "bag: "),
        (good, {"bag": Bag([]), "less": 1}, "less: good has no such input"),
    ],
)
def test_what_no_node_may_do_is_found(tmp_path: Path, function: Any, inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractBroken, match=words):
        check_node(function, tmp_path, **inputs)


def test_a_wrong_output_is_found(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="its output 'value' should be int"):
        check_node(lies, tmp_path, bag=Bag([]))


def test_a_workflow_is_computed_once(tmp_path: Path) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "n": ("number", {"value": 2}),
        "s": ("add", {"a": link("n.number"), "b": link("n.number")}),
        "m": ("machine", {}),
        "u": ("use_machine", {"machine": link("m.machine"), "number": link("s.number")}),
        "w": ("write_number", {"number": link("u.number")}),
        "p": ("process_id", {}),
    }
    result = check_workflow(flow(nodes, {"out": "u.number"}), tmp_path, plugins=[PACKS])
    assert result.outputs["out"].value == 8.0
    assert list((tmp_path / "output").iterdir())


def test_a_workflow_that_changes_values_is_found(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="it changed a value it was given"):
        check_workflow(flow({"m": ("mutates", {"numbers": [1, 2]})}, {"out": "m.value"}), tmp_path, plugins=[PACKS])


def test_a_new_pack_passes_its_own_tests_and_is_found(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["plugins", "new", "colour_tools", "--into", str(tmp_path)])
    assert made.exit_code == 0, made.output
    folder = tmp_path / "colour_tools"
    assert made.stdout.strip() == str(folder)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    catalog = load_catalog(Settings(cache=tmp_path / "cache", plugins=[folder]))
    assert catalog.failures == []
    assert catalog["colour_tools.mix"].inputs_by_name["weight"].doc == "how much of b."


@pytest.mark.parametrize("name", ["Colours", "1st", "my-pack", "class", "nodes", ""])
def test_unusable_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotScaffold, match="cannot be called"):
        new_pack(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(CannotScaffold, match="is there already"):
        new_pack("mine", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotScaffold, match="could not be written"):
        new_pack("other", tmp_path / "file" / "below")


def test_a_refusal_of_the_new_node_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(new_pack("mixing", tmp_path)))
    from mixing.nodes import mix  # type: ignore[import-not-found]

    with pytest.raises(InvalidInput, match="change one sign"):
        mix(1.0, -1.0)


def test_workflows_with_loops_choices_and_expansions_are_checked(tmp_path: Path) -> None:
    body = graph({"make": ("number", {"value": 0})}, {"number": "make.number"}, {"value": "make.value"})
    nodes = {
        "each": ("for_each", {"value": [1, 2]}, {"graph": "g", "each": ["value"]}),
        "sum": ("total", {"numbers": link("each.number")}),
        "more": ("added_often", {"number": link("sum.number"), "times": 2}),
        "chosen": ("switch", {"condition": True, "on_true": link("more.number"), "on_false": link("sum.number")}),
        "end": ("add", {"a": link("chosen.result"), "b": link("sum.number")}),
    }
    result = check_workflow(flow(nodes, {"end": "end.number"}, graphs={"g": body}), tmp_path, plugins=[PACKS])
    assert result.outputs["end"].value == 15
