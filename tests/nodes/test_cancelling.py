"""A cancel is seen before the next evaluation of a model, wherever one is evaluated several times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph import Cancelled
from nodegraph.execution.cancel import CancelToken
from nodegraph.testing import RecordingContext, local_context
from nodes.latents import decode_latent, encode_image
from nodes.metrics.scores import score_autoencoder, score_retrieval
from nodes.models.autoencoder_kl import AutoencoderKL
from nodes.models.image_text_matcher import ImageTextMatcher
from nodes.tiled import decode_latent_tiled, encode_image_tiled
from nodes.training.datasets import encode_dataset, train_tokenizer
from nodes.training.icon_data import IconData
from nodes.training.trainers import train_autoencoder, train_matcher
from nodes.types import Image, Latent

from .test_tiled import SPACE, Local
from .training.test_training import toy_data


@dataclass
class Cancelling:
    """Counts evaluations, and cancels in the first one."""

    token: CancelToken
    count: int = 0

    def note(self) -> None:
        self.count += 1
        self.token.cancel()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted."""

        def counted(*args: Any) -> Any:
            self.note()
            return function(*args)

        return counted


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted(Local):
    """An autoencoder that counts."""

    counter: Cancelling

    def encode(self, pixels: Tensor) -> Tensor:
        self.counter.note()
        return super().encode(pixels)

    def decode(self, samples: Tensor) -> Tensor:
        self.counter.note()
        return super().decode(samples)


LARGE = Latent(samples=torch.zeros(2, 3, 400, 400), space=SPACE)
LARGE_PICTURE = Image(pixels=torch.zeros(2, 3, 1600, 1600))
HIGH = Latent(samples=torch.zeros(1, 3, 48, 16), space=SPACE)
HIGH_PICTURE = Image(pixels=torch.zeros(1, 3, 192, 64))

CODING: dict[str, Callable[[Counted, RecordingContext], object]] = {
    "decode": lambda model, ctx: decode_latent(model, LARGE, ctx),
    "encode": lambda model, ctx: encode_image(model, LARGE_PICTURE, ctx),
    "decode tiled": lambda model, ctx: decode_latent_tiled(model, HIGH, 64, 0, ctx),
    "encode tiled": lambda model, ctx: encode_image_tiled(model, HIGH_PICTURE, 64, 0, ctx),
}


@pytest.mark.parametrize("name", CODING)
def test_pictures_and_tiles(tmp_path: Path, name: str) -> None:
    counter = Cancelling(CancelToken())
    with pytest.raises(Cancelled):
        CODING[name](Counted(space=SPACE, counter=counter), local_context(tmp_path, cancel=counter.token))
    assert counter.count == 1


def many() -> IconData:
    """More pictures than go through a model at once."""
    data = toy_data()
    return IconData(pixels=data.pixels.repeat(20, 1, 1, 1), entries=data.entries * 20, sources=())


def test_data_sets_and_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, tokenizer = many(), train_tokenizer(toy_data(), 150)
    images = train_autoencoder(toy_data(), local_context(tmp_path), steps=1, batch=2, width=8)
    sizes: dict[str, Any] = {"width": 8, "embedding": 8, "text_width": 16}
    ctx = local_context(tmp_path, key="1" * 64)
    matcher = train_matcher(toy_data(), tokenizer, ctx, steps=1, batch=2, **sizes)
    pictures = Image(pixels=data.pixels.permute(0, 3, 1, 2) / 255.0)
    captions = [entry.captions[0] for entry in data.entries]
    cases: list[tuple[type, str, Callable[[RecordingContext], object]]] = [
        (AutoencoderKL, "encode", lambda ctx: encode_dataset(images, data, ctx)),
        (AutoencoderKL, "decode", lambda ctx: score_autoencoder(images, data, ctx)),
        (ImageTextMatcher, "embed_images", lambda ctx: score_retrieval(matcher, pictures, captions, ctx, among=2)),
    ]
    for kind, method, call in cases:
        counter = Cancelling(CancelToken())
        with monkeypatch.context() as patched:
            patched.setattr(kind, method, counter(getattr(kind, method)))
            with pytest.raises(Cancelled):
                call(local_context(tmp_path, cancel=counter.token))
        assert counter.count == 1, method


def test_trainers_stop_after_a_step_and_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Cancelling(CancelToken())
    ctx = local_context(tmp_path, cancel=counter.token)
    with monkeypatch.context() as patched:
        patched.setattr(AutoencoderKL, "decode", counter(AutoencoderKL.decode))
        with pytest.raises(Cancelled):
            train_autoencoder(toy_data(), ctx, steps=3, batch=2, width=8)
    assert counter.count == 1
    again = local_context(tmp_path)
    train_autoencoder(toy_data(), again, steps=3, batch=2, width=8)
    assert [each.done for each in again.reported] == [2, 3]
