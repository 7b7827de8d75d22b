"""What data sets and trainers will give and cost, and the checks that they share with their specs. Imports no torch.

Whether `resume_from` is used depends on what the state folder holds, so it is left to the run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, Unknown

from ..checkpoints.header import read_header
from ..checkpoints.specs import facts, loading
from ..models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from ..models.costs import Pass, decoder_pass, dit_pass, encoder_pass, image_tower_pass, text_pass
from ..specs.data import (
    IconDataSpec,
    LatentDataSpec,
    TokenizerSpec,
    TrainedAutoencoderSpec,
    TrainedDenoiserSpec,
    TrainedMatcherSpec,
)
from ..specs.image import FLOAT32, ImageSpec
from .matcher_files import MatcherFile

ICONS = 8_210
"""Pictures in the five sets at their fixed versions."""

HELD_OUT = 0.05
"""Part of the captions that is held out."""

ENCODED_AT_ONCE = 64
"""Pictures that a data set's encoding, and the scoring of an autoencoder, send through the network together."""


def icon_dataset(size: int) -> Predicted:
    """Fetched in about half a minute, drawn at twice the size; a list of pictures becomes one tensor."""
    data = IconDataSpec(count=ICONS, height=size, width=size)
    seconds = 30.0 + ICONS * (2e-3 + 2e-7 * size * size)
    return Predicted({"pictures": data}, Cost(working=data.samples, seconds=seconds))


def split_dataset(pictures: IconDataSpec) -> Predicted:
    """Which captions are held out is known when they are; about how many, before."""
    aside = round(HELD_OUT * pictures.count)
    training, held_out = (replace(pictures, count=count, exact=False) for count in (pictures.count - aside, aside))
    return Predicted({"training": training, "held_out": held_out})


def dataset_pictures(
    pictures: IconDataSpec, count: int, style: str | Unknown, wording: str | Unknown, seed: int | Unknown
) -> Predicted:
    """The chosen bytes become float32, then a share of 255, then contiguous."""
    image = ImageSpec(batch=count, channels=3, height=pictures.height, width=pictures.width)
    return Predicted({"image": image}, Cost(working=image.samples + 2 * image.own))


def train_tokenizer(pictures: IconDataSpec, vocabulary: int, length: int) -> Predicted:
    """Every caption in eight wordings is counted piece by piece."""
    result = TokenizerSpec(vocabulary=vocabulary, length=length)
    return Predicted({"tokenizer": result}, Cost(working=5_000 * pictures.count, seconds=2e-3 * pictures.count))


def encode_dataset(autoencoder: TrainedAutoencoderSpec, pictures: IconDataSpec) -> Predicted:
    """The network, a part of the pictures in it, and at the end all pictures in float32 for the map to colours."""
    config = autoencoder.config
    step = config.downscale
    result = LatentDataSpec(
        count=pictures.count,
        channels=config.latent_channels,
        height=pictures.height // step,
        width=pictures.width // step,
        exact=pictures.exact,
    )
    part = min(ENCODED_AT_ONCE, pictures.count)
    one = encoder_pass(config, part, pictures.height, pictures.width)
    encoding = FLOAT32 * one.elements + 2 * result.latents
    # pictures as float32 before and after the division by 255; latents normalised, in float64, with a column of ones
    mapping = 2 * FLOAT32 * pictures.samples + 6 * result.latents
    cost = Cost(working=autoencoder.own + max(encoding, mapping), work=one.work * pictures.count / part)
    return Predicted({"latents": result}, cost)


