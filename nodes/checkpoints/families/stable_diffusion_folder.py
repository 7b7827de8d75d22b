"""Stable Diffusion as a folder of diffusers, with weights and a config for each model. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodegraph.files import MODEL_INDEX

from ...models.configs import UNetConfig
from ...models.unet_shapes import unet_shapes
from ...specs.clip import ClipTowerSpec
from ..errors import InvalidMatch, MissingTensors, PickleRefused, UnknownFamily, UnknownTensors
from ..family import Device, Parts, PartSpecs
from ..header import Header, read_header
from ..ldm_autoencoder import SCALES, AutoencoderFile, SpaceName
from ..unet import diffusers_unet_config, renamed_sources
from ..unet_names import unet_modules
from .stable_diffusion import DROPPED, END_ID, Layout, Tower, absent_layers, openai_tower, version
from .stable_diffusion_specs import BETA_END, BETA_START, TRAINING_STEPS

STEMS = ("diffusion_pytorch_model", "model")
"""How files of weights are called."""

PREDICTIONS = {"epsilon": "eps", "v_prediction": "v"}

SCHEDULE = {
    "num_train_timesteps": TRAINING_STEPS, "beta_start": BETA_START, "beta_end": BETA_END,
    "beta_schedule": "scaled_linear",
}  # fmt: skip
"""The only noise schedule that Stable Diffusion was trained with."""


@dataclass(frozen=True, kw_only=True)
class FolderRecipe:
    """A recognised folder. headers: of the files of each model, in the order UNet, autoencoder, text encoders."""

    folder: Path
    family: str
    layout: Layout
    prediction: str
    headers: Sequence[Sequence[Header]]

    @property
    def header(self) -> Header:
        """All tensors of all files as if they lay in one, for counting; names begin with their file's number."""
        every = [header for headers in self.headers for header in headers]
        tensors = {f"{i}.{name}": entry for i, each in enumerate(every) for name, entry in each.tensors.items()}
        return Header(path=self.folder, tensors=tensors, metadata={})

    def specs(self, precision: str) -> PartSpecs:
        """From the headers alone."""
        from .stable_diffusion_specs import part_specs

        return part_specs(self.layout, self.prediction, self.family, precision)

    def load(self, device: Device) -> Parts:
        """Build the models."""
        from .stable_diffusion_parts import read_parts

        unet, autoencoder, *towers = self.headers
        return read_parts(self.layout, device, self.prediction, unet, autoencoder, towers)


def recognise_folder(folder: Path) -> FolderRecipe:
    """From its index, its configs and the headers of its files.

    Raises UnknownFamily where it is another pipeline, and the `CheckpointError` that names what is wrong.
    """
    index = json_table(folder / MODEL_INDEX)
    classes = {name: value[1] for name, value in index.items() if isinstance(value, list) and len(value) == 2}
    if classes.get("unet") != "UNet2DConditionModel" or classes.get("vae") != "AutoencoderKL":
        raise UnknownFamily(folder, f"it is a pipeline of diffusers of the class {index.get('_class_name')!r}")
    unet_headers, vae_headers = (weights_in(folder / name) for name in ("unet", "vae"))
    unet_config, sources = _unet(folder, unet_headers)
    encoders = [name for name in ("text_encoder", "text_encoder_2") if classes.get(name)]
    tower_headers = [weights_in(folder / name) for name in encoders]
    towers = [
        _tower(folder, name, headers, xl=unet_config.vector_width > 0)
        for name, headers in zip(encoders, tower_headers, strict=True)
    ]
    layout = Layout(
        unet=unet_config,
        unet_sources=sources,
        towers=tuple(towers),
        autoencoder=AutoencoderFile.of(merged(vae_headers)),
        space=_space(folder, unet_config),
        zero_terminal=bool(_scheduler(folder).get("rescale_betas_zero_snr", False)),
    )
    return FolderRecipe(
        folder=folder,
        family=f"{version(unet_config)} (diffusers folder)",
        layout=layout,
        prediction=_prediction(folder),
        headers=[unet_headers, vae_headers, *tower_headers],
    )


def weights_in(folder: Path) -> list[Header]:
    """The headers of a model's files: whole, in half precision, or in shards. PickleRefused where there are others."""
    for stem in STEMS:
        shards = folder / f"{stem}.safetensors.index.json"
        if shards.is_file():
            names = sorted(set(json_table(shards).get("weight_map", {}).values()))
            if any("/" in name or "\\" in name or name.startswith(".") for name in names):
                raise InvalidMatch(folder.parent, f"{shards.name} names files outside {folder.name}")
            return [read_header(folder / name) for name in names]
        for variant in (".safetensors", ".fp16.safetensors"):
            if (folder / f"{stem}{variant}").is_file():
                return [read_header(folder / f"{stem}{variant}")]
    if any(folder.glob("*.bin")):
        raise PickleRefused(folder.parent, f"{folder.name} holds Python pickles (.bin), which can run any program")
    raise MissingTensors(folder.parent, f"{folder.name} holds no file of weights ({STEMS[0]}.safetensors)")


