"""Captions as word pieces: a `tokenizers` WordPiece model that travels as its JSON string inside a checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from string import ascii_lowercase, digits

import torch
from jaxtyping import Bool, Int64
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from torch import Tensor

PAD, UNKNOWN, START = "[PAD]", "[UNK]", "[START]"


def train_word_pieces(captions: Iterable[str], *, vocabulary: int = 3000, length: int = 24, whole: int = 24) -> str:
    """A tokenizer for lower-cased captions, as JSON: frequent words whole, others in pieces, a start token before all.

    vocabulary: most entries, the three special ones (pad 0, unknown 1, start 2) and all letters included. length: most
    tokens of a caption. whole: how often a word must occur to be one token. The same captions give the same tokenizer,
    which the trainer of the `tokenizers` library does not promise.
    """
    normalizer, splitter = BertNormalizer(lowercase=True, strip_accents=True), BertPreTokenizer()
    words = Counter(
        word for caption in captions for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(caption))
    )
    letters = sorted({*ascii_lowercase, *digits, *"".join(words)})
    entries = [PAD, UNKNOWN, START, *letters, *(f"##{letter}" for letter in letters)]
    ranked = sorted(words, key=lambda word: (-words[word], word))
    entries += [word for word in ranked if words[word] >= whole and len(word) > 1]
    entries += _pieces(ranked)
    chosen = list(dict.fromkeys(entries))[:vocabulary]
    tokenizer = Tokenizer(WordPiece({entry: index for index, entry in enumerate(chosen)}, unk_token=UNKNOWN))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.post_processor = TemplateProcessing(single=f"{START} $A", special_tokens=[(START, chosen.index(START))])
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(pad_id=chosen.index(PAD), pad_token=PAD)
    text: str = tokenizer.to_str()
    return text


def _pieces(words: Sequence[str]) -> list[str]:
    """Beginnings and ("##") inner parts of 2 to 6 letters that occur in two words or more, the most useful first."""
    counts: Counter[str] = Counter()
    for word in words:
        parts = {(start, word[start : start + n]) for n in range(2, 7) for start in range(len(word) - n + 1)}
        counts.update({part if start == 0 else f"##{part}" for start, part in parts})
    gain = {piece: count * (len(piece.removeprefix("##")) - 1) for piece, count in counts.items() if count > 1}
    return sorted(gain, key=lambda piece: (-gain[piece], piece))


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Int64[Tensor, "b n"], Bool[Tensor, "b n"]]:
    """Token ids, padded to the longest text, and a mask that is True where there is a token."""
    encoded = tokenizer.encode_batch(list(texts))
    ids = torch.tensor([each.ids for each in encoded], dtype=torch.int64)
    mask = torch.tensor([each.attention_mask for each in encoded], dtype=torch.bool)
    return ids, mask
