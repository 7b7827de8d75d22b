"""Linear layers, convolutions and attention by whichever kernels are fastest on a CPU; elsewhere torch's own.

All compute what torch's modules do, in the same precision. Measured on AVX-512 with bf16 (docs/benchmarks.md):
oneDNN multiplies float32 matrices twice as fast as the default BLAS on processors that are not the BLAS vendor's;
attention over many positions is two products and a softmax, which fill the units better than the fused kernel; and a
convolution over few positions spends its time on rearranging weights, which a product of patches reads as they lie.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

BLOCK = 1 << 20
"""Scores that attention holds at a time: 4 MB, which stay in the cache."""

LONG = 512
"""Positions from which attention is taken apart."""


def linear(
    x: Float[Tensor, "*batch d"], weight: Float[Tensor, "e d"], bias: Float[Tensor, " e"] | None = None
) -> Float[Tensor, "*batch e"]:
    """x weight^T + bias."""
    if x.dtype == torch.float32 and _here(x, weight):
        made: Tensor = torch.ops.mkldnn._linear_pointwise(x.contiguous(), weight, bias, "none", [], "")
        return made
    return F.linear(x, weight, bias)


def attention(
    q: Float[Tensor, "b h n d"],
    k: Float[Tensor, "b h m d"],
    v: Float[Tensor, "b h m d"],
    mask: Bool[Tensor, "b _ _ m"] | None = None,
) -> Float[Tensor, "b h n d"]:
    """softmax(q k^T / sqrt(d)) v, the scores in float32. mask: True where keys may be looked at."""
    if mask is not None or k.shape[2] < LONG or q.dtype not in (torch.float32, torch.bfloat16) or not _here(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    b, heads, n, d = q.shape
    rows = max(1, BLOCK // k.shape[2])
    queries = (q.float() * d**-0.5).contiguous()
    keys, values = k.float().contiguous(), v.transpose(2, 3).contiguous()  # b h m d, b h d m
    out = q.new_empty(b, n, heads, d)
    for item in range(b):
        for head in range(heads):
            for first in range(0, n, rows):
                some = slice(first, first + rows)
                scores = linear(queries[item, head, some], keys[item, head])
                torch.softmax(scores, -1, out=scores)
                out[item, some, head] = linear(scores.to(q.dtype), values[item, head])
    return out.transpose(1, 2)


class Linear(nn.Linear):
    """torch's, by `linear`."""

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch e"]:
        """As torch's."""
        return linear(x, self.weight, self.bias)


class Conv2d(nn.Conv2d):
    """torch's for zero padding and one group; over few positions a product of patches."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        """As torch's."""
        positions = x.shape[0] * x.shape[2] * x.shape[3] // (self.stride[0] * self.stride[1])
        if 2 * positions > self.out_channels or not self.weight.is_contiguous() or not _here(x, self.weight):
            return super().forward(x)
        (rows, columns), (down, across) = self.kernel_size, self.stride
        above, left = int(self.padding[0]), int(self.padding[1])
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, left, left, above, above))  # b h w c
        height = (padded.shape[1] - rows) // down + 1
        width = (padded.shape[2] - columns) // across + 1
        patches = torch.stack(
            [
                padded[:, i : i + height * down : down, j : j + width * across : across][:, :height, :width]
                for i in range(rows)
                for j in range(columns)
            ],
            dim=-1,
        )  # b h w c 9, the order in which weights lie
        made = linear(patches.flatten(3).flatten(0, 2), self.weight.flatten(1), self.bias)
        return made.reshape(len(x), height, width, -1).permute(0, 3, 1, 2)


def _here(*tensors: Tensor) -> bool:
    """Whether oneDNN's kernels can be called on them: on the CPU, all of one dtype, and nothing wants gradients.

    torch's compiler chooses kernels by itself.
    """
    if torch.compiler.is_compiling():
        return False
    if not torch.backends.mkldnn.is_available() or not torch.backends.mkldnn.enabled:  # type: ignore[no-untyped-call]
        return False
    learning = torch.is_grad_enabled() and any(each.requires_grad for each in tensors)
    return not learning and all(each.device.type == "cpu" and each.dtype == tensors[0].dtype for each in tensors)
