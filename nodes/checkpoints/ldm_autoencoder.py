"""Files of the autoencoder of latent diffusion: the original layout and that of diffusers. Imports no torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..models.configs import LdmAutoencoderConfig
from ..models.ldm_autoencoder_costs import Shape, ldm_autoencoder_shapes
from ..specs.latent import LatentSpaceSpec
from .errors import InvalidMatch, MissingTensors, UnknownTensors, WrongShapes
from .header import Header
from .sources import Source

SpaceName = Literal["sd", "sdxl"]
"""Which of the latent spaces of Stable Diffusion: of the versions 1 and 2, or of XL."""

SCALES: Mapping[SpaceName, float] = {"sd": 0.18215, "sdxl": 0.13025}
"""Normalised latents are raw ones times this. Rombach et al. 2022, appendix G; Podell et al. 2023."""

PREFIX = "first_stage_model."
"""Of the autoencoder's tensors in a whole checkpoint."""

DROPPED = ("loss.", "model_ema.")
"""What training left in a file: the discriminator with its metric, and averaged copies of the weights."""

Attention = Literal["to_q", "query"]
"""How diffusers calls the projections of its attention: now, or until version 0.14."""

ATTENTION: Mapping[Attention, Mapping[str, str]] = {
    "to_q": {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"},
    "query": {"norm": "group_norm", "q": "query", "k": "key", "v": "value", "proj_out": "proj_attn"},
}
"""Names of the parts of the attention in diffusers, by those of the original."""

LDM = {"block": "encoder.down.{}.block.{}.", "quant": "quant_conv."}
DIFFUSERS = {"block": "encoder.down_blocks.{}.resnets.{}.", "quant": "quant_conv."}


def latent_space(space: SpaceName, config: LdmAutoencoderConfig) -> LatentSpaceSpec:
    """The latent space of that name."""
    scale, shift = (SCALES[space],) * config.latent_channels, (0.0,) * config.latent_channels
    return LatentSpaceSpec(
        name=space, channels=config.latent_channels, downscale=config.downscale, scale=scale, shift=shift
    )


def compute_dtype(space: SpaceName, precision: str) -> str:
    """The dtype to compute in where `precision` is wanted.

    Activations of the autoencoder of XL are beyond the 65,504 that float16 holds, so it computes in bfloat16 instead.
    """
    return "bfloat16" if (space, precision) == ("sdxl", "float16") else precision


def ldm_autoencoder_config(shapes: Mapping[str, Shape], groups: int = 32) -> LdmAutoencoderConfig:
    """What shapes in the original layout, without a prefix, say of the autoencoder.

    groups: of the normalisations, which no shape shows. Raises ValueError saying what is missing or does not fit; names
    and shapes that decide nothing are not looked at.
    """
    return _config(shapes, LDM, groups)


def diffusers_autoencoder_config(shapes: Mapping[str, Shape], groups: int = 32) -> LdmAutoencoderConfig:
    """The same of shapes in the layout of diffusers."""
    return _config(shapes, DIFFUSERS, groups)


def _config(shapes: Mapping[str, Shape], names: Mapping[str, str], groups: int) -> LdmAutoencoderConfig:
    channels, image_channels = _kernel(shapes, "encoder.conv_in.weight")
    _, latent_channels = _kernel(shapes, "decoder.conv_in.weight")
    levels = _count(shapes, names["block"].format("{}", "0") + "conv1.weight")
    blocks = _count(shapes, names["block"].format("0", "{}") + "conv1.weight")
    widths = [_kernel(shapes, names["block"].format(i, "0") + "conv1.weight")[0] for i in range(levels)]
    if not levels:
        raise ValueError(f"it lacks {names['block'].format('0', '0')}conv1.weight")
    if bad := [width for width in widths if width % channels]:
        raise ValueError(f"its widths {bad} are no multiples of the {channels} channels of encoder.conv_in")
    if channels % groups:
        raise ValueError(f"its {channels} channels do not divide into {groups} groups")
    return LdmAutoencoderConfig(
        channels=channels,
        multipliers=tuple(width // channels for width in widths),
        res_blocks=blocks,
        latent_channels=latent_channels,
        image_channels=image_channels,
        groups=groups,
        quant=any(name.startswith(names["quant"]) for name in shapes),
    )


def _kernel(shapes: Mapping[str, Shape], name: str) -> tuple[int, int]:
    """Channels out and in of a convolution."""
    if name not in shapes:
        raise ValueError(f"it lacks {name}")
    shape = shapes[name]
    if len(shape) != 4 or 0 in shape:
        raise ValueError(f"{name} has the shape {list(shape)}, which is none of a convolution")
    return shape[0], shape[1]


def _count(shapes: Mapping[str, Shape], template: str) -> int:
    """How many of the names with 0, 1, 2, ... in the template's place there are, up to the first that is not."""
    count = 0
    while template.format(count) in shapes:
        count += 1
    return count


def diffusers_name(name: str, config: LdmAutoencoderConfig, attention: Attention = "to_q") -> str:
    """The name in the layout of diffusers of a weight in the original layout."""
    last = len(config.multipliers) - 1
    rules = (
        (r"\.down\.(\d+)\.block\.", lambda m: f".down_blocks.{m[1]}.resnets."),
        (r"\.down\.(\d+)\.downsample\.", lambda m: f".down_blocks.{m[1]}.downsamplers.0."),
        (r"\.up\.(\d+)\.block\.", lambda m: f".up_blocks.{last - int(m[1])}.resnets."),
        (r"\.up\.(\d+)\.upsample\.", lambda m: f".up_blocks.{last - int(m[1])}.upsamplers.0."),
        (r"\.mid\.block_(\d)\.", lambda m: f".mid_block.resnets.{int(m[1]) - 1}."),
        (r"\.mid\.attn_1\.(\w+)\.", lambda m: f".mid_block.attentions.0.{ATTENTION[attention][m[1]]}."),
        (r"\.nin_shortcut\.", lambda _: ".conv_shortcut."),
        (r"\.norm_out\.", lambda _: ".conv_norm_out."),
    )
    for pattern, new in rules:
        name = re.sub(pattern, new, name)
    return name


def _is_projection(name: str) -> bool:
    """Whether a weight is of a 1 x 1 convolution that other files hold as a matrix."""
    return ".attn_1." in name and name.endswith(".weight") and ".norm." not in name


def ldm_autoencoder_sources(config: LdmAutoencoderConfig, attention: Attention = "to_q") -> dict[str, Source]:
    """Where every weight of the original layout lies in a file of diffusers."""
    return {
        name: Source(diffusers_name(name, config, attention), shape=shape if _is_projection(name) else None)
        for name, shape in ldm_autoencoder_shapes(config).items()
    }


def diffusers_autoencoder_sources(config: LdmAutoencoderConfig, attention: Attention = "to_q") -> dict[str, Source]:
    """Where every weight of the layout of diffusers lies in a file of the original one.

    The projections of the attention become matrices, as diffusers has them now.
    """
    return {
        diffusers_name(name, config, attention): Source(name, shape=shape[:2] if _is_projection(name) else None)
        for name, shape in ldm_autoencoder_shapes(config).items()
    }


@dataclass(frozen=True, kw_only=True)
class AutoencoderFile:
    """A recognised file. sources: by the names of the network's weights; names with the file's prefix."""

    config: LdmAutoencoderConfig
    sources: Mapping[str, Source]

    @classmethod
    def of(cls, header: Header, prefix: str = "") -> AutoencoderFile:
        """From names and shapes below `prefix`, in either layout. All of them must fit.

        Raises InvalidMatch, MissingTensors, UnknownTensors or WrongShapes. Names in `DROPPED` are passed over.
        """
        shapes = {name: each for name, each in header.shapes(prefix).items() if not name.startswith(DROPPED)}
        diffusers = any(name.startswith("encoder.down_blocks.") for name in shapes)
        try:
            config = (diffusers_autoencoder_config if diffusers else ldm_autoencoder_config)(shapes)
        except ValueError as error:
            raise InvalidMatch(header.path, f"as an autoencoder of Stable Diffusion, {error}") from error
        wanted = ldm_autoencoder_shapes(config)
        if diffusers:
            old = "encoder.mid_block.attentions.0.query.weight" in shapes
            sources = ldm_autoencoder_sources(config, "query" if old else "to_q")
        else:
            sources = {name: Source(name, shape=wanted[name] if _is_projection(name) else None) for name in wanted}
        _check(header.path, {sources[name].name: shape for name, shape in wanted.items()}, shapes, prefix)
        placed = {name: Source(prefix + each.name, shape=each.shape) for name, each in sources.items()}
        return cls(config=config, sources=placed)


def _check(path: Path, wanted: Mapping[str, Shape], shapes: Mapping[str, Shape], prefix: str) -> None:
    """Every wanted tensor is there in its shape, or as a matrix where it is a 1 x 1 convolution; nothing else is."""
    if missing := sorted(wanted.keys() - shapes.keys()):
        raise MissingTensors(path, f"it lacks {_some(missing, prefix)}")
    if unknown := sorted(shapes.keys() - wanted.keys()):
        raise UnknownTensors(path, f"it holds {_some(unknown, prefix)}, which no autoencoder of this shape has")
    wrong = [
        f"{name} {list(shapes[name])} (not {list(shape)})"
        for name, shape in wanted.items()
        if shapes[name] != shape and not _is_matrix_of(shapes[name], shape, name)
    ]
    if wrong:
        raise WrongShapes(path, f"it holds {_some(wrong, prefix)}")


def _is_matrix_of(found: Shape, wanted: Shape, name: str) -> bool:
    in_attention = ".attn_1." in name or ".attentions.0." in name
    return in_attention and found == wanted[:2] and math.prod(found) == math.prod(wanted)


def _some(names: Iterable[str], prefix: str, limit: int = 5) -> str:
    every = [prefix + name for name in names]
    shown = ", ".join(every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"


__all__ = ["AutoencoderFile", "ldm_autoencoder_config", "ldm_autoencoder_sources"]
