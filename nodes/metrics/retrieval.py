"""Scores of pictures against pictures, and of pictures against captions."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor


def psnr(x: UInt8[Tensor, "*b h w 3"], y: UInt8[Tensor, "*b h w 3"]) -> Float[Tensor, "*b"]:
    """Peak signal-to-noise ratio per picture in dB: 10 log10(255^2 / error), mean squared error of at least 1e-4."""
    error = (x.double() - y.double()).square().mean(dim=(-3, -2, -1)).clamp(min=1e-4)
    return 10.0 * torch.log10(255.0**2 / error)


def retrieval_accuracy(
    images: Float[Tensor, "n d"],
    texts: Float[Tensor, "m d"],
    caption_of: Int64[Tensor, " n"],
    *,
    among: int = 50,
    draws: int = 20,
    seed: int = 0,
) -> float:
    """How often a picture's own caption is the nearest among `among` different captions, over pictures and draws.

    images: unit vectors of pictures. texts: unit vectors of m different captions, m >= among. caption_of: each
    picture's row in `texts`. draws: sets of wrong captions per picture. Chance is 1 / among; a tie counts as wrong.
    """
    captions = texts.shape[0]
    if captions < among:
        raise ValueError(f"retrieval among {among} captions needs as many different ones, got {captions}")
    similarity = images.float() @ texts.float().T  # n m
    own = similarity.gather(1, caption_of[:, None])  # n 1
    draw = torch.Generator().manual_seed(seed)
    right = torch.zeros((), dtype=torch.float64)
    for _ in range(draws):
        order = torch.rand(similarity.shape, generator=draw)
        order.scatter_(1, caption_of[:, None], 2.0)  # its own caption is never drawn as a wrong one
        wrong = similarity.gather(1, order.argsort(dim=1)[:, : among - 1])  # n among-1
        right += (own > wrong.max(dim=1, keepdim=True).values).double().mean()
    return float(right / draws)
