"""What a written file of Stable Diffusion holds: each tensor's name there, and the weights that it is made of.

The inverse of `Source`. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..models.clip_text_shapes import clip_text_shapes
from ..models.configs import ClipTextConfig, LdmAutoencoderConfig, UNetConfig
from ..models.ldm_autoencoder_costs import ldm_autoencoder_shapes
from ..models.unet_shapes import unet_shapes
from .ldm_autoencoder import diffusers_autoencoder_sources
from .open_clip import open_clip_sources
from .sources import Source
from .unet_names import renamed, unet_modules

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One tensor of a file.

    name: in the file. weights: the names of those that it consists of, one after the other along axis 0. transpose: a
    matrix that is then turned. shape: what it is in the file.
    """

    name: str
    weights: Sequence[str]
    transpose: bool = False
    shape: Shape

    def assemble(self, values: Sequence[Tensor]) -> Tensor:
        """The tensor from its weights, contiguous; it is the weight itself where there is nothing to do."""
        import torch

        value = torch.cat(list(values)) if len(values) > 1 else values[0]
        if self.transpose:
            value = value.t()
        return value.reshape(self.shape).contiguous()


def unet_original(config: UNetConfig, prefix: str) -> list[Stored]:
    """Named as here, below a prefix."""
    return [_plain(prefix + name, name, shape) for name, shape in unet_shapes(config).items()]


def unet_diffusers(config: UNetConfig) -> list[Stored]:
    """Named as in diffusers."""
    modules = unet_modules(config)
    return [_plain(renamed(modules, name) or name, name, shape) for name, shape in unet_shapes(config).items()]


def autoencoder_original(config: LdmAutoencoderConfig, prefix: str) -> list[Stored]:
    """Named as here, below a prefix."""
    return [_plain(prefix + name, name, shape) for name, shape in ldm_autoencoder_shapes(config).items()]


def autoencoder_diffusers(config: LdmAutoencoderConfig) -> list[Stored]:
    """Named as in diffusers, whose attention has matrices."""
    shapes = ldm_autoencoder_shapes(config)
    sources = diffusers_autoencoder_sources(config).items()
    return [_plain(name, each.name, each.shape or shapes[each.name]) for name, each in sources]


def text_transformers(config: ClipTextConfig, prefix: str) -> list[Stored]:
    """Named as here, which is as in transformers, below a prefix."""
    return [_plain(prefix + name, name, shape) for name, shape in clip_text_shapes(config).items()]


def text_open_clip(config: ClipTextConfig, prefix: str) -> list[Stored]:
    """Named as in OpenCLIP, below a prefix."""
    sources = open_clip_sources(config.depth, config.projection is not None)
    return _inverted(sources, clip_text_shapes(config), prefix)


def _plain(name: str, weight: str, shape: Shape) -> Stored:
    return Stored(name=name, weights=(weight,), shape=shape)


def _inverted(sources: Mapping[str, Source], shapes: Mapping[str, Shape], prefix: str) -> list[Stored]:
    """What the sources are taken from; none of them reshapes."""
    parts: dict[str, dict[int, str]] = {}
    for weight, source in sources.items():
        parts.setdefault(source.name, {})[source.part[0] if source.part else 0] = weight
    found = []
    for name, weights in parts.items():
        ordered = [weights[index] for index in sorted(weights)]
        transpose = sources[ordered[0]].transpose
        shape = (sum(shapes[each][0] for each in ordered), *shapes[ordered[0]][1:])
        found.append(
            Stored(
                name=prefix + name,
                weights=ordered,
                transpose=transpose,
                shape=shape[::-1] if transpose else shape,
            )
        )
    return found
