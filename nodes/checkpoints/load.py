"""The node that loads a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from nodegraph import Context, PathOf, node

from ..types import Autoencoder, Denoiser, TextEncoder
from . import specs
from .family import Device
from .specs import recognise


class LoadedCheckpoint(NamedTuple):
    """What `load_checkpoint` gives."""

    denoiser: Denoiser
    text_encoder: TextEncoder
    autoencoder: Autoencoder


@node(category="models", spec=specs.load_checkpoint)
def load_checkpoint(checkpoint: Annotated[Path, PathOf("checkpoint")], ctx: Context | None = None) -> LoadedCheckpoint:
    """Load a model from a safetensors file or a folder of diffusers

    The kind of model is recognised by the names and shapes of its tensors, never by the file's name. Files that can run
    programs when they are opened (pickles: .ckpt, .pt, .bin) are refused.

    checkpoint: a file in the checkpoints folder, a folder there that holds a model_index.json, or `bundled:icons`.
    denoiser: what makes pictures out of noise.
    text_encoder: what reads prompts.
    autoencoder: what turns latents into pictures and back.
    """
    name, recipe = recognise(checkpoint)
    if ctx is not None:
        ctx.log(f"{checkpoint.name}: {name}")
    parts = recipe.load(Device(ctx.device if ctx else "cpu", ctx.precision if ctx else "float32"))
    return LoadedCheckpoint(*parts)
