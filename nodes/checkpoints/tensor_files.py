"""Writing a safetensors file tensor by tensor, so that no more than one lies in memory beside the model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nodegraph.files import replacing
from nodegraph.ports.codec.tensors import raw

from .mapped import DTYPES

NAMES: Mapping[torch.dtype, str] = {dtype: name for name, dtype in DTYPES.items()}


class DoesNotFit(Exception):
    """Weights that the wanted dtype cannot hold. Carries the tensor's name."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A tensor to write. make: gives it, of that shape, when it is its turn; it is converted to the dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    make: Callable[[], Tensor]

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return math.prod(self.shape) * self.dtype.itemsize


def write_tensors(
    path: Path, tensors: Sequence[Written], metadata: Mapping[str, str], told: Callable[[int], None]
) -> None:
    """Write a file, whole or not at all; the same tensors and metadata give the same bytes.

    Wide numbers come first and the header is a multiple of 8 bytes long, so that the tensors can be mapped. told: is
    called with the bytes of each tensor that was written. Raises DoesNotFit.
    """
    ordered = sorted(tensors, key=lambda each: (-each.dtype.itemsize, each.name))
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    place = 0
    for each in ordered:
        about = {"dtype": NAMES[each.dtype], "shape": list(each.shape), "data_offsets": [place, place + each.size]}
        header[each.name] = about
        place += each.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for each in ordered:
            for part in _pieces(each):
                file.write(raw(part))
            told(each.size)


PIECE = 8_000_000
"""Numbers that are converted at once."""


def _pieces(each: Written) -> Iterator[Tensor]:
    """The numbers of a tensor in the wanted dtype."""
    value = each.make().detach()
    if tuple(value.shape) != each.shape:
        raise ValueError(f"{each.name} has the shape {tuple(value.shape)}, not {each.shape}")
    flat = value.contiguous().flatten()
    for start in range(0, len(flat), PIECE):
        converted = flat[start : start + PIECE].to("cpu", each.dtype)
        if not bool(torch.isfinite(converted).all()):
            raise DoesNotFit(each.name)
        yield converted
