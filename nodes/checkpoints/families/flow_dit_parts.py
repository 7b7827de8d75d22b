"""Building the models of the `flow_dit` family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from jaxtyping import Float
from pydantic import TypeAdapter, ValidationError
from tokenizers import Tokenizer
from torch import Tensor, nn

from ...models.autoencoder_kl import AutoencoderKL
from ...models.configs import AutoencoderConfig, DiTConfig, TextConfig
from ...models.dit import DiT
from ...models.taps import Taps
from ...models.text_transformer import TextTransformer
from ...models.word_pieces import tokenize
from ...parameterisations import Flow
from ...schedules.noise import RectifiedFlow
from ...specs.models import TextEncoderSpec
from ...types import Autoencoder, Denoiser, Encoding, LatentSpace, TextEncoder
from ..errors import InvalidMatch
from ..family import Parts
from ..weights import build
from .flow_dit import Sizes

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")


def predict_velocity(
    network: nn.Module, x: Tensor, time: Tensor, encoding: Encoding, taps: Taps | None = None
) -> Tensor:
    """The DiT's call: context and its mask beside x and the time. It has no taps."""
    context = encoding.tokens.to(x.device, x.dtype)
    velocity: Tensor = network(x, time, context, encoding.mask.to(x.device))
    return velocity


@dataclass(frozen=True, kw_only=True, eq=False)
class WordPieceEncoder(TextEncoder):
    """Word pieces and a small transformer. tokenizer: of the `tokenizers` library, as JSON."""

    network: TextTransformer
    tokenizer: str

    def _tokenizer(self, *, cut: bool) -> Tokenizer:
        """Read anew each time (milliseconds): a Tokenizer has state that threads must not share."""
        tokenizer = Tokenizer.from_str(self.tokenizer)
        if cut:
            tokenizer.enable_truncation(self.network.config.length)
        else:
            tokenizer.no_truncation()
        return tokenizer

    def encode(self, texts: Sequence[str]) -> Encoding:
        """The start token stands before every text, so that none is empty."""
        ids, mask = tokenize(self._tokenizer(cut=True), texts)
        device = self.network.positions.device
        with torch.no_grad():
            tokens = self.network(ids.to(device), mask.to(device))
        return Encoding(tokens=tokens.float().cpu(), mask=mask)

    def dropped(self, text: str) -> tuple[int, int]:
        """Counted with the start token."""
        count = len(self._tokenizer(cut=False).encode(text).ids)
        return count, max(0, count - self.network.config.length)

    def spec(self) -> TextEncoderSpec:
        """As its network is."""
        return TextEncoderSpec.of_transformer(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class KLAutoencoder(Autoencoder):
    """`AutoencoderKL` with its latents normalised."""

    network: AutoencoderKL

    def encode(self, pixels: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch c h w"]:
        """The network reads [-1, 1]."""
        with torch.no_grad():
            mean, _ = self.network.encode(self._placed(2.0 * pixels - 1.0))
        return self.space.normalise(mean.float()).cpu()

    def decode(self, samples: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch 3 height width"]:
        """The network writes [-1, 1] and a little beyond."""
        with torch.no_grad():
            image = self.network.decode(self._placed(self.space.denormalise(samples)))
        return (image.float() / 2.0 + 0.5).clamp(0.0, 1.0).cpu().contiguous()

    def _placed(self, x: Tensor) -> Tensor:
        weight = next(self.network.parameters())
        return x.to(weight.device, weight.dtype)


def build_parts(path: Path, sizes: Sizes, tokenizer: str, space: LatentSpace, weights: Mapping[str, Tensor]) -> Parts:
    """The three models from their weights."""
    dit = _config(path, "denoiser", DiTConfig, sizes.denoiser)
    transformer = _config(path, "text_encoder", TextConfig, sizes.text_encoder)
    kl = _config(path, "autoencoder", AutoencoderConfig, sizes.autoencoder)
    denoiser = build(path, lambda: DiT(dit), weights, "denoiser.")
    text = build(path, lambda: TextTransformer(transformer), weights, "text_encoder.")
    autoencoder = build(path, lambda: AutoencoderKL(kl), weights, "autoencoder.")
    _check_tokenizer(path, tokenizer, transformer.vocabulary)
    return Parts(
        denoiser=Denoiser(
            network=denoiser,
            predict=predict_velocity,
            parameterisation=Flow(),
            schedule=RectifiedFlow(),
            space=space,
            multiple=dit.patch,
        ),
        text_encoder=WordPieceEncoder(network=text, tokenizer=tokenizer),
        autoencoder=KLAutoencoder(network=autoencoder, space=space),
    )


def _config(path: Path, name: str, kind: type[C], sizes: Mapping[str, object]) -> C:
    """The config with the given constructor arguments."""
    try:
        return TypeAdapter(kind).validate_python(dict(sizes))
    except ValidationError as error:
        raise InvalidMatch(path, f"its sizes do not make a {name}: {error.errors()[0]['msg']}") from error


def _check_tokenizer(path: Path, tokenizer: str, vocabulary: int) -> None:
    try:
        size = Tokenizer.from_str(tokenizer).get_vocab_size()
    except Exception as error:  # the library raises nothing narrower
        raise InvalidMatch(path, f"its tokenizer cannot be read: {error}") from error
    if size > vocabulary:
        raise InvalidMatch(path, f"its tokenizer has {size} entries, its text encoder {vocabulary}")
