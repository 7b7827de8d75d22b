"""What encoding a prompt will give and cost. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted

from ..specs.models import TextEncoderSpec
from ..specs.sampling import ConditioningSpec


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
