"""Training a picture-caption matcher, and scoring it on captions it never saw. Radford et al. 2021."""

from __future__ import annotations

from dataclasses import asdict

import torch
from jaxtyping import Float, Int64, UInt8
from tokenizers import Tokenizer
from torch import Tensor, nn

from ..metrics.retrieval import retrieval_accuracy
from ..models.configs import MatcherConfig
from ..models.image_text_matcher import ImageTextMatcher
from ..models.word_pieces import tokenize
from .autoencoder import Told, as_image, batches
from .captions import draw_caption
from .icon_data import IconData
from .loop import Plan
from .state import Learner, batch_indices, generator, new_learner


def new_matcher(config: MatcherConfig, plan: Plan) -> Learner:
    """A learner with weights drawn from the plan's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model = ImageTextMatcher(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return new_learner(model, betas=(0.9, 0.98), weight_decay=0.1)


def matcher_settings(config: MatcherConfig) -> dict[str, object]:
    """What a checkpoint must agree on, as JSON values."""
    return {"matcher": {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(config).items()}}


def matcher_loss(
    model: ImageTextMatcher, data: IconData, tokenizer: Tokenizer, step: int, plan: Plan
) -> Float[Tensor, ""]:
    """Symmetric cross-entropy of batch number `step`; pictures of the same thing in other styles count as right too."""
    chosen = batch_indices(plan.seed, step, plan.batch, len(data)).tolist()
    draw = generator(plan.seed, step, "matcher")
    entries = [data.entries[index] for index in chosen]
    device = next(model.parameters()).device
    ids, mask = tokenize(tokenizer, [draw_caption(entry, draw, empty=0.0) for entry in entries])
    image = augment(as_image(data.pixels[chosen]), draw).to(device, memory_format=torch.channels_last)
    logits = model(image, ids.to(device), mask.to(device))
    names = {entry.captions[0]: index for index, entry in enumerate(entries)}
    which = torch.tensor([names[entry.captions[0]] for entry in entries], device=device)
    same = (which[:, None] == which[None]).float()
    target = same / same.sum(1, keepdim=True)
    return 0.5 * (nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.T, target))


def augment(image: Float[Tensor, "b 3 h w"], draw: torch.Generator, *, most: int = 5) -> Float[Tensor, "b 3 h w"]:
    """Move each picture by up to `most` pixels over its white border and change its contrast to white by up to 15 %."""
    b, _, h, w = image.shape
    padded = nn.functional.pad(image, (most, most, most, most), value=1.0)
    offsets = torch.randint(2 * most + 1, (b, 2), generator=draw).tolist()
    moved = torch.stack([each[:, y : y + h, x : x + w] for each, (y, x) in zip(padded, offsets, strict=True)])
    contrast = 0.85 + 0.15 * torch.rand((b, 1, 1, 1), generator=draw)
    return 1.0 - contrast * (1.0 - moved)


@torch.no_grad()
def embed_pictures(
    model: ImageTextMatcher, pixels: UInt8[Tensor, "n h w 3"], batch: int = 128, told: Told | None = None
) -> Float[Tensor, "n d"]:
    """Unit vectors of pictures, on the CPU."""
    device = next(model.parameters()).device
    return torch.cat([model.embed_images(as_image(part).to(device)).cpu() for part in batches(pixels, batch, told)])


@torch.no_grad()
def embed_captions(model: ImageTextMatcher, tokenizer: Tokenizer, captions: list[str]) -> Float[Tensor, "n d"]:
    """Unit vectors of captions, on the CPU."""
    device = next(model.parameters()).device
    return model.embed_texts(*(each.to(device) for each in tokenize(tokenizer, captions))).cpu()


def caption_rows(captions: list[str]) -> tuple[list[str], Int64[Tensor, " n"]]:
    """The different captions in order of appearance, and the row among them of each given one."""
    rows = {caption: row for row, caption in enumerate(dict.fromkeys(captions))}
    return list(rows), torch.tensor([rows[caption] for caption in captions])


def retrieval_score(
    model: ImageTextMatcher,
    tokenizer: Tokenizer,
    pixels: UInt8[Tensor, "n h w 3"],
    captions: list[str],
    *,
    among: int = 50,
    seed: int = 0,
    told: Told | None = None,
) -> float:
    """Top-1 accuracy of finding each picture's caption among `among` different ones of the same list; see
    `retrieval_accuracy`."""
    different, rows = caption_rows(captions)
    images, texts = embed_pictures(model, pixels, told=told), embed_captions(model, tokenizer, different)
    return retrieval_accuracy(images, texts, rows, among=min(among, len(different)), seed=seed)
