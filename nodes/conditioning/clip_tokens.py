"""CLIP's tokenizer: byte-pair encoding with lower-cased text and marked word ends. Imports no torch."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MERGES = Path(__file__).parents[1] / "bundled" / "clip" / "merges.txt.gz"

START_WORD, END_WORD = "<|startoftext|>", "<|endoftext|>"
_SPLIT = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
"""What is encoded by itself: a special token, the end of a contraction, letters, a digit, other signs."""


def vocabulary(merges: list[tuple[str, str]]) -> dict[str, int]:
    """The ids of all entries: bytes, bytes that end a word, merges in their order, start and end."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]  # bytes that are shown as the sign of their number
    letters = [chr(byte) for byte in own] + [chr(256 + index) for index in range(256 - len(own))]
    entries = [*letters, *(f"{letter}</w>" for letter in letters), *(a + b for a, b in merges), START_WORD, END_WORD]
    return {entry: index for index, entry in enumerate(entries)}


def read_merges() -> list[tuple[str, str]]:
    """The pairs that are merged, in the order of application."""
    lines = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    return [(first, second) for first, _, second in (line.partition(" ") for line in lines)]


@dataclass(frozen=True)
class ClipTokenizer:
    """Texts to ids. It is built when it is first used (a quarter of a second) and never changed after."""

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Of the `tokenizers` library."""
        from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
        from tokenizers.models import BPE

        merges = read_merges()
        model = BPE(vocabulary(merges), merges, end_of_word_suffix="</w>", unk_token=END_WORD)
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_SPLIT), behavior="removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
        special = [AddedToken(word, special=True, normalized=False) for word in (START_WORD, END_WORD)]
        tokenizer.add_special_tokens(special)
        return tokenizer

    def words(self, text: str) -> list[list[int]]:
        """The ids of each of the words of a text, which are what stands between white space."""
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        found: list[list[int]] = []
        reached = -1
        for number, (begin, end) in zip(encoded.ids, encoded.offsets, strict=True):
            if not found or begin > reached:
                found.append([])
            found[-1].append(number)
            reached = max(reached, end)
        return found
