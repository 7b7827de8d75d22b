"""Data sets and trained models that are not there yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from nodegraph.spec import Spec

from ..models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from ..models.costs import autoencoder_parameters, dit_parameters, matcher_parameters, text_parameters
from .image import FLOAT32

ENTRY = 700
"""Bytes of what is known about one picture: a few short texts and the objects around them."""


@dataclass(frozen=True, kw_only=True)
class IconDataSpec(Spec):
    """Pictures with captions. exact: whether the count is more than a guess."""

    wire: ClassVar[str] = "nodes.IconData"

    count: int
    height: int
    width: int
    exact: bool = field(default=True, compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its pixels."""
        count, height, width, _ = map(int, value.pixels.shape)
        return cls(count=count, height=height, width=width)

    def __len__(self) -> int:
        return self.count

    def agrees(self, found: object) -> bool:
        """A guessed count may be wrong."""
        return self == found or (
            not self.exact and isinstance(found, IconDataSpec) and self == replace(found, count=self.count)
        )

    @property
    def samples(self) -> int:
        """Numbers in all pictures, a byte each."""
        return 3 * self.count * self.height * self.width

    @property
    def own(self) -> int:
        """Pixels and captions."""
        return self.samples + ENTRY * self.count

    def __str__(self) -> str:
        return f"{'' if self.exact else 'about '}{self.count:,} pictures of {self.width} x {self.height} with captions"


@dataclass(frozen=True, kw_only=True)
class LatentDataSpec(Spec):
    """A data set as an autoencoder sees it."""

    wire: ClassVar[str] = "nodes.LatentData"

    count: int
    channels: int
    height: int
    width: int
    exact: bool = field(default=True, compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its latents."""
        count, channels, height, width = map(int, value.latents.shape)
        return cls(count=count, channels=channels, height=height, width=width)

    @property
    def latents(self) -> int:
        """Bytes of the latents alone."""
        return FLOAT32 * self.count * self.channels * self.height * self.width

    @property
    def own(self) -> int:
        """Latents and captions."""
        return self.latents + ENTRY * self.count

    def __str__(self) -> str:
        about = "" if self.exact else "about "
        return f"{about}{self.count:,} latents of {self.channels} x {self.height} x {self.width} with captions"


@dataclass(frozen=True, kw_only=True)
class TokenizerSpec(Spec):
    """The text that describes a tokenizer. vocabulary: at most. length: most tokens of a prompt; None cuts none."""

    wire: ClassVar[str] = ""

    vocabulary: int = field(compare=False)
    length: int | None

    @classmethod
    def of(cls, value: str) -> Self:
        """From the JSON."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(value)
        length = None if tokenizer.truncation is None else int(tokenizer.truncation["max_length"])
        return cls(vocabulary=tokenizer.get_vocab_size(), length=length)

    @property
    def own(self) -> int:
        """About 20 characters per token."""
        return 20 * self.vocabulary

    def __str__(self) -> str:
        return f"tokenizer of at most {self.vocabulary:,} tokens"


@dataclass(frozen=True, kw_only=True)
class TrainedAutoencoderSpec(Spec):
    """A trained autoencoder."""

    wire: ClassVar[str] = "nodes.TrainedAutoencoder"

    config: AutoencoderConfig

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its shape."""
        return cls(config=value.config)

    @property
    def parameters(self) -> int:
        """Weights."""
        return autoencoder_parameters(self.config)

    @property
    def own(self) -> int:
        """Weights in float32."""
        return FLOAT32 * self.parameters

    def __str__(self) -> str:
        return f"trained autoencoder, {self.parameters / 1e6:.1f} million parameters"


@dataclass(frozen=True, kw_only=True)
class TrainedDenoiserSpec(Spec):
    """A trained denoiser with its text encoder."""

    wire: ClassVar[str] = "nodes.TrainedDenoiser"

    denoiser: DiTConfig
    text_encoder: TextConfig

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its shapes."""
        return cls(denoiser=value.denoiser, text_encoder=value.text_encoder)

    @property
    def parameters(self) -> int:
        """Weights of both."""
        return dit_parameters(self.denoiser) + text_parameters(self.text_encoder)

    @property
    def own(self) -> int:
        """Weights in float32, and the tokenizer."""
        return FLOAT32 * self.parameters + 20 * self.text_encoder.vocabulary

    def __str__(self) -> str:
        return f"trained denoiser and text encoder, {self.parameters / 1e6:.1f} million parameters"


@dataclass(frozen=True, kw_only=True)
class TrainedMatcherSpec(Spec):
    """A trained matcher of pictures and captions."""

    wire: ClassVar[str] = "nodes.TrainedMatcher"

    config: MatcherConfig

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its shape."""
        return cls(config=value.config)

    @property
    def parameters(self) -> int:
        """Weights."""
        return matcher_parameters(self.config)

    @property
    def own(self) -> int:
        """Weights in float32, and the tokenizer."""
        return FLOAT32 * self.parameters + 20 * self.config.text.vocabulary

    def __str__(self) -> str:
        return f"trained matcher, {self.parameters / 1e6:.1f} million parameters"
