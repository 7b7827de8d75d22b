"""The text encoder of CLIP (Radford et al. 2021, 2103.00020) and OpenCLIP: a causal pre-norm transformer.

Modules are named as in the checkpoints of the transformers library's `CLIPTextModel`, so that these load as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from .configs import CLIP_END, ClipTextConfig
from .on_cpu import Linear


class ClipOutput(NamedTuple):
    """hidden: one vector per token. pooled: one for the text, None where it was not asked for."""

    hidden: Tensor
    pooled: Tensor | None


class ClipAttention(nn.Module):
    """Attention of every token to itself and those before it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj, self.v_proj = Linear(width, width), Linear(width, width)
        self.q_proj, self.out_proj = Linear(width, width), Linear(width, width)

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Of normalised tokens."""
        q, k, v = (
            projection(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        out: Tensor = self.out_proj(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        return out


class ClipMlp(nn.Module):
    """Two layers."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.quick = config.activation == "quick_gelu"
        self.fc1, self.fc2 = Linear(config.width, config.mlp_width), Linear(config.mlp_width, config.width)

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Of normalised tokens."""
        x = self.fc1(x)
        x = x * torch.sigmoid(1.702 * x) if self.quick else F.gelu(x)
        out: Tensor = self.fc2(x)
        return out


class ClipLayer(nn.Module):
    """Attention and feed-forward, each normalised before."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.layer_norm1, self.self_attn = nn.LayerNorm(config.width), ClipAttention(config.width, config.heads)
        self.layer_norm2, self.mlp = nn.LayerNorm(config.width), ClipMlp(config)

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """The next hidden state."""
        x = x + self.self_attn(self.layer_norm1(x))
        out: Tensor = x + self.mlp(self.layer_norm2(x))
        return out


class ClipEmbeddings(nn.Module):
    """Vectors of tokens and of positions."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocabulary, config.width)
        self.position_embedding = nn.Embedding(config.length, config.width)

    def forward(self, vectors: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Vectors of tokens with those of their positions added."""
        if vectors.shape[1] > self.position_embedding.num_embeddings:
            most = self.position_embedding.num_embeddings
            raise ValueError(f"{vectors.shape[1]} tokens; this text encoder takes at most {most} at once")
        out: Tensor = vectors + self.position_embedding.weight[: vectors.shape[1]]
        return out


class ClipEncoder(nn.Module):
    """The layers."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ClipLayer(config) for _ in range(config.depth))


class ClipTextTransformer(nn.Module):
    """Everything but the projection."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.embeddings, self.encoder = ClipEmbeddings(config), ClipEncoder(config)
        self.final_layer_norm = nn.LayerNorm(config.width)


class ClipText(nn.Module):
    """Token ids, or vectors in their place, to hidden states at a chosen depth and a pooled vector."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.config = config
        self.text_model = ClipTextTransformer(config)
        if config.projection is not None:
            self.text_projection = Linear(config.width, config.projection, bias=False)

    def embed(self, ids: Int[Tensor, "b n"]) -> Float[Tensor, "b n d"]:
        """The vectors of tokens, before positions are added."""
        out: Tensor = self.text_model.embeddings.token_embedding(ids)
        return out

    def forward(
        self,
        ids: Int[Tensor, "b n"],
        vectors: Float[Tensor, "b n d"] | None = None,
        *,
        layer: int = 1,
        final_norm: bool = True,
        pool: bool = True,
    ) -> ClipOutput:
        """Hidden states after the `layer`-th layer from the end, and the pooled vector.

        ids: with the end token in every text. vectors: in place of `embed(ids)`, as for textual inversion. layer: 1 is
        the last, 2 the penultimate. final_norm: whether the hidden states go through the norm that follows the last
        layer. The pooled vector is always the last layer's at the first end token, through that norm and, where there
        is one, the projection; without `pool` the layers that only it needs are left out.
        """
        layers, norm = self.text_model.encoder.layers, self.text_model.final_layer_norm
        if not 1 <= layer <= len(layers):
            raise ValueError(f"layer {layer} from the end; this text encoder has {len(layers)}")
        x = self.text_model.embeddings(self.embed(ids) if vectors is None else vectors)
        wanted = len(layers) - layer
        hidden = x
        for index, block in enumerate(layers):
            if index > wanted and not pool:
                break
            x = block(x)
            hidden = x if index == wanted else hidden
        pooled = self._pooled(norm(x), ids) if pool else None
        return ClipOutput(norm(hidden) if final_norm else hidden, pooled)

    def _pooled(self, x: Float[Tensor, "b n d"], ids: Int[Tensor, "b n"]) -> Float[Tensor, "b p"]:
        """The end is found by its id: placeholders of a larger vocabulary may have larger ones."""
        ends = (ids == CLIP_END).int().argmax(dim=1)
        pooled = x[torch.arange(len(x), device=x.device), ends]
        return pooled if self.config.projection is None else self.text_projection(pooled)
