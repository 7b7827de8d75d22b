"""What encoding a prompt will give and cost, and the checks of nodes on text encoders. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted

from ..specs.clip import ClipTextEncoderSpec, ClipTowerSpec, with_layer
from ..specs.models import TextEncoderSpec
from ..specs.sampling import ConditioningSpec
from .embeddings import read_embedding
from .prompts import Weighting

T = TypeVar("T")


def encode_text(encoder: TextEncoderSpec, text: str | list[str]) -> Predicted:
    """As many tokens as the longest prompt has."""
    texts = texts_of(text)
    length, nothing = max(encoder.tokens(texts)), encoder.tokens([""])[0]
    conditioning = ConditioningSpec(batch=len(texts), length=length, width=encoder.width, unconditional=nothing)
    one = encoder.cost(len(texts), length)
    return Predicted({"conditioning": conditioning}, Cost(working=encoder.item * one.elements, work=one.work))


def texts_of(text: str | Sequence[str]) -> list[str]:
    """The prompts; InvalidInput where there is none."""
    texts = [text] if isinstance(text, str) else list(text)
    if not texts:
        raise InvalidInput("text", text, "the list holds no prompt", 'write at least one; "" is the empty prompt')
    return texts


def clip_skip(encoder: TextEncoderSpec, layers: int) -> Predicted:
    """The same weights."""
    clip = check_clip(encoder, ClipTextEncoderSpec)
    check_layers(clip.towers, layers)
    return Predicted({"text_encoder": clip.derived(towers=with_layer(clip.towers, layers))})


def prompt_weighting(encoder: TextEncoderSpec, interpretation: Weighting) -> Predicted:
    """The same weights."""
    clip = check_clip(encoder, ClipTextEncoderSpec)
    return Predicted({"text_encoder": clip.derived(weighting=interpretation)})


def load_embedding(encoder: TextEncoderSpec, embedding: Path, word: str) -> Predicted:
    """The same weights and some vectors."""
    clip = check_clip(encoder, ClipTextEncoderSpec)
    widths = [tower.config.width for tower in clip.towers]
    found = read_embedding(embedding, word, widths)
    used = sum(width for width, name in zip(widths, found.tensors, strict=True) if name is not None)
    size = 4 * found.vectors * used
    derived = clip.derived(learned={found.word: found.vectors}, extra=size)
    return Predicted({"text_encoder": derived}, Cost(working=size))


def check_clip(encoder: object, kind: type[T], name: str = "encoder") -> T:
    """The encoder; InvalidInput where it is not of the `kind`, the class of CLIP encoders or of their specs.

    name: of the node's input.
    """
    if not isinstance(encoder, kind):
        reason = "it is no CLIP text encoder"
        raise InvalidInput(name, str(encoder)[:60], reason, "wire that of a Stable Diffusion model")
    return encoder


def check_layers(towers: Sequence[ClipTowerSpec], layers: int) -> None:
    """InvalidInput where a tower lacks the layer that is `layers` from the end."""
    for tower in towers:
        least, most = 1 + tower.absent, tower.config.depth + tower.absent
        if not least <= layers <= most:
            reason = f"a tower of this text encoder has layers {least} to {most} from the end"
            raise InvalidInput("layers", layers, reason, "choose one of these")
