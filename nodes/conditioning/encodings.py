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
    return Encoding(
        tokens=encoding.tokens.expand(batch, -1, -1),
        mask=encoding.mask.expand(batch, -1),
        pooled=None if encoding.pooled is None else encoding.pooled.expand(batch, -1),
        sizes=None if encoding.sizes is None else encoding.sizes.expand(batch, -1),
    )


def joined(encodings: Sequence[Encoding]) -> Encoding:
    """One batch of several, the shorter ones padded with masked zeros."""
    length = max(encoding.tokens.shape[1] for encoding in encodings)
    pooled, sizes = (_all_or_none(encodings, name) for name in ("pooled", "sizes"))
    return Encoding(
        tokens=torch.cat([padded(encoding.tokens, length) for encoding in encodings]),
        mask=torch.cat([padded(encoding.mask, length) for encoding in encodings]),
        pooled=pooled,
        sizes=sizes,
    )


def _all_or_none(encodings: Sequence[Encoding], name: str) -> Tensor | None:
    found: list[Tensor] = [value for each in encodings if (value := getattr(each, name)) is not None]
    if found and len(found) != len(encodings):
        raise ValueError(f"only some of the encodings have {name!r}, so they come from different encoders or nodes")
    return torch.cat(found) if found else None


def padded(x: Tensor, length: int) -> Tensor:
    """Zeros (False) appended along axis 1."""
    missing = length - x.shape[1]
    return x if missing == 0 else torch.cat([x, x.new_zeros(len(x), missing, *x.shape[2:])], dim=1)
