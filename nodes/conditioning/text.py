"""Prompts to conditionings."""

from __future__ import annotations

from typing import Annotated

from nodegraph import Context, Multiline, node

from ..types import Conditioning, Entry, TextEncoder
from . import specs
from .specs import texts_of


@node(category="conditioning", spec=specs.encode_text)
def encode_text(
    encoder: TextEncoder,
    text: Annotated[str, Multiline()] | list[str] = "",
    ctx: Context | None = None,
) -> Conditioning:
    """Turn a prompt into what the model attends to

    The empty prompt is what the model takes for no prompt at all. Of a prompt that is longer than the model takes the
    end is left out, and the log says how much.

    encoder: the model's text encoder.
    text: what the picture should show; a list of prompts makes a batch, one picture for each.
    """
    texts = texts_of(text)
    for each in texts:
        if ctx is not None:
            for remark in encoder.remarks(each):
                ctx.log(remark)
        count, lost = encoder.dropped(each)
        if lost and ctx is not None:
            shown = each if len(each) <= 40 else f"{each[:40]}..."
            ctx.log(
                f"the prompt {shown!r} has {count} tokens; the model takes {count - lost}, the last {lost} are left out"
            )
    return Conditioning(entries=(Entry(encoding=encoder.encode(texts)),), unconditional=encoder.encode([""]))
