"""Learned words against the diffusers library's loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders import TextualInversionLoaderMixin
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from nodes.conditioning.clip_options import load_embedding
from nodes.conditioning.clip_tokens import read_merges, vocabulary

from ..models.test_clip_text import reference
from ..tiny_clip import TINY_L, tiny_clip


class Pipeline(TextualInversionLoaderMixin):  # type: ignore[misc]
    """As little of a pipeline as the loader needs."""

    hf_device_map = None
    device = torch.device("cpu")

    def __init__(self) -> None:
        merges = read_merges()
        self.tokenizer: Any = CLIPTokenizer(vocab=vocabulary(merges), merges=merges, model_max_length=77)
        self.text_encoder = reference(TINY_L)
        self.components = {"tokenizer": self.tokenizer, "text_encoder": self.text_encoder}


@pytest.mark.parametrize("count", [1, 3])
def test_a_learned_word_is_encoded_as_by_diffusers(tmp_path: Path, count: int) -> None:
    path, text = tmp_path / "sks.safetensors", "a photo of a <sks> on the beach"
    save_file({"<sks>": torch.randn(count, 16, generator=torch.Generator().manual_seed(0))}, path)
    pipeline = Pipeline()
    pipeline.load_textual_inversion(str(path))
    ids = pipeline.tokenizer(
        pipeline.maybe_convert_prompt(text, pipeline.tokenizer), padding="max_length", return_tensors="pt"
    ).input_ids
    assert int((ids >= 49408).sum()) == count
    with torch.no_grad():
        expected = pipeline.text_encoder(ids).last_hidden_state
    found = load_embedding(tiny_clip(), path, "<sks>").encode([text])
    torch.testing.assert_close(found.tokens, expected, atol=1e-5, rtol=1e-5)
