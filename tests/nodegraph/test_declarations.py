"""`@node`: what a signature becomes, and what is said about wrong ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from nodegraph.catalog import Catalog
from nodegraph.declaration import describe_nodes
from nodegraph.definition import NodeDefinition
from nodegraph.errors import DeclarationError
from nodegraph.ports.types import (
    ChoiceType,
    Limits,
    ListType,
    ModelType,
    NoneType,
    PathType,
    ScalarType,
    UnionType,
    VariableType,
    WireType,
)
from nodegraph.ports.widgets import MAX_SEED, SeedWidget, Slider

HEAD = """
from __future__ import annotations
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from pydantic import BaseModel, Field
from nodegraph import Context, Multiline, PathOf, Seed, Slider, node, wire
T = TypeVar("T")
"""


@pytest.fixture
def module() -> Iterator[Callable[[str], ModuleType]]:
    """Makes a module from source, after the usual imports."""
    made: list[str] = []

    def make(source: str) -> ModuleType:
        name = f"declared_in_a_test_{len(made)}"
        found = ModuleType(name)
        sys.modules[name] = found
        made.append(name)
        exec(compile(HEAD + source, name, "exec"), vars(found))
        return found

    yield make
    for name in made:
        del sys.modules[name]


Make = Callable[[str], ModuleType]


def described(module: ModuleType) -> dict[str, NodeDefinition]:
    return {each.id: each for each in describe_nodes(module, pack="test")}


def mistakes(module: ModuleType) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        describe_nodes(module, pack="test")
    return list(caught.value.mistakes)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("int", ScalarType(kind="int")),
        ("bool", ScalarType(kind="bool")),
        ("Annotated[float, Field(gt=0, le=2.5)]", ScalarType(kind="float", limits=Limits(gt=0, le=2.5))),
        ("Annotated[str, Field(min_length=1, pattern='^a')]", ScalarType(kind="str", limits=Limits(min_length=1, pattern="^a"))),
        ("Annotated[int, Field(multiple_of=8)]", ScalarType(kind="int", limits=Limits(multiple_of=8))),
        ("Literal['a', 2, True]", ChoiceType(values=("a", 2, True))),
        ("Annotated[Path, PathOf('checkpoint')]", PathType(of="checkpoint")),
        ("int | None", UnionType(members=(ScalarType(kind="int"), NoneType()))),
        ("list[str | int]", ListType(item=UnionType(members=(ScalarType(kind="str"), ScalarType(kind="int"))))),
        ("Annotated[list[int], Field(max_length=3)]", ListType(item=ScalarType(kind="int"), limits=Limits(max_length=3))),
        ("T", VariableType(name="T")),
        ("list[Annotated[int, Field(ge=1)]]", ListType(item=ScalarType(kind="int", limits=Limits(ge=1)))),
    ],
)  # fmt: skip
def test_annotations_become_types(module: Make, annotation: str, expected: object) -> None:
    found = described(module(f"@node(category='t')\ndef f(x: {annotation}) -> int:\n    '''Doc.'''\n"))
    assert found["f"].inputs[0].type == expected


def test_enums_models_and_wire_classes(module: Make) -> None:
    made = module('''
class Mode(Enum):
    FAST = "fast"
    BEST = "best"

class Size(BaseModel):
    width: Annotated[int, Field(ge=8)]
    height: int = 16

@wire(portable=True)
@dataclass(frozen=True)
class Base:
    x: int

@wire(portable=True)
@dataclass(frozen=True)
class Derived(Base):
    pass

@node(category="t")
def f(mode: Mode, size: Size, thing: Derived, size2: Size = Size(width=8)) -> Derived:
    """Doc."""
''')
    ports = described(made)["f"].inputs_by_name
    assert ports["mode"].type == ChoiceType(values=("fast", "best"), enum=f"{made.__name__}:Mode")
    assert isinstance(ports["size"].type, ModelType)
    assert [(field.name, field.required, field.default) for field in ports["size"].type.fields] == [
        ("width", True, None),
        ("height", False, 16),
    ]
    assert ports["size2"].default == {"width": 8, "height": 16}
    assert ports["thing"].type == WireType(id=f"{made.__name__}.Derived", bases=(f"{made.__name__}.Base",))
    assert [port.name for port in described(made)["f"].outputs] == ["derived"]


def test_seeds_and_widgets(module: Make) -> None:
    source = "@node(category='t')\ndef f(seed: Seed = 1, x: Annotated[float, Slider(step=0.1)] | None = None) -> int:\n    '''Doc.'''\n"
    seed, x = described(module(source))["f"].inputs
    assert seed.type == ScalarType(kind="int", limits=Limits(ge=0, le=MAX_SEED))
    assert (seed.widget, x.widget) == (SeedWidget(), Slider(step=0.1))


def test_docs_outputs_and_options(module: Make) -> None:
    made = module('''
class Parts(NamedTuple):
    left: int
    right: list[str]

@node(category="a/b", version="3", id="cut", effect=True)
def f(x: int, y: float = 1, *, ctx: Context) -> Parts:
    """Cut in two.

    Longer help
    over two lines.

    x: where to cut,
      from the left.
    right: what remains.
    """

@node(category="t", output="sum", cache="never")
def g(x: int) -> int:
    """Doc"""
''')
    cut, g = described(made)["cut"], described(made)["g"]
    assert (cut.title, cut.doc, cut.version, cut.category) == ("Cut in two", "Longer help\nover two lines.", "3", "a/b")
    assert cut.inputs_by_name["x"].doc == "where to cut, from the left."
    assert [port.name for port in cut.inputs] == ["x", "y"]
    assert cut.outputs_by_name["right"].doc == "what remains."
    assert (cut.effect, cut.takes_context, g.cache, g.outputs[0].name) == (True, True, "never", "sum")


def test_lanes(module: Make) -> None:
    made = module("""
