from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from nodes.checkpoints import errors
from nodes.checkpoints.errors import CheckpointError, InvalidMatch, NotAMatch
from nodes.checkpoints.families import FAMILIES
from nodes.checkpoints.family import find_family
from nodes.checkpoints.header import read_header
from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint

from .tiny import tiny_weights, write_checkpoint


def packed(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(begin: int, end: int, *shape: int, dtype: str = "U8") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


WRONG: dict[str, tuple[bytes, type[CheckpointError], str]] = {
    "empty": (b"", errors.EmptyCheckpoint, "empty"),
    "a few bytes": (b"\x02\0\0", errors.TruncatedCheckpoint, "3 bytes"),
    "torch zip": (b"PK\x03\x04" + bytes(100), errors.PickleRefused, "can run any program .*; convert it"),
    "pickle": (pickle.dumps({"a": 1}, protocol=4), errors.PickleRefused, "pickle"),
    "old pickle": (b"\x80\x02\x8a\nl\xfc" + bytes(100), errors.PickleRefused, "pickle"),
    "web page": (b"\n<!DOCTYPE html><html>Sign in</html>", errors.WebPage, "web page, .*needs a login"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", errors.LfsPointer, "git lfs pull"),
    "gguf": (b"GGUF" + bytes(60), errors.NotACheckpoint, "GGUF"),
    "absurd": (struct.pack("<Q", 2**62) + b"{}", errors.NotACheckpoint, "4,611,686,018,427,387,904 bytes long"),
    "text": (b"just some text, no model", errors.NotACheckpoint, "no safetensors file"),
    "half a header": (packed({"a": entry(0, 4, 4)})[:20], errors.TruncatedCheckpoint, "the whole file 20"),
    "no table": (packed(b"[1, 2]    "), errors.NotACheckpoint, "does not begin"),
    "no json": (packed(b'{"a": }   '), errors.CorruptHeader, "no JSON"),
    "no unicode": (packed(b'{"\xff": 1}'), errors.CorruptHeader, "no JSON"),
    "nested": (packed(b'{"a":' * 100_000), errors.CorruptHeader, "nested|no JSON"),
    "twice": (packed(b'{"a": {}, "a": {}}'), errors.CorruptHeader, "'a' occurs twice"),
    "metadata": (packed({"__metadata__": {"a": 1}}), errors.CorruptHeader, "texts by name"),
    "entry": (packed({"a": 3}), errors.CorruptHeader, "entry of 'a'"),
    "dtype": (packed({"a": entry(0, 1, 1, dtype="U7")}, b"1"), errors.CorruptHeader, "unknown dtype 'U7'"),
    "shape": (packed({"a": entry(0, 1, -1)}, b"1"), errors.CorruptHeader, "has the shape"),
    "bool shape": (packed({"a": {"dtype": "U8", "shape": [True], "data_offsets": [0, 1]}}, b"1"),
                   errors.CorruptHeader, "has the shape"),
    "offsets": (packed({"a": entry(4, 0, 4)}, b"1234"), errors.CorruptHeader, "has the offsets"),
    "size": (packed({"a": entry(0, 3, 4)}, b"123"), errors.CorruptHeader, "3 bytes, which does not fit U8"),
    "overlap": (packed({"a": entry(0, 4, 4), "b": entry(2, 6, 4)}, bytes(6)), errors.OverlappingTensors,
                "'a' and 'b' overlap at byte 2"),
    "gap": (packed({"a": entry(0, 4, 4), "b": entry(6, 10, 4)}, bytes(10)), errors.OverlappingTensors, "gap"),
    "truncated": (packed({"a": entry(0, 400, 400)}, bytes(100)), errors.TruncatedCheckpoint, "300 of 400 bytes"),
    "extra": (packed({"a": entry(0, 4, 4)}, bytes(9)), errors.OverlappingTensors, "5 bytes at its end"),
    "no tensor": (packed({}), errors.EmptyCheckpoint, "no tensor"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_each_defect_has_its_own_error(tmp_path: Path, name: str) -> None:
    content, kind, message = WRONG[name]
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(path)
    assert type(caught.value) is kind
    assert "'model.safetensors'" in str(caught.value)


def test_a_header_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x.y": torch.zeros(2, 3), "z": torch.zeros(0, dtype=torch.float16)}, path, {"k": "v"})
    header = read_header(path)
    assert header.metadata == {"k": "v"}
    assert {name: (each.dtype, each.shape) for name, each in header.tensors.items()} == {
        "x.y": ("F32", (2, 3)),
        "z": ("F16", (0,)),
    }
    assert header.shapes("x.") == {"y": (2, 3)}


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_give_a_header_or_a_checkpoint_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, framed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(packed(b"{" + content) if framed else content)
    with pytest.raises(CheckpointError):
        read_header(path)


def test_reading_headers_and_recognising_needs_no_torch(tiny_checkpoint: Path) -> None:
    code = (
        "import sys, pathlib; from nodes.checkpoints.header import read_header;"
        "from nodes.checkpoints.families import FAMILIES; from nodes.checkpoints.family import find_family;"
        "print(find_family(read_header(pathlib.Path(sys.argv[1])), FAMILIES)[0].name);"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_checkpoint)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "flow DiT" in done.stdout


def test_the_name_of_the_file_decides_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    other = tmp_path / "sd15-pruned.ckpt"
    other.write_bytes(tiny_checkpoint.read_bytes())
    assert load_checkpoint(other).denoiser.space.name == "icons"


def test_an_unknown_family_lists_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"model.a": torch.zeros(1), "model.b": torch.zeros(1), "vae.c": torch.zeros(1)}, path)
    with pytest.raises(errors.UnknownFamily, match=r"2 x model\.\*, 1 x vae\.\*"):
        load_checkpoint(path)
    with pytest.raises(NotAMatch):
        FAMILIES[0].recognise(read_header(path))


def test_two_families_that_recognise_one_file_are_an_error(tiny_checkpoint: Path) -> None:
    with pytest.raises(InvalidMatch, match="both"):
        find_family(read_header(tiny_checkpoint), FAMILIES + FAMILIES)


def test_loaded_weights_are_those_of_the_file(model: LoadedCheckpoint) -> None:
    tensors, _ = tiny_weights()
    state = model.denoiser.network.state_dict()
    assert state
    for name, value in state.items():
        assert value.dtype is torch.float32
        assert torch.equal(value, tensors[f"denoiser.{name}"].float())
    assert not any(each.requires_grad for each in model.denoiser.network.parameters())
    assert not model.denoiser.network.training


def test_the_random_state_is_left_alone(tiny_checkpoint: Path) -> None:
    before = torch.get_rng_state()
    load_checkpoint(tiny_checkpoint)
    assert torch.equal(before, torch.get_rng_state())


Tensors = dict[str, Tensor]
Metadata = dict[str, Any]

NAN = float("nan")

CHANGES: dict[str, tuple[Callable[[Tensors, Metadata], object], type[CheckpointError], str]] = {
    "nan": (lambda t, m: t["denoiser.patch_in.bias"].fill_(NAN), errors.DamagedWeights, "denoiser.patch_in.bias"),
    "missing": (lambda t, m: t.pop("denoiser.patch_in.bias"), errors.MissingTensors, "lacks denoiser.patch_in.bias"),
    "no encoder": (lambda t, m: [t.pop(k) for k in list(t) if k.startswith("text")], errors.MissingTensors, "text_enc"),
    "unknown": (lambda t, m: t.update({"denoiser.more": torch.zeros(1)}), errors.UnknownTensors, "denoiser.more"),
    "stranger": (lambda t, m: t.update({"ema.a": torch.zeros(1)}), errors.UnknownTensors, r"ema\.\*"),
    "shape": (lambda t, m: t.update({"denoiser.patch_in.bias": torch.zeros(5)}), errors.WrongShapes, r"\[5\] \(not"),
    "whole numbers": (lambda t, m: t.update({"denoiser.patch_in.bias": torch.zeros(32, dtype=torch.int8)}),
                      errors.WrongDtypes, "denoiser.patch_in.bias as int8; get the model in float32"),
    "complex": (lambda t, m: t.update({"denoiser.patch_in.bias": torch.zeros(32, dtype=torch.complex64)}),
                errors.WrongDtypes, "denoiser.patch_in.bias as complex64"),
    "a number": (lambda t, m: t.update({"denoiser.blocks.0.mlp.0.weight": torch.zeros(())}), errors.InvalidMatch,
                 "blocks.0.mlp.0.weight is missing or does not fit"),
    "no metadata": (lambda t, m: m.clear(), errors.InvalidMatch, "metadata are wrong at"),
    "prediction": (lambda t, m: m.update(parameterisation="eps"), errors.InvalidMatch, "at parameterisation"),
    "heads": (lambda t, m: m["denoiser"].update(heads=5), errors.InvalidMatch, "remainders of widths by heads"),
    "patch": (lambda t, m: m["denoiser"].update(patch=4), errors.InvalidMatch, "numbers in a token"),
    "scale": (lambda t, m: m["latent"].update(scale=[1.0, 0.0, 1.0, 1.0]), errors.InvalidMatch, "scales and shifts"),
    "channels": (lambda t, m: m["latent"].update(scale=[1.0]), errors.InvalidMatch, "latent channels"),
    "stray key": (lambda t, m: m["latent"].update(zoom=1), errors.InvalidMatch, "latent.zoom"),
    "empty axis": (lambda t, m: t.update({"denoiser.patch_in.weight": torch.zeros(0, 16)}), errors.InvalidMatch,
                   r"denoiser.patch_in.weight has the shape \[0, 16\]"),
    "groups": (lambda t, m: m["autoencoder"].update(groups=3), errors.InvalidMatch, "widths are multiples of 3 up to"),
    "wide": (lambda t, m: m["autoencoder"].update(widths=[8, 8 * 10**12]), errors.InvalidMatch, "widths are multiples"),
    "negative": (lambda t, m: m["autoencoder"].update(widths=[-8, 16]), errors.InvalidMatch, "widths are multiples"),
    "deep": (lambda t, m: m["autoencoder"].update(encoder_blocks=[10**12, 1]), errors.InvalidMatch, "does not hold"),
    "minus": (lambda t, m: m["autoencoder"].update(decoder_blocks=[-1, 1]), errors.InvalidMatch, "does not hold"),
    "other blocks": (lambda t, m: m["autoencoder"].update(decoder_blocks=[1, 2]), errors.MissingTensors, "lacks auto"),
    "tokenizer": (lambda t, m: m["text_encoder"].update(tokenizer="{}"), errors.InvalidMatch, "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_known_family_that_is_broken(tmp_path: Path, name: str) -> None:
    tensors, metadata = tiny_weights()
    change, kind, message = CHANGES[name]
    change(tensors, metadata)
    path = write_checkpoint(tmp_path / "a.safetensors", tensors, metadata)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(path)
    assert type(caught.value) is kind


def test_without_any_metadata(tmp_path: Path) -> None:
    save_file(tiny_weights()[0], tmp_path / "a.safetensors")
    with pytest.raises(InvalidMatch, match="have no 'nodegraph'"):
        load_checkpoint(tmp_path / "a.safetensors")


# real files, damaged


@pytest.fixture(scope="module")
def sound(tiny_checkpoint: Path) -> bytes:
    return tiny_checkpoint.read_bytes()


@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, sound: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.safetensors"
    length = data.draw(st.integers(0, len(sound) - 1))
    path.write_bytes(sound[:length])
    with pytest.raises(errors.EmptyCheckpoint if length == 0 else errors.TruncatedCheckpoint, match="again"):
        load_checkpoint(path)


@given(data=st.data())
def test_damage_to_the_header_is_named_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, sound: bytes, data: st.DataObject
) -> None:
    end = 8 + int.from_bytes(sound[:8], "little")
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.sampled_from(b'0159{}[],:"- \0\xff'))
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(content)
    with suppress(CheckpointError):
        load_checkpoint(path)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, sound: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(sound)
    header = read_header(path)
    path.write_bytes(sound[:1_000])
    monkeypatch.setattr("nodes.checkpoints.specs.read_header", lambda _: header)
    with pytest.raises(errors.DamagedWeights, match="its weights cannot be read"):
        load_checkpoint(path)


class Trap:
    """A pickle of it makes a folder when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def torch_saved(value: object, **options: Any) -> bytes:
    target = BytesIO()
    torch.save(value, target, **options)
    return target.getvalue()


PICKLES: dict[str, Callable[[object], bytes]] = {
    **{f"protocol {each}": partial(pickle.dumps, protocol=each) for each in range(pickle.HIGHEST_PROTOCOL + 1)},
    "torch": torch_saved,
    "torch of old": partial(torch_saved, _use_new_zipfile_serialization=False),
}


@pytest.mark.parametrize("name", PICKLES)
@pytest.mark.parametrize("suffix", ["safetensors", "ckpt", "pt", "bin"])
def test_no_pickle_is_ever_opened(tmp_path: Path, name: str, suffix: str) -> None:
    trap = tmp_path / "sprung"
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(PICKLES[name](Trap(trap)))
    old = name in ("protocol 0", "protocol 1")  # plain text or nearly so, without a sign of its kind
    with pytest.raises(errors.NotACheckpoint if old else errors.PickleRefused, match="safetensors"):
        load_checkpoint(path)
    assert not trap.exists()
    unpickle = pickle.load if name.startswith("protocol") else partial(torch.load, weights_only=False)
    unpickle(BytesIO(path.read_bytes()))
    assert trap.exists(), "the trap itself does not work"


FOREIGN = {
    "Flux": ["double_blocks.0.img_attn.qkv.weight", "single_blocks.0.linear1.weight", "img_in.weight"],
    "LoRA": ["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"],
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_other_models_are_told_apart_by_what_they_hold(tmp_path: Path, name: str) -> None:
    path = tmp_path / "icons.safetensors"
    save_file({key: torch.zeros(2) for key in FOREIGN[name]}, path)
    with pytest.raises(errors.UnknownFamily, match=r"no known model has its tensors .*a plugin may know") as caught:
        load_checkpoint(path)
    for key in FOREIGN[name]:
        assert f"1 x {key.partition('.')[0]}.*" in str(caught.value)
