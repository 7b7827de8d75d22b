"""Batching of encodings: pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..types import Encoding


def repeated(encoding: Encoding, batch: int) -> Encoding:
    """An encoding of one item for `batch` items; one of `batch` items as it is."""
    if len(encoding) == batch:
        return encoding
    if len(encoding) != 1:
        raise ValueError(f"an encoding of {len(encoding)} items cannot stand for {batch}")
    pooled = None if encoding.pooled is None else encoding.pooled.expand(batch, -1)
    return Encoding(tokens=encoding.tokens.expand(batch, -1, -1), mask=encoding.mask.expand(batch, -1), pooled=pooled)


def joined(encodings: Sequence[Encoding]) -> Encoding:
    """One batch of several, the shorter ones padded with masked zeros."""
    length = max(encoding.tokens.shape[1] for encoding in encodings)
    pooled = [encoding.pooled for encoding in encodings if encoding.pooled is not None]
    if pooled and len(pooled) != len(encodings):
        raise ValueError("only some of the encodings have a pooled vector, so they come from different encoders")
    return Encoding(
        tokens=torch.cat([_padded(encoding.tokens, length) for encoding in encodings]),
        mask=torch.cat([_padded(encoding.mask, length) for encoding in encodings]),
        pooled=torch.cat(pooled) if pooled else None,
    )


def _padded(x: Tensor, length: int) -> Tensor:
    """Zeros (False) appended along axis 1."""
    missing = length - x.shape[1]
    return x if missing == 0 else torch.cat([x, x.new_zeros(len(x), missing, *x.shape[2:])], dim=1)
