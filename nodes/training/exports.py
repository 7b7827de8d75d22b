"""Nodes that write trained models as checkpoints, and one that reads a matcher back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from nodegraph import Context, PathOf, node

from ..bundled.export import export_family, export_matcher, family_metadata
from ..checkpoints.family import Device
from ..checkpoints.header import read_header
from ..checkpoints.weights import read_weights
from . import specs
from .matcher_files import MatcherFile
from .trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher

Name = Annotated[str, Field(min_length=1, max_length=150)]


@node(category="training", effect=True, output="file", spec=specs.save_text_to_image)
def save_text_to_image(
    denoiser: TrainedDenoiser, autoencoder: TrainedAutoencoder, latents: LatentData, ctx: Context, name: Name = "icons"
) -> str:
    """Write a trained text-to-image model as one checkpoint

    Denoiser, text encoder and autoencoder in half precision, with everything `load_checkpoint` needs. Lies in the
    output folder.

    denoiser: from train_denoiser.
    autoencoder: the one that made the latents.
    latents: what the denoiser was trained on.
    name: the beginning of the file's name.
    file: where it was written.
    """
    model, images = denoiser.build(), autoencoder.build()
    metadata = family_metadata(
        model,
        images,
        tokenizer=denoiser.tokenizer,
        shift=latents.shift,
        scale=latents.scale,
        preview=latents.preview,
        image_size=latents.image_size,
        training={
            "denoiser_steps": denoiser.steps,
            "autoencoder_steps": autoencoder.steps,
            "sources": list(latents.sources),
        },
    )
    path = ctx.output_file(name, ".safetensors")
    export_family(path, model, images, metadata)
    return str(path)


@node(category="training", effect=True, output="file", spec=specs.save_matcher)
def save_matcher(matcher: TrainedMatcher, ctx: Context, name: Name = "matcher") -> str:
    """Write a trained matcher as a checkpoint

    matcher: from train_matcher.
    name: the beginning of the file's name.
    file: where it was written, in the output folder.
    """
    path = ctx.output_file(name, ".safetensors")
    export_matcher(path, matcher.build(), tokenizer=matcher.tokenizer, training={"steps": matcher.steps})
    return str(path)


@node(category="training", output="matcher", spec=specs.load_matcher)
def load_matcher(checkpoint: Annotated[Path, PathOf("checkpoint")]) -> TrainedMatcher:
    """Load a picture-caption matcher

    checkpoint: a file that save_matcher wrote, or `bundled:icons_matcher`.
    """
    header = read_header(checkpoint)
    found = MatcherFile.of(header)
    return TrainedMatcher(
        config=found.config,
        tokenizer=found.tokenizer,
        weights=dict(read_weights(checkpoint, Device("cpu", "float32"))),
        steps=found.steps,
    )
