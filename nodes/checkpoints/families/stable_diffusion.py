"""Stable Diffusion 1, 2 and XL in single files of the original layout. Recognising imports no torch; loading does.

The denoiser lies below `model.diffusion_model.`, the autoencoder below `first_stage_model.`, the text encoders below
`cond_stage_model.` (1 and 2) or `conditioner.embedders.` (XL). Rombach et al. 2022; Podell et al. 2023.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...models.clip_text_shapes import clip_text_shapes
from ...models.configs import CLIP_L, OPEN_CLIP_BIGG, OPEN_CLIP_H, ClipTextConfig, UNetConfig
from ...models.unet_shapes import unet_shapes
from ...specs.clip import ClipTowerSpec
from ..errors import InvalidMatch, MissingTensors, NotAMatch, UnknownTensors
from ..family import Device, Parts, PartSpecs
from ..header import Header
from ..kinds import kind_of
from ..ldm_autoencoder import AutoencoderFile, SpaceName
from ..open_clip import open_clip_sources
from ..sources import Source
from ..unet import unet_config
from .stable_diffusion_told import Told

UNET, AUTOENCODER = "model.diffusion_model.", "first_stage_model."

SIGNATURE = f"{UNET}input_blocks.0.0.weight"

DROPPED = re.compile(
    r"""model_ema\..*                              # averaged weights, used where they are asked for
    |(sqrt_)?(one_minus_)?alphas_cumprod(_prev)?|betas|logvar|scale_factor  # the noise schedule
    |sqrt_(recip|recipm1|one_minus)_alphas_cumprod|log_one_minus_alphas_cumprod
    |posterior_(variance|log_variance_clipped|mean_coef[12])|lvlb_weights|model_lvlb_weights
    |denoiser\.(sigmas|log_sigmas)
    |.*\.position_ids|.*\.logit_scale|.*\.attn_mask
    |first_stage_model\.(loss|model_ema)\..*
    |v_pred|ztsnr                               # marks of how it was trained
    """,
    re.VERBOSE,
)
"""What files hold beside the weights of the three models."""

CLIP_WIDTHS = {each.width: each for each in (CLIP_L, OPEN_CLIP_H, OPEN_CLIP_BIGG)}
"""The full text encoders by their width."""


@dataclass(frozen=True, kw_only=True)
class Tower:
    """A text encoder in a file. sources: of its weights, by their names in `ClipText`."""

    spec: ClipTowerSpec
    sources: Mapping[str, Source]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the weights of each model lie in a file. zero_terminal: whether the noise schedule ends in pure noise."""

    unet: UNetConfig
    unet_sources: Mapping[str, Source]
    towers: tuple[Tower, ...]
    autoencoder: AutoencoderFile
    space: SpaceName
    zero_terminal: bool = False

    @property
    def asks_weights(self) -> bool:
        """Whether only weights tell what it predicts: of version 2 there are two kinds of equal shapes."""
        return asks_weights(self.unet)

    def plan(self) -> dict[str, Source]:
        """All of it by names that begin with the model's: `unet.`, `text.0.`, `autoencoder.`."""
        found = {f"unet.{name}": source for name, source in self.unet_sources.items()}
        for index, tower in enumerate(self.towers):
            found |= {f"text.{index}.{name}": source for name, source in tower.sources.items()}
        return found | {f"autoencoder.{name}": source for name, source in self.autoencoder.sources.items()}


@dataclass(frozen=True, kw_only=True)
class StableDiffusionRecipe:
    """A recognised file. family: its name for people."""

    header: Header
    family: str
    layout: Layout
    told: Told

    def specs(self, precision: str) -> PartSpecs:
        """From the header alone."""
        from .stable_diffusion_specs import part_specs

        prediction = self.told.prediction or ("" if self.layout.asks_weights else "eps")
        return part_specs(self.layout, prediction, self.family, precision)

    def load(self, device: Device) -> Parts:
        """Build the models."""
        from .stable_diffusion_parts import marked_prediction, read_parts

        file = [self.header]
        prediction = self.told.prediction or marked_prediction(self.header, self.layout)
        return read_parts(self.layout, device, prediction, file, file, [file] * len(self.layout.towers))


