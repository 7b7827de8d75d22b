"""Writing safetensors files tensor by tensor."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from nodes.checkpoints import tensor_files
from nodes.checkpoints.header import read_header
from nodes.checkpoints.tensor_files import DoesNotFit, Written, write_tensors


def tensor(name: str, value: Tensor, dtype: torch.dtype | None = None) -> Written:
    return Written(name=name, shape=tuple(value.shape), dtype=dtype or value.dtype, make=lambda: value)


@given(
    shapes=st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=6),
    dtypes=st.lists(st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64]), min_size=6),
)
def test_the_library_reads_what_is_written(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[list[int]], dtypes: list[torch.dtype]
) -> None:
    path = tmp_path_factory.mktemp("x") / "a.safetensors"
    generator = torch.Generator().manual_seed(0)
    values = {
        f"ä{i}": torch.randn(shape, generator=generator).to(dtype)
        for i, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=False))
    }
    write_tensors(path, [tensor(name, value) for name, value in values.items()], {"b": "é"}, lambda _: None)
    found = load_file(path)
    assert found.keys() == values.keys()
    assert all(torch.equal(found[name], value) and found[name].dtype is value.dtype for name, value in values.items())
    header = read_header(path)
    assert header.metadata == {"b": "é"}
    start = 8 + int.from_bytes(path.read_bytes()[:8], "little")
    sizes = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
    assert all((start + each.begin) % sizes[each.dtype] == 0 for each in header.tensors.values())


def test_only_one_tensor_lies_in_memory(tmp_path: Path) -> None:
    before: list[weakref.ref[Tensor]] = []

    def make() -> Tensor:
        assert all(each() is None for each in before)
        made = torch.rand(100)
        before.append(weakref.ref(made))
        return made

    written = [Written(name=str(i), shape=(100,), dtype=torch.float16, make=make) for i in range(5)]
    sizes: list[int] = []
    write_tensors(tmp_path / "a.safetensors", written, {}, sizes.append)
    assert len(before) == 5
    assert sizes == [200] * 5


def test_large_tensors_are_converted_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_files, "PIECE", 7)
    value = torch.rand(5, 6).t()
    write_tensors(tmp_path / "a.safetensors", [tensor("a", value, torch.float16)], {}, lambda _: None)
    assert torch.equal(load_file(tmp_path / "a.safetensors")["a"], value.half())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e6])
def test_what_does_not_fit_leaves_nothing_behind(tmp_path: Path, bad: float) -> None:
    with pytest.raises(DoesNotFit, match="b"):
        write_tensors(
            tmp_path / "a.safetensors",
            [tensor("a", torch.zeros(3), torch.float16), tensor("b", torch.tensor([bad]), torch.float16)],
            {},
            lambda _: None,
        )
    assert not list(tmp_path.iterdir())
