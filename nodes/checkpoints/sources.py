"""Where a tensor of a model lies in a file of another layout. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Source:
    """How one tensor is taken from a stored one.

    name: of the stored tensor. part: (i, n) takes the i-th of n equal pieces along axis 0. transpose: a matrix is
    stored with its axes swapped. shape: what the stored tensor is reshaped to.
    """

    name: str
    part: tuple[int, int] | None = None
    transpose: bool = False
    shape: tuple[int, ...] | None = None


def take(stored: Tensor, source: Source) -> Tensor:
    """The tensor that `source` describes; a view where that is possible."""
    if source.part is not None:
        index, count = source.part
        stored = stored.tensor_split(count)[index]
    if source.transpose:
        stored = stored.T
    return stored if source.shape is None else stored.reshape(source.shape)