@dataclass(frozen=True)
class StableDiffusion:
    """The family."""

    name: str = "Stable Diffusion (single file)"

    def recognise(self, header: Header) -> StableDiffusionRecipe:
        """By the first convolution of its UNet; what the file lacks or has beside is an error."""
        if SIGNATURE not in header.tensors:
            raise NotAMatch(f"it has no {SIGNATURE}")
        try:
            unet = unet_config(header.shapes(UNET))
        except ValueError as error:
            raise InvalidMatch(header.path, f"as a UNet of Stable Diffusion, {error}") from error
        if any(name.startswith("control_model.") for name in header.tensors):
            raise InvalidMatch(
                header.path,
                f"it is {kind_of(header)} together with the model that it was trained for",
                "load it with load_controlnet, and the model from a checkpoint of its own",
            )
        towers = find_towers(header)
        if not any(name.startswith(AUTOENCODER) for name in header.tensors):
            raise MissingTensors(
                header.path,
                "it holds a UNet, but no autoencoder (first_stage_model.*)",
                "load it with load_denoiser, and autoencoder and text encoder from files of their own",
            )
        space: SpaceName = "sdxl" if unet.vector_width else "sd"
        told = Told.of(header)
        layout = Layout(
            unet=unet,
            unet_sources={name: Source(UNET + name) for name in unet_shapes(unet)},
            towers=with_layers(header, towers, told.text_layers),
            autoencoder=AutoencoderFile.of(header, AUTOENCODER),
            space=space,
            zero_terminal=told.zero_terminal,
        )
        check_used(header, layout)
        return StableDiffusionRecipe(header=header, family=version(unet), layout=layout, told=told)


def with_layers(header: Header, towers: tuple[Tower, ...], layers: tuple[int, ...]) -> tuple[Tower, ...]:
    """The towers, each giving the layer that the file says; where it says nothing, that of its version."""
    if not layers:
        return towers
    fits = [
        tower.spec.absent < layer <= tower.spec.absent + tower.spec.config.depth
        for tower, layer in zip(towers, layers, strict=False)
    ]
    if len(layers) != len(towers) or not all(fits):
        raise InvalidMatch(header.path, f"its metadata name the text layers {list(layers)}, which it does not have")
    return tuple(
        replace(tower, spec=replace(tower.spec, layer=layer)) for tower, layer in zip(towers, layers, strict=True)
    )


def asks_weights(unet: UNetConfig) -> bool:
    """Whether there are two kinds of models with such a UNet: the 512 and the 768 pixel ones of version 2."""
    return unet.context_width == OPEN_CLIP_H.width and unet.in_channels == 4


