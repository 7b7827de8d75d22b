"""What trainers give: weights by value, with the shape of their network, so that the network can be built again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from jaxtyping import Float
from tokenizers import Tokenizer
from torch import Tensor, nn

from nodegraph import wire

from ..models.autoencoder_kl import AutoencoderKL
from ..models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from ..models.image_text_matcher import ImageTextMatcher
from .denoiser import FlowData, TextToLatent
from .icon_data import IconEntry

M = TypeVar("M", bound=nn.Module)

Weights = dict[str, Tensor]
"""A network's state: tensors by name."""


@wire(portable=True, shown="nodes.showing.training:TrainedShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedAutoencoder:
    """An autoencoder's averaged weights after `steps` steps."""

    config: AutoencoderConfig
    weights: Weights
    steps: int

    def build(self) -> AutoencoderKL:
        """The network, in evaluation mode on the CPU."""
        return _filled(AutoencoderKL(self.config), self.weights)


@wire(portable=True, shown="nodes.showing.training:TrainedShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedDenoiser:
    """The averaged weights of a denoiser and the text encoder trained with it, after `steps` steps.

    tokenizer: JSON of the tokenizer they were trained with.
    """

    denoiser: DiTConfig
    text_encoder: TextConfig
    tokenizer: str
    weights: Weights
    steps: int

    def build(self) -> TextToLatent:
        """The networks, in evaluation mode on the CPU."""
        return _filled(TextToLatent(self.denoiser, self.text_encoder), self.weights)


@wire(portable=True, shown="nodes.showing.training:TrainedShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedMatcher:
    """A picture-caption matcher's weights after `steps` steps.

    tokenizer: JSON of the tokenizer it reads captions with.
    """

    config: MatcherConfig
    tokenizer: str
    weights: Weights
    steps: int

    def build(self) -> ImageTextMatcher:
        """The network, in evaluation mode on the CPU."""
        return _filled(ImageTextMatcher(self.config), self.weights)


@wire(portable=True, shown="nodes.showing.training:LatentDataShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class LatentData:
    """A data set as an autoencoder sees it.

    latents: what the encoder gives (means). shift, scale: per channel; (latent - shift) * scale has mean 0 and variance
    1. preview: a linear map from normalised latents to RGB in [0, 1], see `LatentSpace.preview`. image_size: pixels on
    a side. entries, sources: as in `IconData`.
    """

    latents: Float[Tensor, "n z h w"]
    shift: tuple[float, ...]
    scale: tuple[float, ...]
    preview: tuple[tuple[float, float, float], ...]
    image_size: int
    entries: tuple[IconEntry, ...]
    sources: tuple[dict[str, str], ...]

    def normalised(self, tokenizer: Tokenizer) -> FlowData:
        """What a denoiser is trained on."""
        shift, scale = (self.latents.new_tensor(each)[:, None, None] for each in (self.shift, self.scale))
        return FlowData(latents=(self.latents - shift) * scale, entries=self.entries, tokenizer=tokenizer)


def _filled(network: M, weights: Weights) -> M:
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)
