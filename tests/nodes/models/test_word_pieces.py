"""Word pieces: special tokens, pieces of unseen words, padding and truncation."""

import pytest
import torch
from tokenizers import Tokenizer

from nodes.models.word_pieces import tokenize, train_word_pieces


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_str(train_word_pieces(["red apple", "blue apple", "red berry"] * 3, length=5, whole=3))


def test_frequent_words_are_whole_and_case_does_not_matter(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("Red APPLE").tokens == ["[START]", "red", "apple"]


def test_unseen_words_are_pieces(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode("bluered").tokens
    assert "[UNK]" not in tokens
    assert "".join(piece.removeprefix("##") for piece in tokens[1:]) == "bluered"


def test_padding_truncation_and_the_empty_caption(tokenizer: Tokenizer) -> None:
    ids, mask = tokenize(tokenizer, ["", "red apple", "red red red red red red red"])
    assert ids.shape == mask.shape == (3, 5)
    assert mask.sum(1).tolist() == [1, 3, 5]
    assert torch.count_nonzero(ids[~mask]) == 0
    assert set(ids[:, 0].tolist()) == {2}


def test_the_same_captions_give_the_same_tokenizer() -> None:
    captions = [f"{a}{b}" for a in "abcdef" for b in "ghijkl"]
    assert len({train_word_pieces(captions, vocabulary=90) for _ in range(5)}) == 1


def test_rare_words_are_left_in_pieces() -> None:
    tokenizer = Tokenizer.from_str(train_word_pieces(["cat"] * 4 + ["catalogue", "catamaran"], whole=4))
    assert tokenizer.encode("cat").tokens == ["[START]", "cat"]
    assert len(tokenizer.encode("catamaran").tokens) > 2
