"""Files of learned words (textual inversion, Gal et al. 2022, 2208.01618). Imports no torch.

Three layouts are known: one tensor named after the word (diffusers), `emb_params` (AUTOMATIC1111), and `clip_l` with
`clip_g` (Stable Diffusion XL). Each tensor is (vectors, width) or (width,); its width tells the tower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nodegraph import InvalidInput

from ..checkpoints.header import read_header
from .prompts import CHUNK

BOTH = frozenset({"clip_l", "clip_g"})
"""The tensors of a file for Stable Diffusion XL."""

FLOATING = frozenset({"F64", "F32", "F16", "BF16"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedWord:
    """word: in lower case. vectors: how many it stands for. tensors: for each tower the name of its tensor, or None."""

    word: str
    vectors: int
    tensors: tuple[str | None, ...]


def read_embedding(path: Path, word: str, widths: Sequence[int]) -> LearnedWord:
    """What a file teaches an encoder whose towers have these widths.

    Raises CheckpointError where it is no sound safetensors file, InvalidInput where it does not fit the encoder.
    """
    chosen = check_word(word or path.stem, "word" if word else "embedding")
    tensors = read_header(path).tensors
    if len(tensors) > 1 and not tensors.keys() <= BOTH:
        raise InvalidInput(
            "embedding",
            path.name,
            f"it holds {len(tensors)} tensors, an embedding one (or clip_l and clip_g)",
            "choose a textual inversion file",
        )
    by_width: dict[int, str] = {}
    for name, entry in tensors.items():
        if len(entry.shape) not in (1, 2) or 0 in entry.shape or entry.dtype not in FLOATING:
            reason = f"{name!r} is {entry.dtype} {list(entry.shape)}, not vectors of real numbers"
            raise InvalidInput("embedding", path.name, reason, "choose a textual inversion file")
        by_width[entry.shape[-1]] = name
    found = tuple(by_width.get(width) for width in widths)
    counts = {_count(tensors[name].shape) for name in found if name is not None}
    if not counts:
        reason = f"its vectors are {_either(by_width)} wide, those of this text encoder {_either(widths)}"
        raise InvalidInput("embedding", path.name, reason, "choose one that was trained for this kind of model")
    if len(counts) > 1:
        reason = f"it has {' and '.join(map(str, sorted(counts)))} vectors for the two towers, which must be as many"
        raise InvalidInput("embedding", path.name, reason, "choose a textual inversion file")
    [count] = counts
    if count > CHUNK:
        reason = f"it has {count} vectors, and a chunk of a prompt only {CHUNK} places"
        raise InvalidInput("embedding", path.name, reason, "choose one of fewer vectors")
    return LearnedWord(word=chosen, vectors=count, tensors=found)


def check_word(word: str, name: str) -> str:
    """The word in lower case; InvalidInput, naming the input `name`, where a prompt cannot contain it."""
    found = word.strip().lower().removeprefix("embedding:")
    if not found or found == "break" or any(sign in found for sign in "()[]\\"):
        reason = "a learned word is no BREAK, is not empty and holds no brackets or backslashes"
        raise InvalidInput(name, word, reason, "write another `word`")
    return found


def _count(shape: tuple[int, ...]) -> int:
    return shape[0] if len(shape) == 2 else 1


def _either(widths: Sequence[int] | dict[int, str]) -> str:
    return " or ".join(map(str, sorted(set(widths))))
