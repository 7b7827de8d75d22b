"""Tensors as bytes, without numpy and without importing torch before there is one."""

import ctypes
import math
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    import torch

SAFETENSORS_NAMES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "int16": "I16",
    "uint16": "U16",
    "int32": "I32",
    "uint32": "U32",
    "int64": "I64",
    "uint64": "U64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2": "F8_E5M2",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
}
"""The dtypes of torch by their names in a safetensors header."""
TORCH_NAMES = {stored: name for name, stored in SAFETENSORS_NAMES.items()}


def is_tensor(value: object) -> "TypeGuard[torch.Tensor]":
    """Whether the value is a tensor, a parameter included."""
    kind = getattr(sys.modules.get("torch"), "Tensor", None)
    return kind is not None and isinstance(value, kind)


def is_module(value: object) -> "TypeGuard[torch.nn.Module]":
    """Whether the value is a network."""
    kind = getattr(getattr(sys.modules.get("torch"), "nn", None), "Module", None)
    return kind is not None and isinstance(value, kind)


def dtype_name(tensor: "torch.Tensor") -> str:
    """Return the name of the dtype without its package."""
    return str(tensor.dtype).removeprefix("torch.")


def why_without_bytes(tensor: "torch.Tensor") -> str | None:
    """Return why a tensor cannot be written as dense bytes; None where it can."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_quantized:
        return "only dense tensors have plain bytes; call to_dense() or dequantize()"
    if tensor.device.type == "meta":
        return "a meta tensor has a shape but no content"
    return None


def plain(tensor: "torch.Tensor") -> "torch.Tensor":
    """Return the same numbers as a contiguous CPU tensor without history, which is no inference tensor.

    A tensor that is one already is returned as it is.
    """
    import torch

    if type(tensor) is torch.Tensor and tensor.is_cpu and tensor.is_contiguous():
        lazy = tensor.requires_grad or tensor.is_inference() or tensor.is_conj() or tensor.is_neg()
        if not lazy:
            return tensor
    with torch.inference_mode(False), torch.no_grad():
        result = tensor.detach().to("cpu").resolve_conj().resolve_neg().contiguous()
        return result.clone() if result.is_inference() else result


def empty(dtype: str, shape: list[int]) -> "torch.Tensor":
    """Return an uninitialised CPU tensor, aligned as torch aligns its own, which is no inference tensor."""
    import torch

    with torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext():
        return torch.empty(shape, dtype=getattr(torch, dtype), device="cpu")


def item_size(dtype: str) -> int:
    """Return the bytes of one element."""
    import torch

    kind = getattr(torch, dtype)
    return int(kind.itemsize)


def raw(tensor: "torch.Tensor") -> memoryview:
    """Return the bytes of a contiguous CPU tensor, writable and shared with it. They keep it alive."""
    count = math.prod(tensor.shape) * tensor.element_size()
    if count == 0:
        return memoryview(b"")
    array = (ctypes.c_ubyte * count).from_address(tensor.data_ptr())
    array.owner = tensor  # type: ignore[attr-defined]
    return memoryview(array).cast("B")
