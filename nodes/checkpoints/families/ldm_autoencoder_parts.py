"""The autoencoder of latent diffusion as a handle, and building it from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ...models.configs import LdmAutoencoderConfig
from ...models.ldm_autoencoder import LdmAutoencoder
from ...types import Autoencoder, LatentSpace
from ..errors import MissingTensors
from ..ldm_autoencoder import AutoencoderFile, SpaceName, latent_space
from ..sources import take
from ..weights import build


@dataclass(frozen=True, kw_only=True, eq=False)
class LdmKLAutoencoder(Autoencoder):
    """`LdmAutoencoder` with its latents normalised. It computes in the dtype and memory format of its weights.

    Activations of the autoencoder of Stable Diffusion XL are beyond what float16 holds: give it weights in bfloat16 or
    float32 (`compute_dtype` says which).
    """

    network: LdmAutoencoder

    def encode(self, pixels: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch c h w"]:
        """The network reads [-1, 1]."""
        with torch.no_grad():
            mean, _ = self.network.encode(self._placed(2.0 * pixels - 1.0))
        return self.space.normalise(mean.float()).cpu().contiguous()

    def decode(self, samples: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch 3 height width"]:
        """The network writes [-1, 1] and a little beyond."""
        with torch.no_grad():
            image = self.network.decode(self._placed(self.space.denormalise(samples)))
        return (image.float() / 2.0 + 0.5).clamp(0.0, 1.0).cpu().contiguous()

    def _placed(self, x: Tensor) -> Tensor:
        weight = next(self.network.parameters())
        return x.to(weight.device, weight.dtype).contiguous(memory_format=torch.channels_last)


def build_ldm_autoencoder(
    path: Path, file: AutoencoderFile, weights: Mapping[str, Tensor], space: SpaceName
) -> LdmKLAutoencoder:
    """The autoencoder from the weights of a file, in channels_last format.

    weights: by their names in the file, in the dtype to compute in; others than the autoencoder's are passed over.
    """
    missing = [source.name for source in file.sources.values() if source.name not in weights]
    if missing:
        raise MissingTensors(path, f"it has lost {missing[0]}")
    state = {name: take(weights[source.name], source) for name, source in file.sources.items()}
    return autoencoder_handle(path, file.config, state, space)


def autoencoder_handle(
    path: Path, config: LdmAutoencoderConfig, weights: Mapping[str, Tensor], space: SpaceName
) -> LdmKLAutoencoder:
    """The autoencoder from its weights by their own names, in channels_last format."""
    network = build(path, lambda: LdmAutoencoder(config), weights, "")
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    about = latent_space(space, config)
    return LdmKLAutoencoder(
        network=network,
        space=LatentSpace(
            name=about.name,
            channels=about.channels,
            downscale=about.downscale,
            scale=about.scale,
            shift=about.shift,
        ),
    )
