"""Nodes that score models by what they make."""

from __future__ import annotations

from typing import Annotated

from jaxtyping import UInt8
from pydantic import Field
from tokenizers import Tokenizer
from torch import Tensor

from nodegraph import Context, Seed, node

from ..image.pixels import to_rgb
from ..training.autoencoder import reconstruct
from ..training.icon_data import IconData
from ..training.matcher import retrieval_score
from ..training.trained import TrainedAutoencoder, TrainedMatcher
from ..types import Image
from . import specs
from .retrieval import psnr
from .specs import check_captions


@node(category="metrics", output="psnr", spec=specs.score_autoencoder)
def score_autoencoder(autoencoder: TrainedAutoencoder, pictures: IconData, ctx: Context) -> float:
    """How well an autoencoder gives pictures back

    autoencoder: what is scored.
    pictures: held-out ones tell more than those it was trained on.
    psnr: peak signal-to-noise ratio in dB, the mean over the pictures; more is better.
    """
    network = autoencoder.build().to(ctx.device)
    return float(psnr(reconstruct(network, pictures.pixels, told=ctx.progress), pictures.pixels).mean())


@node(category="metrics", output="accuracy", spec=specs.score_retrieval)
def score_retrieval(
    matcher: TrainedMatcher,
    image: Image,
    captions: list[str],
    ctx: Context,
    among: Annotated[int, Field(ge=2, le=10_000)] = 50,
    seed: Seed = 0,
) -> float:
    """How often a picture is nearest to its own caption

    For each picture its caption competes with `among` - 1 others of the list, drawn 20 times. Chance is 1 / among.

    matcher: what compares; its own score on real pictures is the most one can hope for.
    image: the pictures, one per caption.
    captions: what each picture should show.
    among: captions that compete, the right one included; there must be as many different ones.
    seed: of the draws.
    accuracy: from 0 to 1.
    """
    check_captions(captions, len(image), among)
    network = matcher.build().to(ctx.device)
    words = Tokenizer.from_str(matcher.tokenizer)
    return retrieval_score(network, words, _bytes(image), captions, among=among, seed=seed, told=ctx.progress)


def _bytes(image: Image) -> UInt8[Tensor, "n h w 3"]:
    return (to_rgb(image.pixels) * 255.0).round().byte().permute(0, 2, 3, 1).contiguous()
