"""Weights from a file into modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .errors import DamagedWeights, MissingTensors, UnknownTensors, WrongDtypes, WrongShapes
from .family import Device

M = TypeVar("M", bound=nn.Module)


def read_weights(path: Path, device: Device) -> dict[str, Tensor]:
    """All tensors of a checkpoint, floating ones in the wanted dtype. The file is mapped into memory, not copied first.

    Raises DamagedWeights where a weight is NaN or infinite, does not fit the dtype, or cannot be read.
    """
    try:
        return _read_weights(path, device)
    except SafetensorError as error:  # the header was sound, so the file has changed since, or torch lacks a dtype
        raise DamagedWeights(path, f"its weights cannot be read ({error})") from error


def _read_weights(path: Path, device: Device) -> dict[str, Tensor]:
    dtype = getattr(torch, device.dtype)
    found: dict[str, Tensor] = {}
    bad: list[str] = []
    with safe_open(path, "pt") as file:
        for name in file.keys():  # noqa: SIM118 - no mapping
            stored = file.get_tensor(name)
            floating = stored.is_floating_point()
            value = stored.to(device.device, dtype if floating else stored.dtype)
            if (
                floating
                and value.numel()
                and not bool(torch.isfinite(value.sum()))
                and not bool(value.isfinite().all())
            ):
                bad.append(name)
            found[name] = value.clone() if value.data_ptr() == stored.data_ptr() else value
    if bad:
        raise DamagedWeights(path, f"{_some(bad)} hold NaN or infinite weights (as {device.dtype})")
    return found


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
    return module.requires_grad_(False).eval()


def _some(names: list[str], limit: int = 5) -> str:
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
