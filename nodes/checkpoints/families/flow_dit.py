"""Text-to-image models of this project: a rectified-flow DiT, a text transformer and a KL autoencoder in one file.

Tensors lie below `denoiser.`, `text_encoder.` and `autoencoder.`; the metadata key `nodegraph` holds what shapes
cannot say. Recognising imports no torch; loading does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nodegraph.errors import shorten

from ..errors import InvalidMatch, MissingTensors, NotAMatch, UnknownTensors
from ..family import Device, Parts, PartSpecs
from ..header import Header

METADATA_KEY = "nodegraph"

FAMILY = "nodegraph text-to-image (flow DiT)"

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


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LatentSection(_Section):
    """The latent space: normalised = (raw - shift) * scale. preview: see `LatentSpace`."""

    channels: int
    downscale: int
    scale: tuple[float, ...]
    shift: tuple[float, ...]
    preview: tuple[tuple[float, float, float], ...] = ()


class DenoiserSection(_Section):
    """What the shapes of a `DiT` do not say."""

    architecture: Literal["dit"]
    heads: int = Field(ge=1)
    patch: int = Field(ge=1)


class TextSection(_Section):
    """What the shapes of a `TextTransformer` do not say."""

    architecture: Literal["text_transformer"]
    heads: int = Field(ge=1)
    tokenizer: str


class AutoencoderSection(_Section):
    """What the shapes of an `AutoencoderKL` do not say."""

    architecture: Literal["autoencoder_kl"]
    groups: int = Field(ge=1)
    patch: int = Field(ge=1)
    widths: tuple[int, ...] = Field(min_length=1)
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]


class Document(BaseModel):
    """The metadata; what else a trainer notes there (data, licences, figures) is not read here.

    family: the name of the latent space. image_size: pixels on a side that the model was trained at.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1]
    family: str
    parameterisation: Literal["flow"]
    image_size: int
    latent: LatentSection
    denoiser: DenoiserSection
    text_encoder: TextSection
    autoencoder: AutoencoderSection


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The constructor arguments of the three configs in `nodes.models`, from shapes and metadata."""

    denoiser: Mapping[str, int]
    text_encoder: Mapping[str, int]
    autoencoder: Mapping[str, int | tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class FlowDiTRecipe:
    """A recognised file."""

    header: Header
    document: Document
    sizes: Sizes

    def specs(self, precision: str) -> PartSpecs:
        """From the header alone."""
        from .flow_dit_specs import part_specs

        return part_specs(self, FAMILY, precision)

    def load(self, device: Device) -> Parts:
        """Build the three models."""
        from ...types import LatentSpace
        from ..weights import read_weights
        from .flow_dit_parts import build_parts

        latent = self.document.latent
        space = LatentSpace(
            name=self.document.family,
            channels=latent.channels,
            downscale=latent.downscale,
            scale=latent.scale,
            shift=latent.shift,
            preview=latent.preview,
        )
        tokenizer = self.document.text_encoder.tokenizer
        path = self.header.path
        return build_parts(path, self.sizes, tokenizer, space, read_weights(path, device))


@dataclass(frozen=True)
class FlowDiT:
    """The family."""

    name: str = FAMILY

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
        return FlowDiTRecipe(header=header, document=document, sizes=_sizes(header, document))


def _sizes(header: Header, document: Document) -> Sizes:
    """Read off the shapes; raises InvalidMatch where they contradict the metadata."""
    d, t, a, latent = document.denoiser, document.text_encoder, document.autoencoder, document.latent
    for name in SIGNATURE:
        shape = header.tensors[name].shape
        if len(shape) != (4 if "conv" in name else 2) or 0 in shape:
            raise InvalidMatch(header.path, f"{name} has the shape {list(header.tensors[name].shape)}")
    width, token = header.tensors["denoiser.patch_in.weight"].shape
    _, context_width = header.tensors["denoiser.context_in.weight"].shape
    vocabulary, text_width = header.tensors["text_encoder.tokens.weight"].shape
    length, _ = header.tensors["text_encoder.positions"].shape
    pixels = header.tensors["autoencoder.encoder.conv_in.weight"].shape[1]
    channels = header.tensors["autoencoder.decoder.conv_in.weight"].shape[1]
    agree = {
        "latent channels": (latent.channels, channels, len(latent.scale), len(latent.shift)),
        "numbers in a token of the denoiser": (d.patch**2 * channels, token),
        "numbers in a patch of the image": (3 * a.patch**2, pixels),
        "pixels per latent pixel": (latent.downscale, a.patch * 2 ** (len(a.widths) - 1)),
        "widths of text and context": (text_width, context_width),
        "resolutions of the autoencoder": (len(a.widths), len(a.encoder_blocks), len(a.decoder_blocks)),
        "remainders of widths by heads": (0, width % d.heads, text_width % t.heads),
    }
    for what, values in agree.items():
        if len(set(values)) > 1:
            raise InvalidMatch(header.path, f"its shapes and metadata disagree about the {what}: {values}")
    if not all(map(math.isfinite, (*latent.scale, *latent.shift))) or 0.0 in latent.scale:
        raise InvalidMatch(header.path, "its latent scales and shifts are not all usable numbers")
    _check_autoencoder(header, a)
    return Sizes(
        denoiser={"channels": channels, "patch": d.patch, "width": width, "heads": d.heads}
        | {"context_width": context_width}
        | _transformer(header, "denoiser.", width),
        text_encoder={"vocabulary": vocabulary, "length": length, "width": text_width, "heads": t.heads}
        | _transformer(header, "text_encoder.", text_width),
        autoencoder={"latent_channels": channels, **a.model_dump(exclude={"architecture"})},
    )


def _check_autoencoder(header: Header, a: AutoencoderSection) -> None:
    """Widths and blocks are within what the file holds, so that wrong ones do not fill the memory."""
    shapes = header.shapes("autoencoder.")
    widest = max(max(shape, default=0) for shape in shapes.values())
    if not all(1 <= width <= widest and width % a.groups == 0 for width in a.widths):
        what = f"multiples of {a.groups} up to {widest}"
        raise InvalidMatch(header.path, f"the autoencoder's widths are {what}, not {shorten(a.widths)}")
    blocks = (*a.encoder_blocks, *a.decoder_blocks)
    if min(blocks) < 0 or sum(blocks) > len(shapes):
        raise InvalidMatch(header.path, f"it does not hold {shorten(blocks)} blocks of an autoencoder")


def _transformer(header: Header, prefix: str, width: int) -> dict[str, int]:
    """Depth and width ratio of the feed-forward layers, from the blocks below `prefix`."""
    shapes = header.shapes(f"{prefix}blocks.")
    depth = len({name.partition(".")[0] for name in shapes})
    inner = next(iter(shapes.get("0.mlp.0.weight", ())), 0)
    if inner % width or not inner:
        raise InvalidMatch(header.path, f"{prefix}blocks.0.mlp.0.weight is missing or does not fit the width {width}")
    return {"depth": depth, "mlp_ratio": inner // width}
