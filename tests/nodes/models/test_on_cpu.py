"""The faster kernels against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nodes.models import on_cpu
from nodes.models.on_cpu import LONG, Conv2d, Linear, attention, linear


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("shape", [(5, 24), (2, 7, 24), (2, 3, 4, 24)])
def test_linear_is_torchs(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    x, weight, bias = normal(*shape, dtype=dtype), normal(10, 24, dtype=dtype), normal(10, dtype=dtype)
    torch.testing.assert_close(linear(x, weight, bias), F.linear(x, weight, bias))
    torch.testing.assert_close(linear(x.mT.contiguous().mT, weight), F.linear(x, weight))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 4e-3)])
@pytest.mark.parametrize("length", [LONG - 1, LONG, LONG + 37])
def test_attention_is_torchs(
    dtype: torch.dtype, tolerance: float, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_cpu, "BLOCK", 100 * length)  # several blocks, the last one smaller
    q, k, v = (normal(2, n, 3, 40, dtype=dtype).transpose(1, 2) for n in (230, length, length))
    expected = F.scaled_dot_product_attention(q.double(), k.double(), v.double())
    found = attention(q, k, v)
    assert found.dtype == dtype
    assert float((found.double() - expected).abs().max()) <= tolerance * float(expected.abs().max())


def test_masked_keys_do_not_count() -> None:
    q, k, v = (normal(1, 2, LONG, 16) + offset for offset in (0.0, 0.1, 0.2))
    mask = torch.arange(LONG)[None, None, None] < 9
    torch.testing.assert_close(attention(q, k, v, mask), attention(q, k[:, :, :9], v[:, :, :9]))


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (1, 1, 0)])
@pytest.mark.parametrize("size", [(3, 5), (4, 4), (20, 24)])
@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_convolution_is_torchs(
    kernel: int, stride: int, padding: int, size: tuple[int, int], form: torch.memory_format
) -> None:
    layer = Conv2d(8, 96, kernel, stride=stride, padding=padding).requires_grad_(False)
    x = normal(2, 8, *size).contiguous(memory_format=form)
    torch.testing.assert_close(layer(x), nn.Conv2d.forward(layer, x), atol=1e-5, rtol=1e-5)


def test_gradients_are_torchs() -> None:
    layer, other = Linear(6, 4), Conv2d(6, 40, 3, padding=1)
    layer(normal(3, 6)).sum().backward()
    other(normal(1, 6, 2, 2)).sum().backward()
    assert layer.weight.grad is not None
    assert other.weight.grad is not None
