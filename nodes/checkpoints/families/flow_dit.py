"""Text-to-image models of this project: a rectified-flow DiT, a text transformer and a KL autoencoder in one file.

Tensors lie below `denoiser.`, `text_encoder.` and `autoencoder.`; the metadata key `nodegraph` holds what shapes
cannot say. Recognising imports no torch; loading does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import InvalidMatch, MissingTensors, NotAMatch, UnknownTensors
from ..family import Device, Parts
from ..header import Header

METADATA_KEY = "nodegraph"

SIGNATURE = (
    "denoiser.patch_in.weight",
    "denoiser.context_in.weight",
    "denoiser.table_out",
    "text_encoder.tokens.weight",
    "text_encoder.positions",
    "autoencoder.encoder.conv_in.weight",
    "autoencoder.decoder.conv_in.weight",
)
"""Tensors that only this family has together."""


class LatentSection(BaseModel):
    """The latent space: normalised = (raw - shift) * scale. preview: see `LatentSpace`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scale: tuple[float, ...]
    shift: tuple[float, ...]
    preview: tuple[tuple[float, float, float], ...] = ()


class _Sizes(BaseModel):
    """The constructor arguments of a config in `nodes.models`: those that are compared with shapes, and any others."""

    model_config = ConfigDict(frozen=True, extra="allow")


class DenoiserSection(_Sizes):
    """`DiTConfig`."""

    channels: int
    patch: int
    width: int
    context_width: int


class TextSection(_Sizes):
    """`TextConfig`."""

    vocabulary: int
    length: int
    width: int


class AutoencoderSection(_Sizes):
    """`AutoencoderConfig`."""

    widths: tuple[int, ...] = Field(min_length=1)
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    image_channels: Literal[3] = 3
    latent_channels: int
    patch: int = Field(ge=1)


class Document(BaseModel):
    """The metadata; what else a trainer notes there (data, licences, figures) is not read here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    parameterisation: Literal["flow"]
    tokenizer: str
    latent: LatentSection
    denoiser: DenoiserSection
    text_encoder: TextSection
    autoencoder: AutoencoderSection


@dataclass(frozen=True, kw_only=True)
class FlowDiTRecipe:
    """A recognised file."""

    header: Header
    document: Document

    def load(self, device: Device) -> Parts:
        """Build the three models."""
        from ...types import LatentSpace
        from ..weights import read_weights
        from .flow_dit_parts import build_parts

        latent, autoencoder = self.document.latent, self.document.autoencoder
        space = LatentSpace(
            name=latent.name,
            channels=autoencoder.latent_channels,
            downscale=autoencoder.patch * 2 ** (len(autoencoder.widths) - 1),
            scale=latent.scale,
            shift=latent.shift,
            preview=latent.preview,
        )
        return build_parts(self.header.path, self.document, space, read_weights(self.header.path, device))


@dataclass(frozen=True)
class FlowDiT:
    """The family."""

    name: str = "nodegraph text-to-image (flow DiT)"

    def recognise(self, header: Header) -> FlowDiTRecipe:
        """By the signature tensors; sizes in the metadata must agree with shapes."""
        found = [name for name in SIGNATURE if name in header.tensors]
        if not found:
            raise NotAMatch("it has none of " + ", ".join(SIGNATURE[:3]) + ", ...")
        if missing := sorted(set(SIGNATURE) - set(found)):
            raise MissingTensors(header.path, f"it lacks {', '.join(missing)}")
        strangers = sorted(set(header.prefixes()) - {"denoiser", "text_encoder", "autoencoder"})
        if strangers:
            raise UnknownTensors(header.path, f"it holds {', '.join(f'{each}.*' for each in strangers)} as well")
        if METADATA_KEY not in header.metadata:
            raise InvalidMatch(header.path, f"its metadata have no {METADATA_KEY!r}, which holds tokenizer and sizes")
        try:
            document = Document.model_validate_json(header.metadata[METADATA_KEY])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise InvalidMatch(header.path, f"its metadata are wrong at {place}: {first['msg']}") from error
        _check_sizes(header, document)
        return FlowDiTRecipe(header=header, document=document)


def _check_sizes(header: Header, document: Document) -> None:
    """What the metadata say agrees with the shapes of the signature tensors."""
    d, t, a, latent = document.denoiser, document.text_encoder, document.autoencoder, document.latent
    finest, coarsest, pixels = a.widths[0], a.widths[-1], a.image_channels * a.patch**2
    expected = {
        "denoiser.patch_in.weight": (d.width, d.patch**2 * d.channels),
        "denoiser.context_in.weight": (d.width, d.context_width),
        "denoiser.table_out": (2, d.width),
        "text_encoder.tokens.weight": (t.vocabulary, t.width),
        "text_encoder.positions": (t.length, t.width),
        "autoencoder.encoder.conv_in.weight": (finest, pixels, 3, 3),
        "autoencoder.decoder.conv_in.weight": (coarsest, a.latent_channels, 3, 3),
    }
    for name, shape in expected.items():
        if (seen := header.tensors[name].shape) != shape:
            raise InvalidMatch(header.path, f"its metadata ask for {list(shape)} of {name}, which is {list(seen)}")
    agree = {
        "channels of denoiser and autoencoder": (d.channels, a.latent_channels),
        "widths of text and context": (t.width, d.context_width),
        "latent scales": (len(latent.scale), a.latent_channels),
        "latent shifts": (len(latent.shift), a.latent_channels),
    }
    for what, (one, other) in agree.items():
        if one != other:
            raise InvalidMatch(header.path, f"in its metadata the {what} are {one} and {other}")
    if not all(map(math.isfinite, (*latent.scale, *latent.shift))) or 0.0 in latent.scale:
        raise InvalidMatch(header.path, "its latent scales and shifts are not all usable numbers")
