"""Keys: the same recipe has the same key, and any other recipe another one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import InvalidWorkflow, NodeFailed
from nodegraph.catalog import Catalog, load_catalog
from nodegraph.definition import InputDefinition, NodeDefinition, OutputDefinition
from nodegraph.devices.policy import DevicePolicy
from nodegraph.execution.keys import KeyMaker
from nodegraph.execution.run import Runner
from nodegraph.ports.types import AnyType, ListType, MapType, NoneType, PathType, ScalarType, UnionType
from nodegraph.settings import Settings
from nodegraph.workflow.graph import Gathered, GraphNode, Link, Source, Written
from nodegraph.workflow.validate import check

from ..flows import flow, link
from ..packs import write_pack

CPU = DevicePolicy("cpu", "float32", 1)
FILES = {"a.txt": "1" * 64, "copy_of_a.txt": "1" * 64, "b.txt": "2" * 64}
PORTS = {
    "any": AnyType(),
    "other": AnyType(),
    "file": PathType(of="note"),
    "files": UnionType(members=(ListType(item=PathType(of="note")), NoneType())),
    "named": MapType(item=PathType(of="note")),
    "either": UnionType(members=(ScalarType(kind="int"), PathType(of="note"))),
}


def definition(**changes: Any) -> NodeDefinition:
    values: dict[str, Any] = {
        "id": "thing",
        "version": "1",
        "category": "test",
        "title": "Thing",
        "pack": "p",
        "module": "m",
        "function": "thing",
        "fingerprint": "f" * 64,
        "inputs": tuple(InputDefinition(name=name, type=kind, required=False) for name, kind in PORTS.items()),
        "outputs": (OutputDefinition(name="x", type=AnyType()), OutputDefinition(name="y", type=AnyType())),
    }
    return NodeDefinition(**{**values, **changes})


def key(
    sources: Mapping[str, Source],
    *,
    node: NodeDefinition | None = None,
    policy: DevicePolicy = CPU,
    nonce: str = "",
    keys: Mapping[str, str] | None = None,
) -> str:
    maker = KeyMaker(lambda kind, name: FILES[name], policy, nonce)
    return maker.key(GraphNode("name", node or definition(), sources), keys or {})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, -0.0, 1.0, 1.5, -2.0])
    | st.text(alphabet='1.,"[]{}=\0\\é', max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='a=",\0', max_size=2), inner, max_size=2)
    ),
    max_leaves=6,
)
upstream = st.builds(Link, st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]))
written = st.builds(Written, json_values)
one_source = written | upstream | st.builds(Gathered, st.lists(written | upstream, max_size=3).map(tuple))
recipes = st.dictionaries(st.sampled_from(["any", "other"]), one_source, max_size=2)


def spelt(sources: Mapping[str, Source]) -> str:
    """A recipe as text in which other types are other texts; mappings in one order."""

    def text(source: Source) -> Any:
        match source:
            case Written(value=value):
                return ["written", value]
            case Link(node=node, output=output):
                return ["link", node, output]
            case Gathered(items=items):
                return ["gathered", *map(text, items)]

    return json.dumps({name: text(source) for name, source in sources.items()}, sort_keys=True)


@given(recipes, recipes)
def test_recipes_are_equal_exactly_when_their_keys_are(first: dict[str, Source], second: dict[str, Source]) -> None:
    keys = {"a": "a" * 64, "b": "b" * 64}
    assert (key(first, keys=keys) == key(second, keys=keys)) == (spelt(first) == spelt(second))


@pytest.mark.parametrize(
    "values",
    [
        (1, True, 1.0, "1", [1], "true", None, "null", 0, False, 0.0, -0.0, "", [], {}),
        ([1, 2], [2, 1], [1, 2, None], [[1], 2], [[1, 2]], ["1", "2"], "[1, 2]"),
        ({"a": 1}, {"a": 1.0}, {"a": True}, {"b": 1}, '{"a": 1}', [["a", 1]]),
    ],
)
def test_values_that_look_alike_have_keys_of_their_own(values: tuple[Any, ...]) -> None:
    assert len({key({"any": Written(each)}) for each in values}) == len(values)


def test_the_order_of_an_object_means_nothing() -> None:
    assert key({"any": Written({"a": 1, "b": 2})}) == key({"any": Written({"b": 2, "a": 1})})
    assert key({"any": Written(1), "other": Written(2)}) == key({"other": Written(2), "any": Written(1)})


def test_everything_that_decides_a_result_is_in_the_key() -> None:
    sources: dict[str, Source] = {"any": Link("a", "x")}
    keys = {"a": "a" * 64, "b": "b" * 64}
    torch = definition(numeric=("torch",))
    found = [
        key(sources, keys=keys),
        key(sources, keys={"a": "c" * 64}),
        key({"any": Link("a", "y")}, keys=keys),
        key({"other": Link("a", "x")}, keys=keys),
        key({"any": Gathered((Link("a", "x"),))}, keys=keys),
        key({"any": Gathered((Link("a", "x"), Link("b", "x")))}, keys=keys),
        key({"any": Gathered((Link("b", "x"), Link("a", "x")))}, keys=keys),
        key(sources, keys=keys, node=definition(id="other_thing")),
        key(sources, keys=keys, node=definition(version="2")),
        key(sources, keys=keys, node=definition(fingerprint="e" * 64)),
        key(sources, keys=keys, node=definition(numeric=("numpy",))),
        key(sources, keys=keys, node=torch),
        key(sources, keys=keys, node=torch, policy=DevicePolicy("cpu", "bfloat16", 1)),
        key(sources, keys=keys, node=torch, policy=DevicePolicy("cpu", "float32", 2)),
        key(sources, keys=keys, node=torch, policy=DevicePolicy("cuda", "float32", 1)),
    ]
    assert len(set(found)) == len(found)


def test_nothing_else_is() -> None:
    sources: dict[str, Source] = {"any": Written(1)}
    same = {
        key(sources),
        key(sources, nonce="another run"),
        key(sources, policy=DevicePolicy("cuda", "bfloat16", 8)),
        key(sources, node=definition(title="Another", doc="Help", category="elsewhere", module="moved", pack="q")),
    }
    assert len(same) == 1
    torch = definition(numeric=("torch",))
    assert key(sources, node=torch, policy=DevicePolicy("cuda", "float32", 1)) == key(
        sources, node=torch, policy=DevicePolicy("cuda", "float32", 8)
    )


def test_what_no_key_can_see_has_a_new_key_every_run() -> None:
    never = definition(cache="never")
    assert key({}, node=never, nonce="1") == key({}, node=never, nonce="1")
    assert key({}, node=never, nonce="1") != key({}, node=never, nonce="2")
    maker = KeyMaker(lambda kind, name: "", CPU, "1")
    assert maker.key(GraphNode("one", never, {}), {}) != maker.key(GraphNode("other", never, {}), {})


@pytest.mark.parametrize(
    ("port", "value", "renamed", "changed"),
    [
        ("file", "a.txt", "copy_of_a.txt", "b.txt"),
        ("files", ["b.txt", "a.txt"], ["b.txt", "copy_of_a.txt"], ["a.txt", "b.txt"]),
        ("named", {"x": "a.txt"}, {"x": "copy_of_a.txt"}, {"x": "b.txt"}),
        ("either", "a.txt", "copy_of_a.txt", 1),
        ("files", [], [], None),
    ],
)
def test_a_file_is_its_content(port: str, value: Any, renamed: Any, changed: Any) -> None:
    assert key({port: Written(value)}) == key({port: Written(renamed)})
    assert key({port: Written(value)}) != key({port: Written(changed)})


def test_a_file_among_wires_is_its_content() -> None:
    keys = {"a": "a" * 64}
    found = [key({"files": Gathered((Link("a", "x"), Written(name)))}, keys=keys) for name in FILES]
    assert found[0] == found[1] != found[2]


def test_a_text_that_looks_like_a_file_is_no_file() -> None:
    assert key({"any": Written("a.txt")}) != key({"any": Written("copy_of_a.txt")})


# whole workflows


Make = Callable[..., Runner]


def keys_of(runner: Runner, *args: Any) -> Mapping[str, str]:
    return runner.prepare(flow(*args)).plan.keys


def test_names_and_order_of_nodes_titles_and_layout_mean_nothing(runner: Runner) -> None:
    nodes = {"a": ("number", {"value": 1}), "s": ("add", {"a": link("a.number"), "b": link("a.number")})}
    others = {"sum": ("add", {"b": link("one.number"), "a": link("one.number")}), "one": ("number", {"value": 1.0})}
    first = runner.prepare(flow(nodes, {"r": "s.number"})).plan.keys
    other = flow(others, {"q": "sum.number"}).model_copy(update={"title": "T", "layout": {"sum": [1, 2]}})
    second = runner.prepare(other).plan.keys
    assert (first["a"], first["s"]) == (second["one"], second["sum"])


def test_a_change_reaches_everything_behind_it_and_nothing_else(runner: Runner) -> None:
    def chain(value: float) -> dict[str, Any]:
        return {
            "a": ("number", {"value": value}),
            "b": ("number", {"value": 5}),
            "s": ("add", {"a": link("a.number"), "b": link("b.number")}),
            "t": ("split", {"number": link("s.number")}),
        }

    before, after = keys_of(runner, chain(1)), keys_of(runner, chain(2))
    assert {name for name in before if before[name] != after[name]} == {"a", "s", "t"}


def test_a_file_replaced_in_place_changes_the_key_and_a_renamed_one_does_not(make_runner: Make, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "note"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("one", "utf-8")

    def of(name: str) -> str:
        return keys_of(make_runner(), {"r": ("read_text", {"file": name})})["r"]

    first = of("a.txt")
    (folder / "a.txt").rename(folder / "b.txt")
    assert of("b.txt") == first
    stat = (folder / "b.txt").stat()
    (folder / "b.txt").write_text("two", "utf-8")
    os.utime(folder / "b.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert of("b.txt") != first


DEFAULTS = """
from pathlib import Path
from typing import Annotated
from pydantic import BaseModel, Field
from nodegraph import PathOf, node

