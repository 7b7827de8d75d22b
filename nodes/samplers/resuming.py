"""Samplings that stop between two steps and go on there, bit by bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..types import State


@dataclass(frozen=True, kw_only=True)
class Place:
    """How a tensor lay in memory, which decides about the last bits of what is computed from it.

    device: its type, such as cuda. strides: of its numbers, in numbers.
    """

    device: str
    strides: tuple[int, ...]

    @classmethod
    def of(cls, x: Tensor) -> Place:
        """Strides are those of a copy: what is not dense becomes contiguous."""
        return cls(device=x.device.type, strides=torch.empty_like(x, device="meta").stride())

    def again(self, x: Tensor, device: torch.device) -> Tensor:
        """`x` as it lay before; `device` is meant by its type."""
        where = device if self.device == device.type else torch.device(self.device)
        return torch.empty_strided(x.shape, self.strides, dtype=x.dtype, device=where).copy_(x)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reached:
    """How far a sampling has come.

    step: the next. state: before it. places: of the state's tensors, in the order of its fields.
    """

    step: int
    state: State
    places: tuple[Place, ...]

    @classmethod
    def of(cls, step: int, state: State) -> Reached:
        """Before step number `step`."""
        places: list[Place] = []

        def note(x: Tensor) -> Tensor:
            places.append(Place.of(x))
            return x

        _each_tensor(state, note)
        return cls(step=step, state=state, places=tuple(places))

    def again(self, device: torch.device) -> State:
        """The state with its tensors where they were; `device`: the guider's."""
        places: Iterator[Place] = iter(self.places)
        found = _each_tensor(self.state, lambda x: next(places).again(x, device))
        assert isinstance(found, State)
        return found


def _each_tensor(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A value with every tensor in it changed."""
    if isinstance(value, Tensor):
        return change(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **{name: _each_tensor(part, change) for name, part in parts.items()})
    if isinstance(value, tuple):
        items = [_each_tensor(part, change) for part in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value
