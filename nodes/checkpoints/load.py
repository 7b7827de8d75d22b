"""The node that loads a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from nodegraph import Context, PathOf, node

from ..types import Autoencoder, Denoiser, TextEncoder
from . import specs
from .families import FAMILIES
from .family import Device, find_family
from .header import read_header


class LoadedCheckpoint(NamedTuple):
    """What `load_checkpoint` gives."""

    denoiser: Denoiser
    text_encoder: TextEncoder
    autoencoder: Autoencoder


@node(category="models", spec=specs.load_checkpoint)
def load_checkpoint(checkpoint: Annotated[Path, PathOf("checkpoint")], ctx: Context | None = None) -> LoadedCheckpoint:
    """Load a model from a safetensors file

    The kind of model is recognised by the names and shapes of its tensors, never by the file's name. Files that can run
    programs when they are opened (pickles: .ckpt, .pt, .bin) are refused.

    checkpoint: a file in the checkpoints folder, or `bundled:icons`.
    denoiser: what makes pictures out of noise.
    text_encoder: what reads prompts.
    autoencoder: what turns latents into pictures and back.
    """
    header = read_header(checkpoint)
    family, recipe = find_family(header, FAMILIES)
    if ctx is not None:
        ctx.log(f"{checkpoint.name}: {family.name}")
    parts = recipe.load(Device(ctx.device if ctx else "cpu", ctx.precision if ctx else "float32"))
    return LoadedCheckpoint(*parts)
