"""Nodes that write trained models as checkpoints, and one that reads a matcher back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from nodegraph import Context, InvalidInput, PathOf, node

from ..bundled.export import export_family, export_matcher, family_metadata
from ..checkpoints.family import Device
from ..checkpoints.header import read_header
from ..checkpoints.weights import read_weights
from ..models.configs import MatcherConfig, TextConfig
from .trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher

Name = Annotated[str, Field(min_length=1, max_length=150)]


@node(category="training", effect=True, output="file")
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


@node(category="training", effect=True, output="file")
def save_matcher(matcher: TrainedMatcher, ctx: Context, name: Name = "matcher") -> str:
    """Write a trained matcher as a checkpoint

    matcher: from train_matcher.
    name: the beginning of the file's name.
    file: where it was written, in the output folder.
    """
    path = ctx.output_file(name, ".safetensors")
    export_matcher(path, matcher.build(), tokenizer=matcher.tokenizer, training={"steps": matcher.steps})
    return str(path)


@node(category="training", output="matcher")
def load_matcher(checkpoint: Annotated[Path, PathOf("checkpoint")]) -> TrainedMatcher:
    """Load a picture-caption matcher

    checkpoint: a file that save_matcher wrote, or `bundled:icons_matcher`.
    """
    header = read_header(checkpoint)
    about = _about(header.metadata.get("nodegraph", "null"))
    if about is None:
        raise InvalidInput("checkpoint", checkpoint.name, "it holds no matcher", "choose one that save_matcher wrote")
    shapes = header.shapes()
    vocabulary, width = shapes["text_tower.tokens.weight"]
    length, _ = shapes["text_tower.positions"]
    depth = len({name.split(".")[2] for name in shapes if name.startswith("text_tower.blocks.")})
    inner, _ = shapes["text_tower.blocks.0.mlp.0.weight"]
    embedding, _ = shapes["text_out.weight"]
    text = TextConfig(
        vocabulary=vocabulary, length=length, width=width, depth=depth, heads=about["heads"], mlp_ratio=inner // width
    )
    config = MatcherConfig(
        widths=tuple(about["widths"]),
        blocks=tuple(about["blocks"]),
        groups=about["groups"],
        embedding=embedding,
        text=text,
    )
    return TrainedMatcher(
        config=config,
        tokenizer=about["tokenizer"],
        weights=read_weights(checkpoint, Device("cpu", "float32")),
        steps=int(about["training"].get("steps", 0)),
    )


def _about(text: str) -> dict[str, Any] | None:
    """The metadata of a matcher; None where they are of something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("family") == "matcher" else None
