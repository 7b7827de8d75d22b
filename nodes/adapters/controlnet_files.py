"""What a ControlNet file or folder holds, from its header: version, layout, where its weights lie. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nodegraph import InvalidInput

from ..checkpoints.errors import InvalidMatch, MissingTensors, UnknownTensors
from ..checkpoints.families.stable_diffusion import AUTOENCODER, DROPPED, UNET, version
from ..checkpoints.families.stable_diffusion_folder import json_table, merged, weights_in, with_heads
from ..checkpoints.header import Header, read_header
from ..checkpoints.kinds import kind_of
from ..checkpoints.sources import Source
from ..checkpoints.unet import diffusers_unet_config, renamed_sources, unet_config
from ..checkpoints.unet_names import controlnet_modules, renamed
from ..models.configs import UNetConfig
from ..models.unet_shapes import controlnet_shapes

Layout = Literal["original", "diffusers"]

PREFIX = "control_model."
"""Of a ControlNet's tensors in the original layout; some files leave it out."""

BESIDE = (UNET, AUTOENCODER, "cond_stage_model.", "conditioner.")
"""What whole checkpoints hold beside a ControlNet: the model that it was trained for."""

FIRST: Mapping[Layout, str] = {
    "original": "input_hint_block.0.weight", "diffusers": "controlnet_cond_embedding.conv_in.weight",
}  # fmt: skip
"""A tensor by which each layout is known."""


@dataclass(frozen=True, kw_only=True)
class ControlNetFile:
    """A recognised file, or a folder of diffusers.

    headers: of its files. config: of the UNet that it is for. sources: of its weights by our names. bgr: whether it
    reads the hint's colours in the order blue, green, red. pooled: whether only the mean of each output counts.
    """

    path: Path
    headers: Sequence[Header]
    layout: Layout
    config: UNetConfig
    sources: Mapping[str, Source]
    bgr: bool = False
    pooled: bool = False

    @property
    def header(self) -> Header:
        """The ControlNet's own tensors."""
        every = merged(self.headers)
        used = {source.name for source in self.sources.values()}
        return replace(every, tensors={name: entry for name, entry in every.tensors.items() if name in used})


def read_controlnet_file(path: Path) -> ControlNetFile:
    """From headers, and for a folder from its config.json, which knows some things that shapes do not tell.

    Raises InvalidInput where it is something else, and the `CheckpointError` that names what is wrong.
    """
    headers = weights_in(path) if path.is_dir() else [read_header(path)]
    header = merged(headers)
    prefix = PREFIX if any(name.startswith(PREFIX) for name in header.tensors) else ""
    shapes = header.shapes(prefix)
    layout: Layout | None = next((layout for layout, name in FIRST.items() if name in shapes), None)
    if layout is None:
        raise InvalidInput(
            "controlnet", path.name, f"it is {kind_of(header)}, no ControlNet that can be read here",
            "choose a ControlNet for Stable Diffusion 1, 2 or XL",
        )  # fmt: skip
    try:
        config = unet_config(shapes) if layout == "original" else diffusers_unet_config(shapes)
    except ValueError as error:
        raise InvalidMatch(path, f"as a ControlNet for Stable Diffusion, {error}") from error
    about = json_table(path / "config.json") if path.is_dir() else {}
    config = with_heads(path, config, about)
    wanted = controlnet_shapes(config)
    if layout == "original":
        sources = {name: Source(prefix + name) for name in wanted}
    else:
        sources = renamed_sources(controlnet_modules(config), wanted, shapes)
    _check_used(path, header, prefix, sources, config)
    return ControlNetFile(
        path=path,
        headers=headers,
        layout=layout,
        config=config,
        sources=sources,
        bgr=about.get("controlnet_conditioning_channel_order") == "bgr",
        pooled=bool(about.get("global_pool_conditions")),
    )


def _check_used(path: Path, header: Header, prefix: str, sources: Mapping[str, Source], config: UNetConfig) -> None:
    """Every tensor is used once; what a whole checkpoint holds beside the ControlNet is left."""
    used = {source.name for source in sources.values()}
    beside = BESIDE if prefix else ()
    strange = (name for name in header.tensors if name not in used and not name.startswith(beside))
    if unknown := sorted(name for name in strange if not DROPPED.fullmatch(name)):
        raise UnknownTensors(
            path, f"it holds {', '.join(unknown[:5])}, which a ControlNet for {version(config)} does not have"
        )
    if missing := sorted(used - header.tensors.keys()):
        raise MissingTensors(path, f"it lacks {', '.join(missing[:5])}")


def controlnet_names(config: UNetConfig, layout: Layout) -> dict[str, str]:
    """What a file of that layout calls each weight, by our names."""
    names = controlnet_shapes(config)
    if layout == "original":
        return {name: PREFIX + name for name in names}
    table = controlnet_modules(config)
    return {name: renamed(table, name) or name for name in names}
