"""Plain and structured values survive encode, bytes and decode with every type and bit."""

import dataclasses
import enum
import json
import math
import struct
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr

from nodegraph.ports.codec import Encoded, NotPortable, StaleValue, Undecodable, decode, encode, pack, unpack
from nodegraph.ports.codec.encoding import Json


class Colour(enum.Enum):
    RED = "red"
    BLUE = 1


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Pair(NamedTuple):
    left: object
    right: object = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wire:
    value: object
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class SubWire(Wire):
    derived: int = dataclasses.field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "derived", 7)


@dataclasses.dataclass(frozen=True, slots=True)
class Growing:
    """A constructor that is not idempotent must not change what is read back."""

    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", self.count + 1)


@dataclasses.dataclass
class Mutable:
    value: int


class Settings(BaseModel):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)
    count: int
    name: str | None = None
    _secret: int = PrivateAttr(default=3)


def identical(left: object, right: object) -> bool:
    """Equality that also tells types, signs of zero and the bits of nan apart."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return struct.pack(">d", left) == struct.pack(">d", right)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(identical, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(map(identical, left.values(), right.values()))
    if dataclasses.is_dataclass(left):
        names = [field.name for field in dataclasses.fields(left)]
        return all(identical(getattr(left, name), getattr(right, name)) for name in names)
    if isinstance(left, BaseModel):
        left_state, right_state = ({**model.__getstate__()} for model in (left, right))
        names = "__pydantic_fields_set__"
        return left_state.pop(names) == right_state.pop(names) and identical(left_state, right_state)
    return left == right


def there_and_back(value: object) -> object:
    encoded = encode(value)
    through_json = Encoded(document=json.loads(json.dumps(encoded.document)), tensors=encoded.tensors)
    assert identical(decode(through_json), decode(unpack(pack(encoded))))
    return decode(through_json)


texts = st.text(st.characters(exclude_categories=["Cs"]))
any_floats = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack(">d", struct.pack(">Q", bits))[0])
atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**300), 2**300),
    st.sampled_from([2**53, 2**53 - 1, -(2**53), 1 - 2**53]),
    st.floats(),
    any_floats,
    texts,
    st.binary(),
    st.sampled_from([*Colour, *Level, *Word, *Access, Access.READ | Access.WRITE, Access(0)]),
)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(texts, inner, max_size=4),
        st.builds(Pair, inner, inner),
        st.builds(Wire, value=inner, scale=st.floats()),
        st.builds(SubWire, value=inner),
        st.builds(Settings, count=st.integers(), extra=inner),
    ),
    max_leaves=12,
)


@given(values)
def test_values_come_back_with_every_type_and_bit(value: object) -> None:
    assert identical(there_and_back(value), value)


@given(values, values)
def test_different_values_have_different_documents(left: object, right: object) -> None:
    same = json.dumps(encode(left).document) == json.dumps(encode(right).document)
    assert same == identical(left, right)


@pytest.mark.parametrize("value", [1, True, 1.0, "1", b"1", [1], (1,), {"1": 1}, None, "None", -0.0, 0.0, 0, Level.LOW])
def test_look_alikes_stay_what_they_are(value: object) -> None:
    assert identical(there_and_back(value), value)


def test_a_constructor_that_changes_its_fields_does_not_change_what_is_read() -> None:
    value = Growing(1)
    assert value.count == 2
    assert there_and_back(value) == value


def test_a_model_keeps_which_fields_were_set_its_extras_and_private_attributes() -> None:
    value = Settings(count=1, more=[1, (2,)])
    value._secret = 9
    back = there_and_back(value)
    assert isinstance(back, Settings)
    assert back.model_fields_set == {"count", "more"}
    assert back.model_extra == {"more": [1, (2,)]}
    assert back._secret == 9


def test_an_integer_longer_than_python_prints_comes_back() -> None:
    assert there_and_back(3**20_000) == 3**20_000


@dataclasses.dataclass(frozen=True)
class Holder:
    inside: object


class Odd(list):  # type: ignore[type-arg]
    pass


def local_class() -> object:
    @dataclasses.dataclass(frozen=True)
    class Local:
        value: int

    return Local(1)


@pytest.mark.parametrize(
    ("value", "where", "why"),
    [
        ({"a": [1, object()]}, "value.a[1]", "memory of one process"),
        (Holder(Pair(1, {1: 2})), "value.inside.right", "the key 1 is no string"),
        (Holder(Mutable(1)), "value.inside", "frozen=True"),
        ([{1, 2}], "value[0]", "memory of one process"),
        (Odd(), "value", "memory of one process"),
        (len, "value", "memory of one process"),
        (Colour, "value", "memory of one process"),
        ("\ud800", "value", "surrogate"),
        ({"\udfff": 1}, "value", "surrogate"),
        (local_class(), "value", "not found under its name"),
        (1j, "value", "memory of one process"),
    ],
)
def test_what_is_not_portable_is_refused_with_its_place(value: object, where: str, why: str) -> None:
    with pytest.raises(NotPortable) as caught:
        encode(value)
    assert caught.value.path == where
    assert why in str(caught.value)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(NotPortable, match="contains itself"):
        encode(loop)


def test_paths_come_back_while_their_file_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a file.bin"
    file.write_bytes(b"one")
    encoded = encode({"file": file})
    assert decode(encoded) == {"file": file}
    file.write_bytes(b"two")
    with pytest.raises(StaleValue, match="another content"):
        decode(encoded)
    file.unlink()
    with pytest.raises(StaleValue, match="cannot be read"):
        decode(encoded)


def test_paths_without_a_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotPortable, match="there is no file"):
            encode(path)


@pytest.mark.parametrize(
    "document",
    [
        [],
        [1],
        ["unknown", 1],
        ["float", "00"],
        ["float", "zz"],
        ["float"],
        ["int", 5],
        ["bytes", "?"],
        ["dict", "key"],
        ["dict", 1, 2],
        ["tensor", "0"],
        ["enum", f"{__name__}:Colour", "GREEN"],
        ["enum", f"{__name__}:Wire", "RED"],
        ["flag", f"{__name__}:Access", "nonsense"],
        ["dataclass"],
        ["dataclass", f"{__name__}:Wire", "value", 1],
        ["dataclass", f"{__name__}:Pair", "left", 1, "right", 2],
        ["dataclass", f"{__name__}:Missing"],
        ["dataclass", "no_such_module:Wire"],
        ["dataclass", "subprocess:Popen", "args", "true"],
        ["dataclass", "os:system", "command", "true"],
        ["named", f"{__name__}:Wire", "value", 1, "scale", 2],
        ["model", f"{__name__}:Settings", ["dict", "count", 1], None, ["list"], None],
        ["model", "builtins:dict", ["dict"], None, ["list"], None],
        ["path", "one"],
        {"a": 1},
        1.5,
    ],
)
def test_damaged_documents_are_refused(document: Json) -> None:
    with pytest.raises(Undecodable):
        decode(Encoded(document=document, tensors={}))


@given(values, st.data())
def test_damaged_bytes_never_crash(value: object, data: st.DataObject) -> None:
    whole = pack(encode(value))
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = data.draw(st.sampled_from([whole[:place], whole[:place] + b"\xff" + whole[place + 1 :], whole + b"\0"]))
    try:
        decode(unpack(broken))
    except (Undecodable, StaleValue):
        return


def test_the_bytes_are_pinned() -> None:
    """Caches hold these bytes: whoever changes them makes a new format."""
    value = {"a": [1, True, None, "é", 2**60], "b": (0.5, b"x", Colour.RED, Pair(1)), "c": Wire(value={})}
    written = (
        'nodegraph-value/1\n["dict","a",["list",1,true,null,"é",["int","0x1000000000000000"]],'
        '"b",["tuple",["float","3fe0000000000000"],["bytes","eA=="],["enum","{0}:Colour","RED"],'
        '["named","{0}:Pair","left",1,"right",0]],'
        '"c",["dataclass","{0}:Wire","value",["dict"],"scale",["float","3ff0000000000000"]]]'
    )
    assert pack(encode(value)).decode() == written.replace("{0}", __name__)


def test_nan_payloads_are_kept() -> None:
    quiet = struct.unpack(">d", bytes.fromhex("7ff8000000000123"))[0]
    back = there_and_back(quiet)
    assert isinstance(back, float)
    assert math.isnan(back)
    assert struct.pack(">d", back).hex() == "7ff8000000000123"


def test_plain_values_load_no_torch(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from nodegraph.execution.digests import FileDigests
from nodegraph.execution.store import DiskTier, MemoryTier, ResultStore
from nodegraph.ports.codec import content_hash, decode, encode, pack, size_in_bytes, unpack
value = {"a": [1, 2.5, (None, b"x"), "y"]}
assert decode(unpack(pack(encode(value)))) == value
content_hash(value), size_in_bytes(value)
folder = Path(sys.argv[1])
with FileDigests(folder) as digests, ResultStore(MemoryTier(0), DiskTier(folder, 10**6)) as store:
    store.put("0" * 64, {"a": value, "large": "x" * 50_000}, portable=True)
    store.put("1" * 64, value, portable=True)
    store.flush()
    assert store.get("1" * 64) == (value, "disk")
    assert store.get("0" * 64) == ({"a": value, "large": "x" * 50_000}, "disk")
    digests.digest(Path(__import__("os").__file__))
assert "torch" not in sys.modules and "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
