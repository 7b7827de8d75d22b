"""A tiny model of the bundled family with random weights, written as a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from nodes.bundled.export import family_metadata
from nodes.models.autoencoder_kl import AutoencoderKL
from nodes.models.configs import AutoencoderConfig, DiTConfig, TextConfig
from nodes.models.word_pieces import train_word_pieces
from nodes.training.denoiser import TextToLatent

WORDS = ["a red apple", "a green pear", "the blue sea", "an old house", "cat", "dog and bird"]


def tiny_weights(seed: int = 0) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors in float16 and the metadata."""
    tokenizer = train_word_pieces(WORDS, vocabulary=120, length=8, whole=1)
    size = Tokenizer.from_str(tokenizer).get_vocab_size()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TextToLatent(
            DiTConfig(channels=4, patch=2, width=32, depth=2, heads=2, context_width=16),
            TextConfig(vocabulary=size, length=8, width=16, depth=1, heads=2),
        )
        autoencoder = AutoencoderKL(AutoencoderConfig(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1, 1)))
        state = model.state_dict() | {f"autoencoder.{name}": value for name, value in autoencoder.state_dict().items()}
        tensors = {name: (value + 0.2 * torch.randn(value.shape)).half().contiguous() for name, value in state.items()}
    metadata = family_metadata(
        model,
        autoencoder,
        tokenizer=tokenizer,
        shift=[0.0, 0.1, -0.1, 0.2],
        scale=[1.0, 2.0, 0.5, 1.5],
        image_size=16,
        training={},
    )
    return tensors, metadata


def write_checkpoint(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> Path:
    """A safetensors file with the metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, {"nodegraph": json.dumps(metadata)})
    return path