@node(category="t")
def plain(x: int) -> int:
    'Doc.'

@node(category="t", lane="io")
def reads(x: int) -> int:
    'Doc.'

@node(category="t")
async def waits(x: int) -> int:
    'Doc.'
""")
    assert {name: each.lane for name, each in described(made).items()} == {
        "plain": "device",
        "reads": "io",
        "waits": "io",
    }


def test_the_function_stays_a_function(module: Make) -> None:
    made = module("@node(category='t')\ndef double(x: int = 2) -> int:\n    '''Doc.'''\n    return 2 * x\n")
    assert made.double() == 4
    assert made.double(5) == 10


def test_all_mistakes_of_a_module_are_reported_at_once(module: Make) -> None:
    found = mistakes(
        module('''
class Plain:
    pass

@node(category="t")
def no_doc(x: int) -> int: ...

@node(category="t")
def several(*args: int, a, b: list, c: Plain, d: Path, e: dict[int, str], f: tuple[int, str]) -> complex:
    """Doc.

    z: nothing of this name.
    """

@node(category="Upper")
def defaults(x: Annotated[int, Field(ge=1)] = 0, y: int = "a", z: Literal["a"] = "b") -> int:
    """Doc."""

@node(category="t")
def unresolved(x: Missing) -> int:
    """Doc."""

@node(category="t")
def no_return(x: int):
    """Doc."""

@node(category="t", id="twice")
def one() -> int:
    """Doc."""

@node(category="t", id="twice")
def two() -> int:
    """Doc."""
''')
    )
    expected = [
        ("no_doc", "no docstring"), ("several", "*args, **kwargs"), ("several", "a: it has no type annotation"),
        ("several", "b: list must say what it holds"), ("several", "c: Plain is no port type; give its class @wire"),
        ("several", "d: a Path must say which kind"), ("several", "the keys of a dict must be str"),
        ("several", "use list[...], or a NamedTuple"), ("several", "complex is no port type"),
        ("several", "describes 'z', which is no input or output"), ("defaults", "category 'Upper'"),
        ("defaults", "x: its default 0 does not fit"), ("defaults", "y: its default 'a' does not fit"),
        ("defaults", "z: its default 'b' does not fit"), ("unresolved", "name 'Missing' is not defined"),
        ("no_return", "return type is not annotated"), ("two", "the id 'twice' is declared twice"),
    ]  # fmt: skip
    for function, words in expected:
        assert any(each.startswith(function) and words in each for each in found), (function, words, found)
    assert len(found) == len(expected)
    assert all("(line " in each for each in found)


def test_portable_classes_must_be_frozen(module: Make) -> None:
    with pytest.raises(TypeError, match="frozen=True"):
        module("@wire(portable=True)\n@dataclass\nclass Loose:\n    x: int\n")


def test_an_id_in_two_packs_is_refused(catalog: Catalog) -> None:
    one = catalog["number"]
    both = Catalog([one, one.model_copy(update={"pack": "other"})])
    assert len(both) == 1
    assert both["number"].pack == "toy"
    assert [str(each) for each in both.failures] == [
        "the node pack 'other' cannot be used: its node 'number' is already declared by another module or pack"
    ]


def test_every_definition_survives_json(catalog: Catalog) -> None:
    again = Catalog.from_json(catalog.to_json())
    assert dict(again) == dict(catalog)


def test_every_built_in_input_is_documented(catalog: Catalog) -> None:
    bare = [
        f"{node.id}.{port.name}"
        for node in catalog.values()
        if node.pack == "nodes"
        for port in node.inputs
        if not port.doc
    ]
    assert bare == []


def test_files_of_the_toy_pack_carry_no_prefix(catalog: Catalog) -> None:
    assert catalog["number"].module == "nodegraph_plugins.toy.numbers"
    assert Path(sys.modules["nodegraph"].__file__ or "").exists()
    assert catalog["number"].fingerprint
    assert catalog["number"].numeric == ()
