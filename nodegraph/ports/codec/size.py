"""How much memory a value holds: tensor storages exactly and once each, an estimate for the rest."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, TypeAlias

from .tensors import is_module, is_tensor

if TYPE_CHECKING:
    import torch

StorageId: TypeAlias = tuple[str, int]

LEAVES = (str, bytes, int, float, complex, type, ModuleType, CodeType, BuiltinFunctionType, FunctionType)
MOST_OBJECTS = 1_000_000
"""Where a value reaches more objects than this, the rest is not estimated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """Memory held by a value.

    storages: bytes of each tensor storage by its identity, which is valid as long as the value lives. Values that share
        a storage name the same identity.
    other: estimated bytes of everything else.
    """

    storages: Mapping[StorageId, int]
    other: int

    @property
    def total(self) -> int:
        """All bytes."""
        return self.other + sum(self.storages.values())


def size_in_bytes(value: object) -> int:
    """Return the memory that a value holds: every tensor storage once, whole, and an estimate for the rest."""
    return footprint(value).total


def footprint(value: object) -> Footprint:
    """Return the memory that a value holds, storage by storage."""
    storages: dict[StorageId, int] = {}
    other = 0
    seen: set[int] = set()
    waiting: list[object] = [value]
    while waiting and len(seen) < MOST_OBJECTS:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        other += sys.getsizeof(item, 64)
        if is_tensor(item):
            identity, size = _storage(item)
            storages[identity] = size
        elif not isinstance(item, LEAVES):
            waiting.extend(_parts(item))
    return Footprint(storages=storages, other=other)


def _parts(item: object) -> Iterator[object]:
    if isinstance(item, dict):
        yield from tuple(item)
        yield from tuple(item.values())
    elif isinstance(item, list | tuple | set | frozenset):
        yield from item
    elif is_module(item):
        yield from item.parameters()
        yield from item.buffers()
        yield from (vars(module) for module in item.modules())
    else:
        if isinstance(item, partial | MethodType):
            yield from (item.func, item.args, item.keywords) if isinstance(item, partial) else (item.__self__,)
        yield from tuple(getattr(item, "__dict__", {}).values())
        for kind in type(item).__mro__:
            slots = vars(kind).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                yield getattr(item, name, None)


def _storage(tensor: "torch.Tensor") -> tuple[StorageId, int]:
    try:
        storage = tensor.untyped_storage()
        size = 0 if tensor.is_meta else storage.nbytes()
        return (str(storage.device), storage.data_ptr() or -id(tensor)), size
    except (NotImplementedError, RuntimeError):  # sparse and other tensors without one storage
        return ("without storage", id(tensor)), tensor.numel() * tensor.element_size()
