"""The header of a safetensors file: names, shapes and metadata, without reading a weight. Imports no torch.

A safetensors file is 8 bytes N (little-endian), N bytes of JSON, then the tensors' bytes without gaps. Whatever is
wrong with a file is found here and named, so that later steps can trust the header.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import (
    CheckpointError,
    CorruptHeader,
    EmptyCheckpoint,
    LfsPointer,
    NotACheckpoint,
    OverlappingTensors,
    PickleRefused,
    TruncatedCheckpoint,
    WebPage,
)

MAX_HEADER = 100_000_000
"""Bytes; the limit of the safetensors library."""

BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E4M3": 8, "F8_E4M3FNUZ": 8, "F8_E5M2": 8, "F8_E5M2FNUZ": 8, "F8_E8M0": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip
"""Bits per element of each dtype."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorEntry:
    """One tensor; `begin` and `end` count bytes from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a file says about itself."""

    path: Path
    tensors: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]

    def shapes(self, prefix: str = "") -> dict[str, tuple[int, ...]]:
        """The shapes of the tensors whose names begin with `prefix`, by the rest of their names."""
        return {name.removeprefix(prefix): each.shape for name, each in self.tensors.items() if name.startswith(prefix)}

    def parameters(self, prefix: str = "") -> int:
        """How many numbers there are in the tensors whose names begin with `prefix`."""
        return sum(math.prod(each.shape) for name, each in self.tensors.items() if name.startswith(prefix))

    def bytes(self) -> int:
        """Of all tensors."""
        return sum(each.end - each.begin for each in self.tensors.values())

    def precision(self) -> str:
        """The dtype that most of the numbers have, in torch's words where it has one."""
        counts: dict[str, int] = {}
        for each in self.tensors.values():
            counts[each.dtype] = counts.get(each.dtype, 0) + math.prod(each.shape)
        most = max(counts, key=lambda dtype: counts[dtype])
        return {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}.get(most, most)

    def prefixes(self) -> dict[str, int]:
        """How many tensors there are by the first part of their names."""
        found: dict[str, int] = {}
        for name in self.tensors:
            first = name.partition(".")[0]
            found[first] = found.get(first, 0) + 1
        return found


def read_header(path: Path) -> Header:
    """Read and check the header of a safetensors file.

    Raises the `CheckpointError` that names what is wrong.
    """
    if path.is_dir():
        raise NotACheckpoint(path, "it is a folder", "name the .safetensors file in it")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(512)
        _refuse_other_kinds(path, start, size)
        length = int.from_bytes(start[:8], "little")
        if length > MAX_HEADER or length < 2:
            raise NotACheckpoint(path, f"its header would be {length:,} bytes long, so it is no safetensors file")
        if 8 + length > size:
            raise TruncatedCheckpoint(path, f"its header is {length:,} bytes long, the whole file {size:,}")
        file.seek(8)
        text = file.read(length)
    document = _parse(path, text)
    metadata = document.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CorruptHeader(path, "its metadata are not texts by name")
    tensors = {name: _entry(path, name, value) for name, value in document.items()}
    _check_layout(path, tensors, size - 8 - length)
    return Header(path=path, tensors=tensors, metadata=metadata)


def _refuse_other_kinds(path: Path, start: bytes, size: int) -> None:
    if size == 0:
        raise EmptyCheckpoint(path, "the file is empty")
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06") or (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"):
        raise PickleRefused(path, "it is a Python pickle, which can run any program when it is opened")
    if start.startswith(b"version https://git-lfs"):
        raise LfsPointer(path, "it is a pointer to a file in git LFS, not the file")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise WebPage(path, "it is a web page, not a model")
    if start.startswith(b"GGUF"):
        raise NotACheckpoint(path, "it is a GGUF file")
    if size < 10:
        raise TruncatedCheckpoint(path, f"it has {size} bytes, fewer than any safetensors file")


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise NotACheckpoint(path, "its header does not begin as that of a safetensors file")
    try:
        document = json.loads(text, object_pairs_hook=_without_repeats)
    except RecursionError as error:
        raise CorruptHeader(path, "its header is nested too deeply") from error
    except ValueError as error:  # bad UTF-8 included
        raise CorruptHeader(path, f"its header is no JSON ({error})") from error
    if not isinstance(document, dict):
        raise CorruptHeader(path, "its header is no table")
    return document


def _without_repeats(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} occurs twice")
        found[name] = value
    return found


def _entry(path: Path, name: str, value: Any) -> TensorEntry:
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise CorruptHeader(path, f"the entry of {name!r} is not a dtype, a shape and offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if dtype not in BITS:
        raise CorruptHeader(path, f"{name!r} has the unknown dtype {dtype!r}")
    if not _naturals(shape):
        raise CorruptHeader(path, f"{name!r} has the shape {shape!r}")
    if not _naturals(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise CorruptHeader(path, f"{name!r} has the offsets {offsets!r}")
    begin, end = offsets
    if (end - begin) * 8 != math.prod(shape) * BITS[dtype]:
        raise CorruptHeader(path, f"{name!r} has {end - begin} bytes, which does not fit {dtype} {shape}")
    return TensorEntry(dtype=dtype, shape=tuple(shape), begin=begin, end=end)


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 2**63 for each in value)


def _check_layout(path: Path, tensors: Mapping[str, TensorEntry], available: int) -> None:
    """The tensors follow each other without gaps and fill the rest of the file exactly."""
    place, before = 0, ""
    for name, entry in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != place:
            what = "overlap" if entry.begin < place else "leave a gap between them"
            raise OverlappingTensors(path, f"{before or 'the header'!r} and {name!r} {what} at byte {entry.begin:,}")
        place, before = entry.end, name
    if place > available:
        raise TruncatedCheckpoint(path, f"{place - available:,} of {place:,} bytes of its weights are missing")
    if place < available:
        raise OverlappingTensors(path, f"{available - place:,} bytes at its end belong to no tensor")
    if not tensors:
        raise EmptyCheckpoint(path, "it holds no tensor")


__all__ = ["CheckpointError", "Header", "TensorEntry", "read_header"]
