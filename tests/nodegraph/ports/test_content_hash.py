"""Content hashes: equal exactly where content and types are, for portable and resident values."""

import dataclasses
import hashlib
import math
import struct
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given
from torch import nn

from nodegraph.ports.codec import NotHashable, content_hash, size_in_bytes

from .test_codec_values import Access, Colour, Level, Mutable, Pair, Settings, SubWire, Wire, identical, values


@given(values, values)
def test_hashes_are_equal_exactly_where_values_are(left: object, right: object) -> None:
    assert (content_hash(left) == content_hash(right)) == identical(left, right)


def test_look_alikes_differ() -> None:
    tensor = torch.zeros(2, 3)
    alike: list[object] = [
        1, True, 1.0, "1", b"1", [1], (1,), {"1": 1}, [[1]], [1, 1], ["11"], ["1", "1"], ((1,), 1), (1, (1,)),
        None, "None", 0, False, 0.0, -0.0, "", b"", [], (), {}, {"a": 1, "b": 2}, {"b": 2, "a": 1},
        Level.LOW, Colour.BLUE, Colour.RED, "red", Access.READ, Pair(1, 0), (1, 0), Wire(value=1), SubWire(value=1),
        Mutable(1), Settings(count=1), Settings(count=1, name=None), Wire, Mutable, len, max,
        tensor, tensor.double(), tensor.T, tensor.flatten(), tensor.int(), torch.zeros(0), torch.zeros(0, 1), -tensor,
        torch.float32, torch.float64, "torch.float32", torch.device("cpu"), math.sin, math.cos,
        partial(math.sin), partial(math.sin, 1.0), partial(max, 1, key=abs), partial(max, 1),
    ]  # fmt: skip
    hashes = [content_hash(value) for value in alike]
    assert len(set(hashes)) == len(alike)


def test_views_and_copies_are_equal() -> None:
    base = torch.arange(12.0).reshape(3, 4)
    assert content_hash(base.T) == content_hash(base.T.contiguous())
    assert content_hash(base[1:]) == content_hash(base[1:].clone())


def test_a_changed_bit_is_seen() -> None:
    tensor = torch.zeros(1000, dtype=torch.bfloat16)
    before = content_hash(tensor)
    tensor[517] = -0.0
    assert content_hash(tensor) != before


class Attention(nn.Module):
    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inner = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1))
        self.register_buffer("table", torch.arange(3), persistent=False)


def network(heads: int = 2) -> Attention:
    torch.manual_seed(0)
    return Attention(heads)


def test_networks_are_equal_by_class_settings_and_weights() -> None:
    before = content_hash(network())
    assert content_hash(network()) == before
    assert content_hash(network().eval()) == before
    changed = network()
    with torch.no_grad():
        changed.inner[0].bias[3] += 1
    table = network()
    table.table[0] = 5
    dropout = network()
    dropout.inner[1].p = 0.2
    others = [network(heads=4), changed, table, dropout, network().double(), network().inner]
    assert len({before, *map(content_hash, others)}) == 1 + len(others)


@dataclasses.dataclass
class Guider:
    network: nn.Module
    activation: object


def test_resident_dataclasses_are_equal_by_fields() -> None:
    assert content_hash(Guider(network(), torch.relu)) == content_hash(Guider(network(), torch.relu))
    assert content_hash(Guider(network(), torch.relu)) != content_hash(Guider(network(), torch.tanh))


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 1, 1j, iter([]), "\ud800", torch.ones(1, device="meta")])
def test_what_has_no_content_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(NotHashable) as caught:
        content_hash({"a": [0, value]})
    assert caught.value.path == "value.a[1]"


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(NotHashable, match="contains itself"):
        content_hash(loop)


def test_paths_count_as_the_content_of_their_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("same")
    two.write_text("same")
    assert content_hash(one) == content_hash(two)
    two.write_text("other")
    assert content_hash(one) != content_hash(two)
    with pytest.raises(NotHashable, match="cannot be read"):
        content_hash(tmp_path / "none")


def test_hashes_are_the_same_in_every_process() -> None:
    script = "from nodegraph.ports.codec import content_hash; print(content_hash({'a': [1, 'x', (2.5, None)]}))"
    there = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()
    written = b"dict 1:1str 1:alist 1:3int 1:1str 1:xtuple 1:2float 8:%snone 0:"
    expected = hashlib.sha256(written % struct.pack(">d", 2.5)).hexdigest()
    assert there == content_hash({"a": [1, "x", (2.5, None)]}) == expected


def test_size_counts_each_storage_once_and_whole() -> None:
    base = torch.zeros(1000, 1000)
    size = size_in_bytes(base)
    assert size >= base.nbytes
    assert size_in_bytes([base, base[:10], base.T, {"again": base}]) < size + 2000
    assert size_in_bytes(base[:1]) >= base.nbytes
    assert size_in_bytes(Wire(value=base)) >= base.nbytes
    assert size_in_bytes(Pair(base, base.clone())) >= 2 * base.nbytes
    assert size_in_bytes(partial(max, base)) >= base.nbytes
    assert size_in_bytes(torch.zeros(1000, 1000, device="meta")) < 2000


def test_size_of_a_network_counts_parameters_and_buffers() -> None:
    layer = nn.BatchNorm1d(10_000)
    least = sum(tensor.nbytes for tensor in [*layer.parameters(), *layer.buffers()])
    assert least <= size_in_bytes(Guider(layer, None)) < least + 50_000


def test_size_of_a_value_that_contains_itself_ends() -> None:
    loop: list[object] = ["x" * 1000]
    loop.append(loop)
    assert 1000 < size_in_bytes(loop) < 2000
