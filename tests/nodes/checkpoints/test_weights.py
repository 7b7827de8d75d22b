"""Reading weights: in pieces, by several threads, with the bits that converting a tensor at once gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nodes.checkpoints import mapped
from nodes.checkpoints.errors import DamagedWeights
from nodes.checkpoints.family import Device
from nodes.checkpoints.sources import Source
from nodes.checkpoints.weights import read_weights

STORED = ("float32", "float16", "bfloat16", "float64")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small tensors have several."""
    monkeypatch.setattr(mapped, "PIECE", 64)


@pytest.fixture
def three_threads() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_pieces_give_the_bits_of_the_whole(tmp_path: Path, stored: str, wanted: str) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = {f"w{index}": (index + 1, 7, 3) for index in range(20)} | {"scalar": (), "none": (0, 4)}
    tensors = {
        name: torch.randn(shape, generator=generator).to(getattr(torch, stored)) for name, shape in shapes.items()
    }
    tensors["steps"] = torch.arange(100)
    save_file(tensors, tmp_path / "w.safetensors")
    found = read_weights(tmp_path / "w.safetensors", Device("cpu", wanted))
    assert list(found) == list(read_weights(tmp_path / "w.safetensors", Device("cpu", stored)))
    for name, tensor in tensors.items():
        expected = tensor.to(getattr(torch, wanted)) if tensor.is_floating_point() else tensor
        assert found[name].dtype == expected.dtype
        assert torch.equal(found[name], expected)


@pytest.mark.usefixtures("three_threads")
def test_plans_cut_turn_and_rename(tmp_path: Path) -> None:
    fused = torch.arange(24.0).reshape(6, 4)
    save_file({"fused": fused, "plain": fused + 1}, tmp_path / "w.safetensors")
    plan = {
        "k": Source("fused", part=(1, 3)),
        "turned": Source("fused", transpose=True),
        "shaped": Source("plain", shape=(6, 4, 1, 1)),
        "again": Source("plain"),
    }
    found = read_weights(tmp_path / "w.safetensors", Device("cpu", "bfloat16"), plan)
    assert list(found) == list(plan)
    assert torch.equal(found["k"].float(), fused[2:4])
    assert torch.equal(found["turned"].float(), fused.T)
    assert torch.equal(found["shaped"].float().flatten(), fused.flatten() + 1)
    assert torch.equal(found["again"].float(), fused + 1)


@pytest.mark.parametrize(("value", "wanted"), [(float("nan"), "bfloat16"), (float("inf"), "float32"), (1e6, "float16")])
def test_a_weight_in_the_last_piece_is_looked_at(tmp_path: Path, value: float, wanted: str) -> None:
    bad = torch.zeros(1000)
    bad[-1] = value
    save_file({"good": torch.zeros(1000), "bad": bad}, tmp_path / "w.safetensors")
    with pytest.raises(DamagedWeights, match="bad hold NaN or infinite"):
        read_weights(tmp_path / "w.safetensors", Device("cpu", wanted))


def test_a_file_that_ends_early_is_refused_by_the_thread_that_reads_there(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({name: torch.zeros(1000) for name in "abcdef"}, path)
    file = mapped.CheckpointFile(path)
    from nodes.checkpoints.header import read_header

    entry = read_header(path).tensors["f"]
    with path.open("r+b") as opened:
        opened.truncate(path.stat().st_size - 2000)
    with pytest.raises(DamagedWeights, match="ends within f"):
        file.convert("f", entry, torch.bfloat16)
