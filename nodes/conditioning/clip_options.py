"""Nodes that change how a CLIP text encoder reads prompts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field
from torch import Tensor

from nodegraph import Context, PathOf, node

from ..checkpoints.family import Device
from ..checkpoints.weights import read_weights
from ..specs.clip import tower_of
from ..types import TextEncoder
from . import specs
from .clip import ClipTextEncoder, ClipTower
from .embeddings import LearnedWord, read_embedding
from .prompts import Weighting
from .specs import check_clip, check_layers


@node(category="conditioning", spec=specs.clip_skip)
def clip_skip(encoder: TextEncoder, layers: Annotated[int, Field(ge=1, le=12)] = 2) -> TextEncoder:
    """Take the tokens of an earlier layer of CLIP

    Some models were trained on what the last layer but one gives. The pooled vector stays that of the last layer.

    encoder: a CLIP text encoder.
    layers: counted from the end: 1 is the last layer, 2 the one before it. Stable Diffusion 1 was trained with 1, 2 and
        XL with 2.
    """
    clip = check_clip(encoder, ClipTextEncoder)
    check_layers([tower_of(tower) for tower in clip.towers], layers)
    return replace(clip, towers=tuple(replace(tower, layer=layers) for tower in clip.towers))


@node(category="conditioning", spec=specs.prompt_weighting)
def prompt_weighting(encoder: TextEncoder, interpretation: Weighting = "comfyui") -> TextEncoder:
    """Choose what weights in prompts do

    `(word)` weighs 1.1, `(word:1.3)` 1.3, `[word]` 1 / 1.1.

    encoder: a CLIP text encoder.
    interpretation: comfyui moves a token away from what the empty prompt has in its place; a1111 multiplies it, and
        gives the chunk the mean that it had; none leaves weights out.
    """
    return replace(check_clip(encoder, ClipTextEncoder), weighting=interpretation)


@node(category="conditioning", spec=specs.load_embedding)
def load_embedding(
    encoder: TextEncoder,
    embedding: Annotated[Path, PathOf("embedding")],
    word: str = "",
    ctx: Context | None = None,
) -> TextEncoder:
    """Teach a text encoder a word

    The file holds what textual inversion learned: one or several vectors that a word in prompts stands for. In prompts
    it may also be written `embedding:word`. Only safetensors files are taken, of any of the three usual layouts. An
    encoder of two towers may be taught vectors for one of them; the other then reads zeros in their place.

    encoder: a CLIP text encoder.
    embedding: a file in the embeddings folder.
    word: what to write in prompts, in any case; empty for the file's name.
    """
    clip = check_clip(encoder, ClipTextEncoder)
    found = read_embedding(embedding, word, [tower.network.config.width for tower in clip.towers])
    weights = read_weights(embedding, Device("cpu", "float32"))
    if ctx is not None and None in found.tensors:
        ctx.log(f"{embedding.name}: it has no vectors for one of the model's {len(clip.towers)} text encoders")
    towers = [
        _taught(tower, found, None if name is None else weights[name])
        for tower, name in zip(clip.towers, found.tensors, strict=True)
    ]
    return replace(clip, towers=tuple(towers))


def _taught(tower: ClipTower, found: LearnedWord, vectors: Tensor | None) -> ClipTower:
    """Where the file has none, what the tower learned before stays if it is as many vectors as for the others."""
    others = {word: each for word, each in tower.learned.items() if word != found.word}
    own = tower.learned.get(found.word) if vectors is None else vectors.reshape(found.vectors, -1)
    kept = {} if own is None or len(own) != found.vectors else {found.word: own}
    return replace(tower, learned={**others, **kept})
