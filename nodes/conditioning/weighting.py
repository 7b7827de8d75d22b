"""What the weights of a prompt do to its encoding: pure functions."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .prompts import Weighting


def weighted(
    z: Float[Tensor, "chunks n d"],
    weights: Float[Tensor, "chunks n"],
    empty: Float[Tensor, "1 n d"] | None,
    how: Weighting,
) -> Float[Tensor, "chunks n d"]:
    """Encoded chunks with the weights of their tokens applied; bits stay where all weights of a chunk are 1.

    empty: the encoding of the empty prompt; only "comfyui" needs it.
    """
    if how == "none" or bool((weights == 1.0).all()):
        return z
    w = weights.unsqueeze(2)
    if how == "comfyui":
        if empty is None:
            raise ValueError("this weighting needs the encoding of the empty prompt")
        return torch.where(w == 1.0, z, empty + w * (z - empty))
    out = w * z
    before, after = z.mean(dim=(1, 2), keepdim=True), out.mean(dim=(1, 2), keepdim=True)
    scaled = torch.where(after == 0.0, out, out * (before / after))
    return torch.where((w == 1.0).all(dim=1, keepdim=True), z, scaled)