def train_autoencoder(
    pictures: IconDataSpec,
    steps: int,
    batch: int,
    learning_rate: float | Unknown,
    warmup: int | Unknown,
    decay: float | Unknown,
    average: float | Unknown,
    width: int,
    bfloat16: bool,
    seed: int | Unknown,
    resume_from: Path | Unknown | None,
) -> Predicted:
    """Encoder and decoder, forwards and backwards."""
    _check_batch(batch, pictures.count, pictures.exact)
    config = AutoencoderConfig(widths=(width, 2 * width))
    result = TrainedAutoencoderSpec(config=config)
    step = config.downscale
    passes = [
        encoder_pass(config, batch, pictures.height, pictures.width),
        decoder_pass(config, batch, pictures.height // step, pictures.width // step),
    ]
    return Predicted({"autoencoder": result}, training_cost(result.parameters, passes, steps))


def train_denoiser(
    latents: LatentDataSpec,
    tokenizer: TokenizerSpec | str,
    steps: int,
    batch: int,
    learning_rate: float | Unknown,
    warmup: int | Unknown,
    decay: float | Unknown,
    average: float | Unknown,
    width: int,
    depth: int,
    heads: int,
    patch: int,
    text_width: int,
    text_depth: int,
    bfloat16: bool,
    seed: int | Unknown,
    resume_from: Path | Unknown | None,
) -> Predicted:
    """Denoiser and text encoder, forwards and backwards, beside the normalised latents."""
    check_widths(width, heads, text_width)
    text = _text_config(tokenizer, text_width, text_depth)
    shape = DiTConfig(
        channels=latents.channels, patch=patch, width=width, depth=depth, heads=heads, context_width=text_width
    )
    _check_batch(batch, latents.count, latents.exact)
    result = TrainedDenoiserSpec(denoiser=shape, text_encoder=text)
    passes = [
        dit_pass(shape, batch, latents.height, latents.width, text.length),
        text_pass(text, batch, text.length),
    ]
    return Predicted({"denoiser": result}, training_cost(result.parameters, passes, steps, more=latents.latents))


def train_matcher(
    pictures: IconDataSpec,
    tokenizer: TokenizerSpec | str,
    steps: int,
    batch: int,
    learning_rate: float | Unknown,
    warmup: int | Unknown,
    decay: float | Unknown,
    average: float | Unknown,
    width: int,
    embedding: int,
    text_width: int,
    bfloat16: bool,
    seed: int | Unknown,
    resume_from: Path | Unknown | None,
) -> Predicted:
    """Both towers, forwards and backwards."""
    text = _text_config(tokenizer, text_width, 1)
    config = MatcherConfig(widths=(width, 2 * width, 4 * width), embedding=embedding, text=text)
    _check_batch(batch, pictures.count, pictures.exact)
    result = TrainedMatcherSpec(config=config)
    passes = [
        image_tower_pass(config, batch, pictures.height, pictures.width),
        text_pass(text, batch, text.length),
    ]
    return Predicted({"matcher": result}, training_cost(result.parameters, passes, steps))


def training_cost(parameters: int, passes: list[Pass], steps: int, more: int = 0) -> Cost:
    """Of any trainer. more: bytes of the data in the form that it needs.

    The weights, their gradients and the two moments of AdamW lie beside the average that comes out. On top of them come
    what the forward pass keeps for the backward pass; or, when a checkpoint is written, the bytes of the weights, the
    average and the moments.
    """
    weights = FLOAT32 * parameters
    activations = FLOAT32 * sum(each.kept + 2 * each.elements for each in passes)
    work = steps * (sum(each.trained() for each in passes) + 20.0 * parameters)
    return Cost(working=4 * weights + max(activations, 4 * weights) + more, work=work, seconds=0.02 * steps)


def save_text_to_image(
    denoiser: TrainedDenoiserSpec, autoencoder: TrainedAutoencoderSpec, latents: LatentDataSpec | Unknown, name: str
) -> Predicted:
    """The networks are built again, then their weights halved, then written."""
    return Predicted({}, Cost(working=2 * (denoiser.own + autoencoder.own)))


def save_matcher(matcher: TrainedMatcherSpec, name: str) -> Predicted:
    """As for `save_text_to_image`."""
    return Predicted({}, Cost(working=2 * matcher.own))


def load_matcher(checkpoint: Path) -> Predicted:
    """From the file's header."""
    header = read_header(checkpoint)
    found = MatcherFile.of(header)
    about = facts("checkpoint", header, "nodegraph picture-caption matcher")
    return Predicted({"matcher": TrainedMatcherSpec(config=found.config)}, loading(header), (about,))


def check_widths(width: int, heads: int, text_width: int) -> None:
    """InvalidInput where a transformer's width cannot be divided as it must be."""
    for name, value, parts in (("width", width, heads), ("width", width, 4), ("text_width", text_width, 4)):
        if value % parts:
            raise InvalidInput(name, value, f"it is no multiple of {parts}", f"use {value // parts * parts + parts}")


def check_batch(batch: int, members: int) -> None:
    """InvalidInput where a batch is larger than the data set."""
    if batch > members:
        raise InvalidInput("batch", batch, f"there are only {members} pictures", f"use at most {members}")


def check_length(length: int | None) -> int:
    """The most tokens of a prompt; InvalidInput where a tokenizer does not say."""
    if length is None:
        raise InvalidInput(
            "tokenizer", "without a length", "it cuts no prompt to a length", "make it with train_tokenizer"
        )
    return length


def _check_batch(batch: int, members: int, exact: bool) -> None:
    if exact:
        check_batch(batch, members)


def _text_config(tokenizer: TokenizerSpec | str, width: int, depth: int) -> TextConfig:
    spec = tokenizer if isinstance(tokenizer, TokenizerSpec) else TokenizerSpec.of(tokenizer)
    length = check_length(spec.length)
    return TextConfig(vocabulary=spec.vocabulary, length=length, width=width, depth=depth)