def version(unet: UNetConfig) -> str:
    """Such as "Stable Diffusion 1, inpainting"."""
    kinds = {768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL"}
    kinds[1280] = "Stable Diffusion XL refiner"
    name = kinds.get(unet.context_width, f"Stable Diffusion of context width {unet.context_width}")
    channels = {4: "", 9: ", inpainting", 8: ", editing by instructions", 5: ", depth"}
    return name + channels.get(unet.in_channels, f", {unet.in_channels} input channels")


def check_used(header: Header, layout: Layout) -> None:
    """Every tensor of the file is used or known to be of no use."""
    used = {source.name for source in layout.plan().values()}
    unknown = sorted(name for name in header.tensors if name not in used and not DROPPED.fullmatch(name))
    if unknown:
        shown = ", ".join(unknown[:5])
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise UnknownTensors(header.path, f"it holds {shown}{more}, which {version(layout.unet)} does not have")
    if missing := sorted(used - header.tensors.keys()):
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise MissingTensors(header.path, f"it lacks {', '.join(missing[:5])}{more}")


def find_towers(header: Header) -> tuple[Tower, ...]:
    """The text encoders of a single file. Raises MissingTensors where there is none."""
    old = "cond_stage_model.transformer."
    if any(name.startswith(old) for name in header.tensors):
        return (openai_tower(header, old, layer=1, final_norm=True),)
    if any(name.startswith("cond_stage_model.model.") for name in header.tensors):
        return (open_clip_tower(header, "cond_stage_model.model.", final_norm=True),)
    found = []
    for index in (0, 1):
        prefix = f"conditioner.embedders.{index}."
        if any(name.startswith(f"{prefix}transformer.") for name in header.tensors):
            found.append(openai_tower(header, f"{prefix}transformer.", layer=2, final_norm=False))
        elif any(name.startswith(f"{prefix}model.") for name in header.tensors):
            found.append(open_clip_tower(header, f"{prefix}model.", final_norm=False))
    if not found:
        raise MissingTensors(
            header.path,
            "it holds a UNet, but no text encoder (cond_stage_model.* or conditioner.*)",
            "load it with load_denoiser, and autoencoder and text encoder from files of their own",
        )
    return tuple(found)


def openai_tower(header: Header, prefix: str, *, layer: int, final_norm: bool) -> Tower:
    """A text encoder whose tensors are named as ours, but for a `text_model.` that some tools leave out."""
    stored = header.shapes(prefix)
    inner = "" if any(name.startswith("text_model.") for name in stored) else "text_model."
    shapes = {name if name.startswith("text_projection") else inner + name: each for name, each in stored.items()}
    config = clip_config(header, shapes, "text_projection.weight" in shapes)
    return Tower(
        spec=ClipTowerSpec(
            config=config,
            pad=END_ID if config.activation == "quick_gelu" else 0,
            layer=layer,
            final_norm=final_norm,
            absent=absent_layers(config),
        ),
        sources={name: Source(prefix + name.removeprefix(inner)) for name in clip_text_shapes(config)},
    )


def open_clip_tower(header: Header, prefix: str, *, final_norm: bool) -> Tower:
    """A text encoder in OpenCLIP's layout."""
    shapes = header.shapes(prefix)
    depth = len({match[1] for name in shapes if (match := re.match(r"transformer\.resblocks\.(\d+)\.", name))})
    sources = open_clip_sources(depth, "text_projection" in shapes)
    ours = {name: shapes[source.name] for name, source in sources.items() if source.name in shapes}
    config = replace(clip_config(header, ours, "text_projection" in shapes), activation="gelu")
    return Tower(
        spec=ClipTowerSpec(config=config, pad=0, layer=2, final_norm=final_norm, absent=absent_layers(config)),
        sources={name: replace(source, name=prefix + source.name) for name, source in sources.items()},
    )


END_ID = 49407
"""What OpenAI's CLIP fills its prompts with: its end token."""


def clip_config(header: Header, shapes: Mapping[str, tuple[int, ...]], projection: bool) -> ClipTextConfig:
    """From shapes under our names, but for what they do not tell: heads are 64 wide, the width tells the activation."""
    tokens = shapes.get("text_model.embeddings.token_embedding.weight", ())
    positions = shapes.get("text_model.embeddings.position_embedding.weight", ())
    mlp = shapes.get("text_model.encoder.layers.0.mlp.fc1.weight", ())
    if len(tokens) != 2 or len(positions) != 2 or len(mlp) != 2 or tokens[1] % 64:
        raise InvalidMatch(header.path, "its text encoder has no usable embeddings or layers")
    depth = len({match[1] for name in shapes if (match := re.match(r"text_model\.encoder\.layers\.(\d+)\.", name))})
    pooled = shapes.get("text_projection.weight", (None,))
    return ClipTextConfig(
        vocabulary=tokens[0],
        length=positions[0],
        width=tokens[1],
        depth=depth,
        heads=tokens[1] // 64,
        mlp_width=mlp[0],
        activation="gelu" if tokens[1] in (OPEN_CLIP_H.width, OPEN_CLIP_BIGG.width) else "quick_gelu",
        projection=pooled[0] if projection else None,
    )


def absent_layers(config: ClipTextConfig) -> int:
    """How many of the full model's last layers a file leaves out, since nothing needs them."""
    full = CLIP_WIDTHS.get(config.width)
    return max(0, full.depth - config.depth) if full is not None and full.depth - config.depth == 1 else 0
