"""What the header of a matcher's file says. Imports no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from nodegraph import InvalidInput

from ..checkpoints.header import Header
from ..models.configs import MatcherConfig, TextConfig


@dataclass(frozen=True, kw_only=True)
class MatcherFile:
    """A matcher that was written. tokenizer: its JSON. steps: it was trained for."""

    config: MatcherConfig
    tokenizer: str
    steps: int

    @classmethod
    def of(cls, header: Header) -> Self:
        """From shapes and metadata; InvalidInput where the file is of something else."""
        about = _about(header.metadata.get("nodegraph", "null"))
        if about is None:
            name = header.path.name
            raise InvalidInput("checkpoint", name, "it holds no matcher", "choose one that save_matcher wrote")
        shapes = header.shapes()
        vocabulary, width = shapes["text_tower.tokens.weight"]
        length, _ = shapes["text_tower.positions"]
        depth = len({name.split(".")[2] for name in shapes if name.startswith("text_tower.blocks.")})
        inner, _ = shapes["text_tower.blocks.0.mlp.0.weight"]
        embedding, _ = shapes["text_out.weight"]
        ratio = inner // width
        text = TextConfig(
            vocabulary=vocabulary, length=length, width=width, depth=depth, heads=about["heads"], mlp_ratio=ratio
        )
        config = MatcherConfig(
            widths=tuple(about["widths"]),
            blocks=tuple(about["blocks"]),
            groups=about["groups"],
            embedding=embedding,
            text=text,
        )
        return cls(config=config, tokenizer=about["tokenizer"], steps=int(about["training"].get("steps", 0)))


def _about(text: str) -> dict[str, Any] | None:
    """The metadata of a matcher; None where they are of something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("family") == "matcher" else None
