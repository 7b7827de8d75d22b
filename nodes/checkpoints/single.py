"""Files that hold one model of Stable Diffusion alone: which one, and where its weights lie. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nodegraph import InvalidInput
from nodegraph.spec import Predicted, SpecContext

from ..models.configs import UNetConfig
from ..models.unet_shapes import unet_shapes
from ..specs.clip import ClipTextEncoderSpec
from .errors import InvalidMatch, MissingTensors, UnknownTensors
from .families.stable_diffusion import DROPPED, SIGNATURE, UNET, Tower, open_clip_tower, openai_tower, version
from .families.stable_diffusion_specs import denoiser_spec
from .header import Header, read_header
from .kinds import kind_of
from .ldm_autoencoder import SpaceName
from .sources import Source
from .specs import facts, loading
from .unet import diffusers_unet_config, renamed_sources, unet_config
from .unet_names import unet_modules

Kind = Literal["sd1", "sd2", "sdxl"]
"""How a text encoder is used: which of its layers, and whether the last norm follows."""

LAYERS: Mapping[Kind, tuple[int, bool]] = {"sd1": (1, True), "sd2": (2, True), "sdxl": (2, False)}


@dataclass(frozen=True, kw_only=True)
class UNetFile:
    """A recognised file. sources: of the UNet's weights by their own names."""

    header: Header
    config: UNetConfig
    sources: Mapping[str, Source]

    @property
    def space(self) -> SpaceName:
        """Of the latents."""
        return "sdxl" if self.config.vector_width else "sd"


def unet_file(path: Path) -> UNetFile:
    """A file with a UNet in the original layout or in that of diffusers; what else a whole checkpoint holds is left.

    Raises InvalidInput where it is something else, or the `CheckpointError` that names what is wrong.
    """
    header = read_header(path)
    prefix = UNET if SIGNATURE in header.tensors else ""
    shapes = {name: shape for name, shape in header.shapes(prefix).items() if not DROPPED.fullmatch(name)}
    original = "input_blocks.0.0.weight" in shapes and "out.2.weight" in shapes
    if not original and not {"conv_in.weight", "conv_out.weight", "time_embedding.linear_1.weight"} <= shapes.keys():
        raise InvalidInput(
            "diffusion_model", path.name, f"it is {kind_of(header)}, no UNet of Stable Diffusion",
            "choose a file with a UNet, or load a whole checkpoint with load_checkpoint",
        )  # fmt: skip
    try:
        config = unet_config(shapes) if original else diffusers_unet_config(shapes)
    except ValueError as error:
        raise InvalidMatch(path, f"as a UNet of Stable Diffusion, {error}") from error
    wanted = unet_shapes(config)
    if original:
        sources = {name: Source(prefix + name) for name in wanted}
    else:
        sources = renamed_sources(unet_modules(config), wanted, shapes)
    stored = {prefix + name for name in shapes}
    used = {source.name for source in sources.values()}
    if unknown := sorted(stored - used):
        raise UnknownTensors(path, f"it holds {', '.join(unknown[:5])}, which {version(config)} does not have")
    if missing := sorted(used - stored):
        raise MissingTensors(path, f"it lacks {', '.join(missing[:5])}")
    return UNetFile(header=header, config=config, sources=sources)


def tower_of_file(path: Path, used_as: Kind) -> tuple[Header, Tower]:
    """A text encoder in a file of its own, named as transformers or as OpenCLIP name its tensors.

    Raises InvalidInput where it is something else.
    """
    header = read_header(path)
    layer, final_norm = LAYERS[used_as]
    names = header.tensors.keys()
    if any(f"{inner}encoder.layers.0.self_attn.q_proj.weight" in names for inner in ("text_model.", "")):
        tower = openai_tower(header, "", layer=layer, final_norm=final_norm)
    elif any(name.startswith("transformer.resblocks.0.") for name in names):
        tower = open_clip_tower(header, "", final_norm=final_norm)
        tower = replace(tower, spec=replace(tower.spec, layer=layer))
    else:
        raise InvalidInput(
            "files", path.name, f"it is {kind_of(header)}, no CLIP text encoder",
            "choose a file with a text encoder, or load a whole checkpoint with load_checkpoint",
        )  # fmt: skip
    used = {source.name for source in tower.sources.values()}
    if unknown := sorted(name for name in names if name not in used and not DROPPED.fullmatch(name)):
        raise UnknownTensors(path, f"it holds {', '.join(unknown[:5])}, which a CLIP text encoder does not have")
    if missing := sorted(used - names):
        raise MissingTensors(path, f"it lacks {', '.join(missing[:5])}")
    return header, tower


def check_files(count: int, used_as: Kind) -> None:
    """InvalidInput where there are more or fewer text encoders than the model reads."""
    if count > 1 and used_as != "sdxl":
        raise InvalidInput("files", f"{count} files", f"{used_as} has one text encoder", "give one file")


def load_denoiser(diffusion_model: Path, prediction: str, ctx: SpecContext) -> Predicted:
    """The UNet of the file."""
    file = unet_file(diffusion_model)
    spec = denoiser_spec(file.config, file.space, prediction, version(file.config), ctx.precision)
    return Predicted(
        {"denoiser": spec}, loading(file.header), (facts("diffusion_model", file.header, version(file.config)),)
    )


def load_text_encoder(files: list[Path], used_as: Kind, ctx: SpecContext) -> Predicted:
    """The towers of the files, in their order."""
    check_files(len(files), used_as)
    found = [tower_of_file(path, used_as) for path in files]
    spec = ClipTextEncoderSpec.made(tuple(tower.spec for _, tower in found), ctx.precision, family="CLIP")
    return Predicted(
        {"text_encoder": spec}, loading(found[0][0]), tuple(facts("files", header, "CLIP") for header, _ in found)
    )
