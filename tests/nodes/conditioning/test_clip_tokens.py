"""CLIP's tokenizer against the transformers library's, built from the same merges."""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from nodes.conditioning.clip_tokens import MERGES, ClipTokenizer, read_merges, vocabulary


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("clip")
    merges = read_merges()
    (folder / "vocab.json").write_text(json.dumps(vocabulary(merges)))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    return CLIPTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def ours() -> ClipTokenizer:
    return ClipTokenizer()


TEXTS = [
    "",
    " ",
    "a photo of a cat",
    "A Photo,of\ta\n\n  CAT!!",
    "it's, they're we've I'm he'll she'd don't 'S",
    "2024 4k 3.14 1,000",
    "naïve café ŻÓŁĆ ß İ ΣΑΣ",
    "cafe\u0301 e\u0301\u0327",
    "日本語 한국어 العربية हिन्दी",
    "👩‍👩‍👧 🇫🇷 🤖🤖",
    "masterpiece, best quality, (((detailed))) :: --ar 16:9 <lora:x:1>",
    "a\u00a0b\u2003c\u3000d\u0085e\x1cf",
    "<|endoftext|> a<|startoftext|>b <|ENDOFTEXT|>",
    "supercalifragilisticexpialidocious" * 4,
    "_a_ a_b -- @#$%^&*",
]


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_transformers(theirs: Any, ours: ClipTokenizer, text: str) -> None:
    assert [*chain(*ours.words(text))] == theirs(text, add_special_tokens=False).input_ids


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=300)
def test_ids_of_any_text_are_those_of_transformers(theirs: Any, ours: ClipTokenizer, text: str) -> None:
    assert [*chain(*ours.words(text))] == theirs(text, add_special_tokens=False).input_ids


def test_known_ids(ours: ClipTokenizer) -> None:
    # as published with CLIP: start, "a photo of a cat", end are 49406, 320, 1125, 539, 320, 2368, 49407
    assert ours.words("a photo of a cat") == [[320], [1125], [539], [320], [2368]]


def test_words_are_what_white_space_parts(ours: ClipTokenizer) -> None:
    text = "it's 3.14,\u00a0don't\tcafe\u0301 👩‍👩‍👧!\n日本語"
    assert len(ours.words(text)) == 6
    assert [*chain(*ours.words(text))] == [*chain(*(chain(*ours.words(word)) for word in text.split()))]


def test_the_vocabulary_is_clip_s() -> None:
    entries = vocabulary(read_merges())
    assert len(entries) == 49408
    assert (entries["<|startoftext|>"], entries["<|endoftext|>"]) == (49406, 49407)
    text = "".join(f"{a} {b}\n" for a, b in read_merges()).encode()
    assert hashlib.sha256(text).hexdigest() in (MERGES.parent / "README.md").read_text()
