"""Captions as word pieces: a `tokenizers` WordPiece model that travels as its JSON string inside a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Bool, Int64
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer
from torch import Tensor

PAD, UNKNOWN, START = "[PAD]", "[UNK]", "[START]"


def train_word_pieces(captions: Iterable[str], *, vocabulary: int = 3000, length: int = 24) -> str:
    """A tokenizer for lower-cased captions, as JSON: frequent words whole, others in pieces, a start token before all.

    vocabulary: most entries, the three special ones (pad 0, unknown 1, start 2) included. length: most tokens of a caption.
    """
    tokenizer = Tokenizer(WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    trainer = WordPieceTrainer(
        vocab_size=vocabulary, special_tokens=[PAD, UNKNOWN, START], show_progress=False, min_frequency=1
    )
    tokenizer.train_from_iterator(captions, trainer)
    start = tokenizer.token_to_id(START)
    tokenizer.post_processor = TemplateProcessing(single=f"{START} $A", special_tokens=[(START, start)])
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id(PAD), pad_token=PAD)
    text: str = tokenizer.to_str()
    return text


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Int64[Tensor, "b n"], Bool[Tensor, "b n"]]:
    """Token ids, padded to the longest text, and a mask that is True where there is a token."""
    encoded = tokenizer.encode_batch(list(texts))
    ids = torch.tensor([each.ids for each in encoded], dtype=torch.int64)
    mask = torch.tensor([each.attention_mask for each in encoded], dtype=torch.bool)
    return ids, mask
