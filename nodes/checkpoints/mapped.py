"""The bytes of a checkpoint: read through a buffer where they are converted, mapped into memory where they are not.

Mapped weights cost no copy: however many models and processes use a file, it lies in memory once. The price is that
whoever writes into the file writes into the model; so the file is looked at before each use.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from pathlib import Path

import torch
from torch import Tensor

from .errors import CheckpointChanged, DamagedWeights
from .header import TensorEntry

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool, "C64": torch.complex64,
}  # fmt: skip
"""Torch's name of each dtype; files may hold others, which no model here has."""

PIECE = 4 << 20
"""Bytes that are read and converted at a time."""


class CheckpointFile:
    """An open safetensors file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb", buffering=0)
        self.close = weakref.finalize(self, self._file.close)
        """Closes the file, at the latest when nothing uses it any more; what is mapped stays mapped."""
        self._start = 8 + int.from_bytes(self._file.read(8), "little")
        self._buffers = threading.local()
        self._identity = _identity(self._file.fileno())
        self._opening = threading.Lock()
        self._map: mmap.mmap | None = None

    def read(self, name: str, entry: TensorEntry) -> Tensor:
        """A tensor in the thread's buffer, which the thread's next call overwrites."""
        return self._tensor(name, entry, self._filled(name, entry.begin, entry.end), 0)

    def convert(self, name: str, entry: TensorEntry, dtype: torch.dtype) -> Tensor:
        """A tensor in another dtype, read and converted piece by piece, each of which stays in the cache."""
        stored = _dtype(self.path, name, entry)
        made = torch.empty(entry.shape, dtype=dtype)
        flat = made.view(-1)
        count = PIECE // stored.itemsize
        for first in range(0, flat.numel(), count):
            some = flat[first : first + count]
            begin = entry.begin + first * stored.itemsize
            buffer = self._filled(name, begin, begin + len(some) * stored.itemsize)
            some.copy_(torch.frombuffer(buffer, dtype=stored, count=len(some)))
        return made

    def _filled(self, name: str, begin: int, end: int) -> bytearray:
        """The thread's buffer with bytes of the file's data at its start."""
        size = end - begin
        buffer: bytearray = getattr(self._buffers, "buffer", bytearray())
        if size > len(buffer):
            buffer = self._buffers.buffer = bytearray(size)
        view = memoryview(buffer)[:size]
        done = 0
        while done < size:
            count = self._read_at(view[done:], self._start + begin + done)
            if not count:
                raise DamagedWeights(self.path, f"its weights cannot be read (the file ends within {name})")
            done += count
        return buffer

    def _read_at(self, into: memoryview, place: int) -> int:
        """How many bytes were read; threads do not disturb each other."""
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [into], place)
        with self._opening:  # Windows
            self._file.seek(place)
            return self._file.readinto(into) or 0

    def map(self, name: str, entry: TensorEntry) -> Tensor:
        """A tensor that lies in the file; writing to it writes to a copy of the page."""
        with self._opening:
            if self._map is None:
                self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)
        if self._start + entry.end > len(self._map):
            raise DamagedWeights(self.path, f"its weights cannot be read (the file ends within {name})")
        return self._tensor(name, entry, self._map, self._start + entry.begin)

    def check(self) -> None:
        """Raise CheckpointChanged where the file at the path is not what it was when it was opened."""
        size, modified, changed, links = _identity(self._file.fileno())
        before = self._identity
        same = (size, modified) == before[:2] and (changed == before[2] or links == 0)  # a file without a name is safe
        if not same:
            raise CheckpointChanged(self.path, "it was written to while its model was in use")

    def _tensor(self, name: str, entry: TensorEntry, buffer: bytearray | mmap.mmap, offset: int) -> Tensor:
        dtype = _dtype(self.path, name, entry)
        count = (entry.end - entry.begin) // dtype.itemsize
        if count == 0:
            return torch.empty(entry.shape, dtype=dtype)
        if offset % dtype.itemsize:  # allowed by the format, not by torch
            raw = torch.frombuffer(buffer, dtype=torch.uint8, offset=offset, count=entry.end - entry.begin)
            return raw.clone().view(dtype).reshape(entry.shape)
        return torch.frombuffer(buffer, dtype=dtype, offset=offset, count=count).reshape(entry.shape)


def _dtype(path: Path, name: str, entry: TensorEntry) -> torch.dtype:
    dtype = DTYPES.get(entry.dtype)
    if dtype is None:
        raise DamagedWeights(path, f"its weights cannot be read ({name} is stored as {entry.dtype})")
    return dtype


def _identity(file: int) -> tuple[int, int, int, int]:
    """Size, the times of the last changes of content and inode, and how many names there are."""
    found = os.fstat(file)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_nlink
