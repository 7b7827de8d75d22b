"""Weights from a file into modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .errors import CheckpointError, DamagedWeights, MissingTensors, UnknownTensors, WrongDtypes, WrongShapes
from .family import Device
from .header import read_header
from .mapped import DTYPES, CheckpointFile
from .sources import Source, take

M = TypeVar("M", bound=nn.Module)

MAPPED_FROM = 256_000_000
"""Bytes of the smallest file that is mapped; smaller ones are copied, so that they may change or go."""

CONVERTED = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
"""Dtypes of tensors that are converted while they are read."""

READERS = 4
"""Threads that read a file at most: much of the time goes into pages that are touched for the first time."""


class Weights(dict[str, Tensor]):
    """Tensors by name. files: those that some of them lie in, being mapped."""

    files: tuple[CheckpointFile, ...] = ()


def read_weights(path: Path, device: Device, plan: Mapping[str, Source] | None = None) -> Weights:
    """Tensors of a checkpoint, floating ones in the wanted dtype.

    plan: which tensors, and where they lie in the file; None takes all as they are. What has to be converted or moved
    goes through a buffer per thread, tensor by tensor; what a large file holds as it is wanted stays there, mapped.
    Raises DamagedWeights where a weight is NaN or infinite, does not fit the dtype, or cannot be read.
    """
    try:
        header = read_header(path)
    except CheckpointError as error:  # it was sound when the family was found
        raise DamagedWeights(path, f"its weights cannot be read ({error.reason})") from error
    found = Weights()
    file = CheckpointFile(path)
    wanted: torch.dtype = getattr(torch, device.dtype)
    mappable = device.device == "cpu" and header.bytes() >= MAPPED_FROM

    def one(source: Source) -> tuple[Tensor, bool, bool]:
        """The tensor, whether it is finite, and whether it is mapped."""
        entry = header.tensors.get(source.name)
        if entry is None:
            raise MissingTensors(path, f"it lacks {source.name}")
        mapped = mappable and DTYPES.get(entry.dtype) is wanted
        if mapped:
            value = take(file.map(source.name, entry), source).contiguous()
        elif device.device == "cpu" and source.part is None and DTYPES.get(entry.dtype) in CONVERTED:
            value = take(file.convert(source.name, entry, wanted), source)
        else:
            value = _converted(take(file.read(source.name, entry), source), device.device, wanted)
        return value, _finite(value), mapped

    chosen = plan or {each: Source(each) for each in header.tensors}
    bad: list[str] = []
    with ThreadPoolExecutor(max(1, min(READERS, torch.get_num_threads()))) as pool:
        for (name, source), (value, finite, mapped) in zip(chosen.items(), pool.map(one, chosen.values()), strict=True):
            found[name] = value
            if mapped:
                found.files = (file,)
            if not finite:
                bad.append(source.name)
    if not found.files:
        file.close()
    if bad:
        raise DamagedWeights(path, f"{_some(bad)} hold NaN or infinite weights (as {device.dtype})")
    return found


def _converted(stored: Tensor, device: str, dtype: torch.dtype) -> Tensor:
    """A copy, in the wanted dtype where it holds real numbers."""
    to = dtype if stored.is_floating_point() else stored.dtype
    return stored.to(device, to, copy=True, memory_format=torch.contiguous_format)


def _finite(value: Tensor) -> bool:
    """Looks at each number only where the sum is not finite, which a sum of finite ones may also be."""
    if not value.is_floating_point() or not value.numel():
        return True
    return bool(torch.isfinite(value.sum())) or bool(value.isfinite().all())


def check_names(path: Path, expected: Iterable[str], present: Iterable[str]) -> None:
    """Every expected tensor is there and nothing else is."""
    wanted, there = set(expected), set(present)
    if missing := sorted(wanted - there):
        raise MissingTensors(path, f"it lacks {_some(missing)}")
    if unknown := sorted(there - wanted):
        raise UnknownTensors(path, f"it holds {_some(unknown)}, which the model does not have")


class _WithoutValues(TorchFunctionMode):
    """Leaves out filling new tensors, whose memory is then never touched.

    The meta device would do as well, but what little arithmetic constructors do on it loads torch's compiler: seconds.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if getattr(func, "__module__", "") == "torch.nn.init" or name in ("normal_", "uniform_", "zero_", "fill_"):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def build(path: Path, make: Callable[[], M], weights: Mapping[str, Tensor], prefix: str) -> M:
    """A module made by `make`, without drawing random weights first, holding the weights below `prefix`.

    The module is in evaluation mode and asks for no gradients. Raises MissingTensors, UnknownTensors, WrongShapes or
    WrongDtypes.
    """
    with torch.random.fork_rng(devices=[]), _WithoutValues():
        module = make()
    expected = module.state_dict()
    state = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    check_names(path, (f"{prefix}{name}" for name in expected), (f"{prefix}{name}" for name in state))
    wrong = [
        f"{prefix}{name} {list(state[name].shape)} (not {list(value.shape)})"
        for name, value in expected.items()
        if state[name].shape != value.shape
    ]
    if wrong:
        raise WrongShapes(path, f"it holds {_some(wrong)}")
    other = [
        f"{prefix}{name} as {str(state[name].dtype).removeprefix('torch.')}"
        for name, value in expected.items()
        if state[name].is_floating_point() != value.is_floating_point()
    ]
    if other:
        raise WrongDtypes(path, f"it holds {_some(other)}")
    module.load_state_dict(state, assign=True)
    if isinstance(weights, Weights) and weights.files:
        _check_before_use(module, weights.files)
    return module.requires_grad_(False).eval()


def _check_before_use(module: nn.Module, files: Sequence[CheckpointFile]) -> None:
    """Whenever a layer is called: a microsecond each, and reading a page that a file has lost ends the process."""

    def check(*_: object) -> None:
        for file in files:
            file.check()

    for each in module.modules():
        if each is module or next(each.parameters(recurse=False), None) is not None:
            each.register_forward_pre_hook(check)


def _some(names: list[str], limit: int = 5) -> str:
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
