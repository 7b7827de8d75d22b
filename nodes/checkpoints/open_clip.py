"""OpenCLIP's names for the weights of a text encoder, and where each of ours comes from. Imports no torch.

OpenCLIP fuses queries, keys and values into one matrix (in this order along axis 0), keeps positions as a bare
parameter, and stores the projection transposed, (width, projection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sources import Source, take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

IGNORED = frozenset({"logit_scale", "attn_mask", "text_model.embeddings.position_ids"})
"""What else such files hold and no text encoder needs: a constant of training, the causal mask, the positions' numbers.
"""

_LAYER = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj"}
_LAYER |= {"mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}


def open_clip_sources(depth: int, projection: bool) -> dict[str, Source]:
    """The source of every weight of a `ClipText` of `depth` layers in OpenCLIP's layout, by the weight's name.

    projection: whether it has one. Names in the file are those within the text tower: `transformer.resblocks.0...`.
    """
    found = {
        "text_model.embeddings.token_embedding.weight": Source("token_embedding.weight"),
        "text_model.embeddings.position_embedding.weight": Source("positional_embedding"),
    }
    for kind in ("weight", "bias"):
        found[f"text_model.final_layer_norm.{kind}"] = Source(f"ln_final.{kind}")
        for layer in range(depth):
            ours, theirs = f"text_model.encoder.layers.{layer}", f"transformer.resblocks.{layer}"
            for index, part in enumerate("qkv"):
                fused = Source(f"{theirs}.attn.in_proj_{kind}", part=(index, 3))
                found[f"{ours}.self_attn.{part}_proj.{kind}"] = fused
            found |= {f"{ours}.{our}.{kind}": Source(f"{theirs}.{their}.{kind}") for their, our in _LAYER.items()}
    if projection:
        found["text_projection.weight"] = Source("text_projection", transpose=True)
    return found


def from_open_clip(weights: Mapping[str, Tensor], sources: Mapping[str, Source]) -> dict[str, Tensor]:
    """Our weights from a file's. KeyError where one is missing."""
    return {name: take(weights[source.name], source) for name, source in sources.items()}


def to_open_clip(weights: Mapping[str, Tensor], sources: Mapping[str, Source]) -> dict[str, Tensor]:
    """The exact inverse of `from_open_clip`."""
    import torch

    parts: dict[str, dict[int, Tensor]] = {}
    for name, source in sources.items():
        value = weights[name].T.contiguous() if source.transpose else weights[name]
        parts.setdefault(source.name, {})[source.part[0] if source.part else 0] = value
    return {
        name: torch.cat([found[index] for index in sorted(found)]) if len(found) > 1 else found[0]
        for name, found in parts.items()
    }
