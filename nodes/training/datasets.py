"""Nodes that get pictures with captions, divide them and encode them."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field

from nodegraph import Context, InvalidInput, Seed, node

from ..models.word_pieces import train_word_pieces
from ..types import Image
from . import specs
from .autoencoder import encode_all, latent_statistics, preview_map
from .captions import all_wordings, word_caption
from .icon_data import ICON_SETS, IconData, build_icon_data, split
from .state import generator
from .trained import LatentData, TrainedAutoencoder


@node(category="training", output="pictures", spec=specs.icon_dataset)
def icon_dataset(ctx: Context, size: Annotated[int, Field(ge=8, le=512, multiple_of=8)] = 64) -> IconData:
    """Fetch openly licensed icons and render them

    Five emoji sets, 8,210 pictures with their names as captions, each at a fixed version and checked against its
    SHA-256. Needs npm and the package resvg_py (`pip install nodegraph[train]`); what was fetched is kept.

    size: of the pictures in pixels; they are square, on white.
    pictures: with captions, styles and where they come from.
    """

    def report(done: int, total: int) -> None:
        ctx.progress(done, total, ICON_SETS[done].name if done < total else "")

    report(0, len(ICON_SETS))
    return build_icon_data(ctx.state_folder(), size=size, on_set=report)


class SplitData(NamedTuple):
    """What `split_dataset` gives."""

    training: IconData
    held_out: IconData


@node(category="training", spec=specs.split_dataset)
def split_dataset(pictures: IconData) -> SplitData:
    """Keep about 5 % of the captions aside

    Which captions are held out is decided by the SHA-256 of their words, so it is the same for everybody and all time.
    A picture that shares a caption with a held-out one is held out as well.

    pictures: the whole set.
    training: what may be trained on.
    held_out: what must never be trained on, to score with.
    """
    return SplitData(*split(pictures))


class ChosenPictures(NamedTuple):
    """What `dataset_pictures` gives."""

    image: Image
    captions: list[str]


@node(category="training", spec=specs.dataset_pictures)
def dataset_pictures(
    pictures: IconData,
    count: Annotated[int, Field(ge=1, le=10_000)] = 50,
    style: Literal["any", "noto", "fluent", "flat", "twemoji", "emojione"] = "any",
    wording: Literal["plain", "with style"] = "plain",
    seed: Seed = 0,
) -> ChosenPictures:
    """Draw pictures with different captions from a data set

    pictures: the set to draw from.
    count: how many; all with different captions.
    style: only pictures of this set.
    wording: "red apple", or with its style "noto red apple".
    seed: of the draw.
    image: the pictures.
    captions: what they show, one each.
    """
    order = torch.randperm(len(pictures), generator=generator(seed, 0, "pictures")).tolist()
    chosen: dict[str, int] = {}
    for index in order:
        entry = pictures.entries[index]
        if style in ("any", entry.style):
            chosen.setdefault(entry.captions[0], index)
        if len(chosen) == count:
            break
    else:
        raise InvalidInput("count", count, f"there are only {len(chosen)} different captions", "ask for fewer")
    template = "{caption}" if wording == "plain" else "{style} {caption}"
    rows = list(chosen.values())
    pixels = pictures.pixels[rows].permute(0, 3, 1, 2).float() / 255.0
    return ChosenPictures(
        image=Image(pixels=pixels.contiguous()),
        captions=[word_caption(pictures.entries[row], template) for row in rows],
    )


@node(category="training", output="tokenizer", spec=specs.train_tokenizer)
def train_tokenizer(
    pictures: IconData,
    vocabulary: Annotated[int, Field(ge=64, le=65_536)] = 3000,
    length: Annotated[int, Field(ge=2, le=512)] = 24,
) -> str:
    """Make a vocabulary of the words in the captions

    Words that occur often are one token, others are put together from pieces.

    pictures: whose captions are read, in every wording.
    vocabulary: most tokens there may be.
    length: most tokens of a prompt; longer ones are cut.
    tokenizer: as JSON of the `tokenizers` library.
    """
    return train_word_pieces(all_wordings(pictures.entries), vocabulary=vocabulary, length=length)


@node(category="training", output="latents", spec=specs.encode_dataset)
def encode_dataset(autoencoder: TrainedAutoencoder, pictures: IconData, ctx: Context) -> LatentData:
    """Encode a data set once, for training a denoiser

    Along with the latents it finds what makes them standard (shift and scale per channel) and the linear map to colours
    that previews use.

    autoencoder: what makes latents.
    pictures: each is encoded once, without changes.
    """
    network = autoencoder.build().to(ctx.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    latents = encode_all(network, pictures.pixels, told=ctx.progress)
    shift, scale = latent_statistics(latents)
    normal = (latents - torch.tensor(shift)[:, None, None]) * torch.tensor(scale)[:, None, None]
    return LatentData(
        latents=latents,
        shift=shift,
        scale=scale,
        preview=preview_map(normal, pictures.pixels),
        image_size=int(pictures.pixels.shape[1]),
        entries=pictures.entries,
        sources=pictures.sources,
    )
