"""Nodes that train: an autoencoder, a denoiser with its text encoder, a picture-caption matcher.

All stop within a step when cancelled and go on where they stopped, with the same bits as if they had never stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from tokenizers import Tokenizer
from torch import Tensor

from nodegraph import Context, InvalidInput, PathOf, Seed, node
from nodegraph.files import write_atomically

from ..models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from . import specs
from .autoencoder import AutoencoderLoss, autoencoder_loss, autoencoder_settings, new_autoencoder
from .denoiser import FlowLoss, denoiser_settings, flow_loss, new_denoiser
from .icon_data import IconData
from .loop import Plan, Progress, train
from .matcher import matcher_loss, matcher_settings, new_matcher
from .specs import check_batch, check_length, check_widths
from .state import CheckpointMismatchError, Learner, read_record
from .trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher, Weights

Steps = Annotated[int, Field(ge=1, le=10_000_000)]
Batch = Annotated[int, Field(ge=1, le=65_536)]
Rate = Annotated[float, Field(gt=0, le=1)]
Warmup = Annotated[int, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Resume = Annotated[Path, PathOf("training_state")] | None

SMOOTHING = 0.98
"""Of the loss that is shown."""


def train_to_the_end(
    learner: Learner,
    loss: Callable[[int], Tensor],
    plan: Plan,
    *,
    settings: dict[str, Any],
    ctx: Context,
    resume_from: Path | None,
) -> Weights:
    """Train to the plan's last step and give the averaged weights, float32 on the CPU.

    Goes on from the checkpoint of an interrupted run of the same recipe, or else from `resume_from`. Raises
    InvalidInput where that belongs to another model or has gone further than the plan.
    """
    for network in (learner.model, learner.ema):
        network.to(ctx.device)
    checkpoint = ctx.state_folder() / "training.safetensors"
    if resume_from is not None and not checkpoint.exists():
        _check_resume(resume_from, settings, plan)
        write_atomically(checkpoint, resume_from.read_bytes())
    shown: list[float] = []

    def report(progress: Progress) -> None:
        shown[:] = [SMOOTHING * shown[0] + (1.0 - SMOOTHING) * progress.loss] if shown else [progress.loss]
        ctx.progress(progress.step, progress.steps, f"loss {shown[0]:.4f}")

    train(learner, loss, plan, checkpoint=checkpoint, settings=settings, on_step=report)
    return {name: value.detach().float().cpu().contiguous() for name, value in learner.ema.state_dict().items()}


def _check_resume(path: Path, settings: dict[str, Any], plan: Plan) -> None:
    try:
        record = read_record(path)
    except CheckpointMismatchError as error:
        raise InvalidInput(
            "resume_from", path.name, str(error), "choose the training.safetensors of a trainer"
        ) from error
    if record["settings"] != settings:
        raise InvalidInput(
            "resume_from",
            path.name,
            f"it was trained with {record['settings']}, not with {settings}",
            "use the same sizes and losses, or leave it out",
        )
    if record["step"] > plan.steps:
        raise InvalidInput(
            "resume_from",
            path.name,
            f"it has taken {record['step']} steps, more than {plan.steps}",
            "ask for more steps",
        )


@node(category="training", output="autoencoder", spec=specs.train_autoencoder)
def train_autoencoder(
    pictures: IconData,
    ctx: Context,
    steps: Steps = 3000,
    batch: Batch = 16,
    learning_rate: Rate = 1e-3,
    warmup: Warmup = 200,
    decay: Share = 0.5,
    average: Share = 0.999,
    width: Annotated[int, Field(ge=8, le=1024, multiple_of=8)] = 64,
    bfloat16: bool = False,
    seed: Seed = 0,
    resume_from: Resume = None,
) -> TrainedAutoencoder:
    """Train a KL autoencoder

    Absolute error plus absolute error of the differences of neighbouring pixels, plus a small KL term. Rombach et al.
    2022, section 3.1, without the discriminator.

    pictures: what it learns to encode; mirrored at random.
    steps: how many batches it sees.
    batch: pictures in a step.
    learning_rate: of AdamW after the warm-up.
    warmup: steps over which the rate rises.
    decay: last part of the steps over which the rate falls to 0, as half a cosine.
    average: decay of the moving average of the weights, which is what comes out.
    width: channels at half the picture's sides; at a quarter there are twice as many.
    bfloat16: compute in bfloat16; three times as fast where the processor has matrix units for it.
    seed: of the first weights and of everything drawn.
    resume_from: a checkpoint of a trainer to go on from.
    """
    config = AutoencoderConfig(widths=(width, 2 * width))
    plan = _plan(len(pictures), steps, batch, learning_rate, warmup, decay, average, seed)
    weighting = AutoencoderLoss(bfloat16=bfloat16)
    learner = new_autoencoder(config, plan)

    def loss(step: int) -> Tensor:
        return autoencoder_loss(learner.model, pictures.pixels, step, plan, weighting)  # type: ignore[arg-type]

    settings = autoencoder_settings(config, weighting)
    weights = train_to_the_end(learner, loss, plan, settings=settings, ctx=ctx, resume_from=resume_from)
    return TrainedAutoencoder(config=config, weights=weights, steps=plan.steps)


@node(category="training", output="denoiser", spec=specs.train_denoiser)
def train_denoiser(
    latents: LatentData,
    tokenizer: str,
    ctx: Context,
    steps: Steps = 5000,
    batch: Batch = 64,
    learning_rate: Rate = 8e-4,
    warmup: Warmup = 300,
    decay: Share = 0.3,
    average: Share = 0.999,
    width: Annotated[int, Field(ge=8, le=4096)] = 320,
    depth: Annotated[int, Field(ge=1, le=64)] = 8,
    heads: Annotated[int, Field(ge=1, le=64)] = 5,
    patch: Annotated[int, Field(ge=1, le=16)] = 2,
    text_width: Annotated[int, Field(ge=8, le=4096)] = 256,
    text_depth: Annotated[int, Field(ge=1, le=32)] = 2,
    bfloat16: bool = False,
    seed: Seed = 0,
    resume_from: Resume = None,
) -> TrainedDenoiser:
    """Train a text-conditional diffusion transformer

    A rectified flow (Liu et al. 2022) with logit-normal times (Esser et al. 2024, section 3.1) on encoded pictures; the
    text encoder is trained along. One caption in ten is left out, for classifier-free guidance.

    latents: the encoded pictures with their captions.
    tokenizer: how captions become tokens.
    steps: how many batches it sees.
    batch: pictures in a step.
    learning_rate: of AdamW after the warm-up.
    warmup: steps over which the rate rises.
    decay: last part of the steps over which the rate falls to 0, as half a cosine.
    average: decay of the moving average of the weights, which is what comes out.
    width: numbers per token of the denoiser; a multiple of 4 and of its heads.
    depth: blocks of the denoiser.
    heads: of its attention.
    patch: latent pixels on a side of a token.
    text_width: numbers per token of the text encoder; a multiple of 4.
    text_depth: blocks of the text encoder.
    bfloat16: compute in bfloat16; faster where the processor has matrix units for it.
    seed: of the first weights and of everything drawn.
    resume_from: a checkpoint of a trainer to go on from.
    denoiser: the denoiser and its text encoder.
    """
    check_widths(width, heads, text_width)
    words = Tokenizer.from_str(tokenizer)
    text = _text_config(words, text_width, text_depth)
    shape = DiTConfig(
        channels=latents.latents.shape[1], patch=patch, width=width, depth=depth, heads=heads, context_width=text_width
    )
    plan = _plan(len(latents.entries), steps, batch, learning_rate, warmup, decay, average, seed)
    weighting, data = FlowLoss(bfloat16=bfloat16), latents.normalised(words)
    learner = new_denoiser(shape, text, plan)

    def loss(step: int) -> Tensor:
        return flow_loss(learner.model, data, step, plan, weighting)

    settings = denoiser_settings(shape, text, weighting)
    weights = train_to_the_end(learner, loss, plan, settings=settings, ctx=ctx, resume_from=resume_from)
    return TrainedDenoiser(denoiser=shape, text_encoder=text, tokenizer=tokenizer, weights=weights, steps=plan.steps)


@node(category="training", output="matcher", spec=specs.train_matcher)
def train_matcher(
    pictures: IconData,
    tokenizer: str,
    ctx: Context,
    steps: Steps = 2000,
    batch: Batch = 128,
    learning_rate: Rate = 1e-3,
    warmup: Warmup = 100,
    decay: Share = 0.8,
    average: Share = 0.99,
    width: Annotated[int, Field(ge=8, le=1024, multiple_of=8)] = 32,
    embedding: Annotated[int, Field(ge=2, le=4096)] = 128,
    text_width: Annotated[int, Field(ge=8, le=4096)] = 256,
    bfloat16: bool = False,
    seed: Seed = 0,
    resume_from: Resume = None,
) -> TrainedMatcher:
    """Train a network that tells how well a caption fits a picture

    Contrastive, as in Radford et al. 2021, small; pictures of the same thing in other styles count as right too. It
    scores text-to-image models.

    pictures: with their captions; moved and faded at random.
    tokenizer: how captions become tokens.
    steps: how many batches it sees.
    batch: pictures in a step, each compared with the captions of all.
    learning_rate: of AdamW after the warm-up.
    warmup: steps over which the rate rises.
    decay: last part of the steps over which the rate falls to 0, as half a cosine.
    average: decay of the moving average of the weights, which is what comes out.
    width: channels of the picture's network at half the picture's sides; each halving doubles them, twice.
    embedding: numbers in the vectors that are compared.
    text_width: numbers per token of the caption's network; a multiple of 4.
    bfloat16: compute in bfloat16; faster where the processor has matrix units for it.
    seed: of the first weights and of everything drawn.
    resume_from: a checkpoint of a trainer to go on from.
    """
    words = Tokenizer.from_str(tokenizer)
    text = _text_config(words, text_width, 1)
    config = MatcherConfig(widths=(width, 2 * width, 4 * width), embedding=embedding, text=text)
    plan = _plan(len(pictures), steps, batch, learning_rate, warmup, decay, average, seed)
    learner = new_matcher(config, plan)

    def loss(step: int) -> Tensor:
        with torch.autocast(ctx.device, torch.bfloat16, enabled=bfloat16):
            return matcher_loss(learner.model, pictures, words, step, plan)  # type: ignore[arg-type]

    settings = matcher_settings(config) | {"bfloat16": bfloat16}
    weights = train_to_the_end(learner, loss, plan, settings=settings, ctx=ctx, resume_from=resume_from)
    return TrainedMatcher(config=config, tokenizer=tokenizer, weights=weights, steps=plan.steps)


def _text_config(tokenizer: Tokenizer, width: int, depth: int) -> TextConfig:
    length = check_length(None if tokenizer.truncation is None else int(tokenizer.truncation["max_length"]))
    return TextConfig(vocabulary=tokenizer.get_vocab_size(), length=length, width=width, depth=depth)


def _plan(
    members: int, steps: int, batch: int, rate: float, warmup: int, decay: float, average: float, seed: int
) -> Plan:
    check_batch(batch, members)
    return Plan(steps=steps, batch=batch, learning_rate=rate, warmup=warmup, decay=decay, average=average, seed=seed)
