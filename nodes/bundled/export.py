"""Packing a trained family (denoiser, text encoder, autoencoder) into one half-precision safetensors file.

Keys begin with `denoiser.`, `text_encoder.` and `autoencoder.`; shapes tell the sizes. What shapes cannot tell is one
JSON string under the metadata key "nodegraph" (see `family_metadata`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from nodegraph.files import write_atomically

from ..models.autoencoder_kl import AutoencoderKL
from ..models.image_text_matcher import ImageTextMatcher
from ..training.denoiser import TextToLatent


def family_metadata(
    model: TextToLatent,
    autoencoder: AutoencoderKL,
    *,
    tokenizer: str,
    shift: Sequence[float],
    scale: Sequence[float],
    preview: Sequence[Sequence[float]] = (),
    image_size: int,
    training: Mapping[str, object],
) -> dict[str, object]:
    """What a loader needs beside the weights.

    tokenizer: its JSON. shift, scale: per latent channel; the denoiser sees (z - shift) * scale. preview: the latent
    space's linear map to RGB. image_size: pixels on a side that the denoiser was trained at. training: a record of how,
    for readers.
    """
    denoiser, text, images = model.denoiser.config, model.text_encoder.config, autoencoder.config
    return {
        "format": 1,
        "family": "icons",
        "parameterisation": "flow",
        "image_size": image_size,
        "latent": {
            "channels": denoiser.channels,
            "downscale": images.downscale,
            "shift": list(shift),
            "scale": list(scale),
            "preview": [list(row) for row in preview],
        },
        "denoiser": {"architecture": "dit", "heads": denoiser.heads, "patch": denoiser.patch},
        "text_encoder": {"architecture": "text_transformer", "heads": text.heads, "tokenizer": tokenizer},
        "autoencoder": {
            "architecture": "autoencoder_kl",
            "groups": images.groups,
            "patch": images.patch,
            "widths": list(images.widths),
            "encoder_blocks": list(images.encoder_blocks),
            "decoder_blocks": list(images.decoder_blocks),
        },
        "training": dict(training),
    }


def export_family(path: Path, model: TextToLatent, autoencoder: AutoencoderKL, metadata: Mapping[str, object]) -> None:
    """Write denoiser, text encoder and autoencoder in float16 with their metadata, atomically."""
    tensors = half(model) | {f"autoencoder.{key}": value for key, value in half(autoencoder).items()}
    _write(path, tensors, metadata)


def export_matcher(path: Path, model: ImageTextMatcher, *, tokenizer: str, training: Mapping[str, object]) -> None:
    """Write a matcher in float16 with its tokenizer, atomically; keys begin with `image_tower.`, `text_tower.`, ..."""
    config = model.config
    metadata = {
        "format": 1,
        "family": "matcher",
        "widths": list(config.widths),
        "blocks": list(config.blocks),
        "groups": config.groups,
        "heads": config.text.heads,
        "tokenizer": tokenizer,
        "training": dict(training),
    }
    _write(path, half(model), metadata)


def half(module: nn.Module) -> dict[str, Tensor]:
    """A module's state in float16; raises OverflowError where a weight does not fit."""
    out = {}
    for key, value in module.state_dict().items():
        out[key] = value.detach().cpu().to(torch.float16).contiguous()
        if not bool(out[key].isfinite().all()):
            raise OverflowError(f"{key} holds values beyond float16 (largest {float(value.abs().max()):.3g})")
    return out


def _write(path: Path, tensors: dict[str, Tensor], metadata: Mapping[str, object]) -> None:
    write_atomically(path, save(tensors, {"nodegraph": json.dumps(metadata)}))