def merged(headers: Sequence[Header]) -> Header:
    """Several files as one."""
    tensors = {name: entry for header in headers for name, entry in header.tensors.items()}
    return replace(headers[0], tensors=tensors)


def _unet(folder: Path, headers: Sequence[Header]) -> tuple[UNetConfig, dict[str, Any]]:
    shapes = merged(headers).shapes()
    try:
        config = diffusers_unet_config(shapes)
    except ValueError as error:
        raise InvalidMatch(folder, f"as a UNet of Stable Diffusion, {error}") from error
    config = with_heads(folder, config, json_table(folder / "unet" / "config.json"))
    sources = renamed_sources(unet_modules(config), unet_shapes(config), shapes)
    used = {source.name for source in sources.values()}
    if unknown := sorted(shapes.keys() - used):
        raise UnknownTensors(folder, f"its unet holds {', '.join(unknown[:5])}, which {version(config)} does not have")
    if missing := sorted(used - shapes.keys()):
        raise MissingTensors(folder, f"its unet lacks {', '.join(missing[:5])}")
    return config, sources


def with_heads(path: Path, config: UNetConfig, about: Mapping[str, Any]) -> UNetConfig:
    """With the heads that the config of diffusers tells, which shapes do not. InvalidMatch where they cannot be."""
    heads = about.get("attention_head_dim", config.heads or None)  # the name is theirs, the number is of heads
    if isinstance(heads, int):
        if heads < 1 or any(multiplier * config.channels % heads for multiplier in config.multipliers):
            raise InvalidMatch(path, f"its attention has {heads} heads, which do not divide its widths")
        return replace(config, heads=heads)
    if not isinstance(heads, list):
        return config
    if len(heads) != len(config.multipliers) or not all(isinstance(each, int) and each > 0 for each in heads):
        raise InvalidMatch(path, f"its attention has {heads} heads in {len(config.multipliers)} levels")
    pairs = zip(config.multipliers, heads, strict=True)
    widths = [multiplier * config.channels // count for multiplier, count in pairs]
    if len(set(widths)) != 1:
        raise InvalidMatch(path, f"heads of different widths in its UNet: {widths}")
    return replace(config, heads=0, head_width=widths[0])


def _tower(folder: Path, name: str, headers: Sequence[Header], *, xl: bool) -> Tower:
    header, about = merged(headers), json_table(folder / name / "config.json")
    found = openai_tower(header, "", layer=1, final_norm=True)
    used = {source.name for source in found.sources.values()}
    if unknown := sorted(each for each in header.tensors if each not in used and not DROPPED.fullmatch(each)):
        raise UnknownTensors(folder, f"its {name} holds {', '.join(unknown[:5])}, which a CLIP text encoder lacks")
    if missing := sorted(used - header.tensors.keys()):
        raise MissingTensors(folder, f"its {name} lacks {', '.join(missing[:5])}")
    config = found.spec.config
    config = replace(
        config,
        heads=about.get("num_attention_heads", config.heads),
        activation=about.get("hidden_act", config.activation),
    )
    if config.activation not in ("quick_gelu", "gelu") or config.width % config.heads:
        raise InvalidMatch(header.path, f"a text encoder with {config.heads} heads and {config.activation!r}")
    absent = absent_layers(config)
    unused = max(0, config.depth - about.get("num_hidden_layers", config.depth))  # the config's last is the one taken
    return Tower(
        spec=ClipTowerSpec(
            config=config,
            pad=END_ID if config.activation == "quick_gelu" else 0,
            layer=2 if xl else 1 + absent + unused,
            final_norm=not xl,
            absent=absent,
        ),
        sources=found.sources,
    )


def _space(folder: Path, unet: UNetConfig) -> SpaceName:
    """By the factor in the autoencoder's config."""
    factor = json_table(folder / "vae" / "config.json").get(
        "scaling_factor", SCALES["sdxl" if unet.vector_width else "sd"]
    )
    for name, scale in SCALES.items():
        if factor == scale:
            return name
    raise InvalidMatch(folder, f"its latents are scaled by {factor}, those of Stable Diffusion by {SCALES}")


def _prediction(folder: Path) -> str:
    """From the scheduler's config, whose noise schedule must be that of Stable Diffusion."""
    about = _scheduler(folder)
    for name, wanted in SCHEDULE.items():
        if about.get(name, wanted) != wanted:
            raise InvalidMatch(folder, f"its scheduler has {name} {about[name]!r}, Stable Diffusion {wanted!r}")
    found = about.get("prediction_type", "epsilon")
    if found not in PREDICTIONS:
        raise InvalidMatch(folder, f"its scheduler has the prediction type {found!r}, not {' or '.join(PREDICTIONS)}")
    return PREDICTIONS[found]


def _scheduler(folder: Path) -> dict[str, Any]:
    return json_table(folder / "scheduler" / "scheduler_config.json")


def json_table(path: Path) -> dict[str, Any]:
    """A config; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidMatch(path, f"it is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise InvalidMatch(path, "it is no table of settings")
    return found