class Size(BaseModel):
    width: float = 1
    height: float = 2

@node(category="test")
def numbers(value: float = 1, many: list[float] | None = None, size: Size = Size()) -> str:
    "Show what arrives."
    return f"{value!r} {many!r} {size!r}"

@node(category="test")
def texts(parts: list[str] | None = None, files: list[Annotated[Path, PathOf("note")]] | None = None) -> str:
    "Join what there is."
    return "+".join([*(parts or []), *(each.read_text() for each in files or [])])

@node(category="test")
def pair(both: Annotated[list[str], Field(min_length=2, max_length=2)]) -> list[str]:
    "Two texts."
    return both

@node(category="test")
def many(count: int) -> list[str]:
    "Many texts."
    return ["x"] * count

@node(category="test", output="file")
def a_file() -> Annotated[Path, PathOf("note")]:
    "Some file."
    return Path(__file__).parent / "note.txt"
"""


@pytest.fixture
def with_defaults(tmp_path: Path, settings: Settings, definitions_cache: Path, catalog: Catalog) -> Runner:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "note.txt").write_text("wired", "utf-8")
    write_pack(tmp_path / "plugins", "pack", DEFAULTS)
    found = load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path / "plugins"]))
    assert found.failures == []
    return Runner(settings, catalog=found)


@pytest.mark.parametrize(
    "written",
    [
        {"value": 1},
        {"value": 1.0},
        {"many": None},
        {"size": {"value": {}}},
        {"size": {"value": {"height": 2}}},
        {"size": {"value": {"width": 1.0}}},
    ],
)
def test_a_written_default_is_the_same_recipe(with_defaults: Runner, written: dict[str, Any]) -> None:
    with with_defaults as runner:
        left_out = runner.run(flow({"n": ("pack.numbers", {})}, {"r": "n.value"}))
        assert runner.prepare(flow({"n": ("pack.numbers", written)})).plan.keys["n"] == left_out.keys["n"]
        assert left_out.outputs["r"] == "1.0 None Size(width=1.0, height=2.0)"


def test_wires_and_values_mix_in_a_list_that_may_be_left_out(with_defaults: Runner, tmp_path: Path) -> None:
    note = tmp_path / "models" / "note" / "n.txt"
    note.parent.mkdir(parents=True)
    note.write_text("written", "utf-8")
    nodes = {
        "a": ("pack.texts", {"parts": ["one"]}),
        "f": ("pack.a_file", {}),
        "b": (
            "pack.texts",
            {"parts": [link("a.value"), "two"], "files": ["n.txt", link("f.file"), {"value": "n.txt"}]},
        ),
    }
    with with_defaults as runner:
        found = runner.prepare(flow(nodes))
        assert len(found.files) == 1
        assert runner.run(flow(nodes, {"r": "b.value"})).outputs["r"] == "one+two+written+wired+written"


def test_a_missing_file_among_wires_is_a_defect(with_defaults: Runner) -> None:
    nodes = {"f": ("pack.a_file", {}), "b": ("pack.texts", {"files": [link("f.file"), "gone.txt"]})}
    with with_defaults as runner, pytest.raises(InvalidWorkflow) as caught:
        runner.prepare(flow(nodes))
    [defect] = caught.value.defects
    assert (defect.code, defect.node, defect.input, defect.value) == ("missing_file", "b", "files", "gone.txt")


def test_the_length_of_a_list_is_checked_however_it_is_made(with_defaults: Runner) -> None:
    texts = {"t": ("pack.numbers", {}), "m": ("pack.many", {"count": 3})}
    with with_defaults as runner:
        for both in (["a", "b", "c"], [link("t.value")] * 3, [link("t.value")]):
            with pytest.raises(InvalidWorkflow, match=r"items; give at (least|most) 2"):
                runner.prepare(flow({**texts, "p": ("pack.pair", {"both": both})}))
        with pytest.raises(NodeFailed, match=r"it has 3 items; give at most 2"):
            runner.run(flow({**texts, "p": ("pack.pair", {"both": link("m.result")})}, {"r": "p.result"}))
        both = [link("t.value"), "b"]
        assert len(runner.run(flow({**texts, "p": ("pack.pair", {"both": both})}, {"r": "p.result"})).outputs["r"]) == 2


def test_checking_fills_in_every_input(catalog: Catalog) -> None:
    graph = check(flow({"n": ("number", {})}), catalog)
    assert graph.nodes["n"].sources == {"value": Written(0.0)}
