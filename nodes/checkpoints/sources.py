"""Where the weights of a network lie in a file of another layout. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Source:
    """What one weight is made of.

    name: of the stored tensor. part: (i, n), the i-th of n equal pieces along axis 0. transpose: 2-D transposed.
    shape: reshaped to it.
    """

    name: str
    part: tuple[int, int] | None = None
    transpose: bool = False
    shape: tuple[int, ...] | None = None


def take(tensor: Tensor, source: Source) -> Tensor:
    """What `source` says of the stored tensor: cut, then transposed, then reshaped; it may share its memory.

    Raises ValueError where the tensor cannot be cut, transposed or reshaped so.
    """
    shape = list(tensor.shape)
    if source.part is not None:
        index, count = source.part
        if not shape or shape[0] % count or not 0 <= index < count:
            raise ValueError(f"{source.name} of shape {shape} has no piece {index} of {count}")
        step = shape[0] // count
        tensor = tensor[index * step : (index + 1) * step]
    if source.transpose:
        if tensor.ndim != 2:
            raise ValueError(f"{source.name} of shape {shape} is no matrix to transpose")
        tensor = tensor.t()
    if source.shape is not None:
        try:
            tensor = tensor.reshape(source.shape)
        except RuntimeError as error:
            raise ValueError(f"{source.name} of shape {shape} does not fit {list(source.shape)}") from error
    return tensor.contiguous()


def taken_shape(source: Source, stored: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what `take` gives of a tensor of shape `stored`."""
    if source.part is not None:
        stored = (stored[0] // source.part[1], *stored[1:])
    if source.transpose:
        stored = stored[::-1]
    return stored if source.shape is None else source.shape
