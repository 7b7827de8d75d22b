"""Cases of the nodes on CLIP text encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ..tiny_clip import tiny_clip, tiny_clip_pair
from . import Case


def embedding(folder: Path, **shapes: tuple[int, ...]) -> Path:
    """A file of tensors."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "style.safetensors"
    made = torch.Generator().manual_seed(0)
    save_file({name: torch.randn(shape, generator=made) for name, shape in shapes.items()}, path)
    return path


def derived() -> Any:
    from nodes.conditioning.clip_options import clip_skip

    return clip_skip(tiny_clip_pair(), 1)


ACCEPTED: list[Case] = [
    ("encode_text", lambda v: {"encoder": tiny_clip(), "text": ["", "a (cat:1.3) " * 40, "a BREAK b BREAK (c"]}),
    ("encode_text", lambda v: {"encoder": tiny_clip_pair(), "text": "a (cat:1.3)"}),
    ("clip_skip", lambda v: {"encoder": tiny_clip()}),
    ("clip_skip", lambda v: {"encoder": tiny_clip_pair(), "layers": 1}),
    ("prompt_weighting", lambda v: {"encoder": derived(), "interpretation": "a1111"}),
    ("load_embedding", lambda v: {"encoder": tiny_clip(), "embedding": embedding(v.folder, emb_params=(3, 16))}),
    (
        "load_embedding",
        lambda v: {
            "encoder": tiny_clip_pair(),
            "embedding": embedding(v.folder, clip_l=(2, 16), clip_g=(2, 24)),
            "word": "Some Style",
        },
    ),
]

REFUSED: list[Case] = [
    ("clip_skip", lambda v: {"encoder": v.model.text_encoder}),
    ("clip_skip", lambda v: {"encoder": tiny_clip(), "layers": 3}),
    ("prompt_weighting", lambda v: {"encoder": v.model.text_encoder}),
    (
        "load_embedding",
        lambda v: {"encoder": v.model.text_encoder, "embedding": embedding(v.folder, emb_params=(1, 16))},
    ),
    *[
        (
            "load_embedding",
            lambda v, shapes=shapes, word=word: {  # type: ignore[misc]
                "encoder": tiny_clip_pair(),
                "embedding": embedding(v.folder, **shapes),
                "word": word,
            },
        )
        for shapes, word in (
            ({"emb_params": (1, 17)}, ""),
            ({"clip_l": (2, 16), "clip_g": (3, 24)}, ""),
            ({"a": (2, 16), "b": (2, 16)}, ""),
            ({"a": (2, 2, 16)}, ""),
            ({"a": (76, 16)}, ""),
            ({"a": (1, 16)}, "(x)"),
        )
    ],
]
