"""What can be written as a checkpoint of Stable Diffusion, and what writing it costs. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, Unknown

from ..models.clip_text_shapes import clip_text_shapes
from ..models.configs import UNetConfig
from ..models.unet_shapes import unet_shapes
from ..specs.clip import ClipTextEncoderSpec, ClipTowerSpec
from ..specs.models import BYTES_OF, AutoencoderSpec, DenoiserSpec, ModelSpec, ScheduleSpec, TextEncoderSpec
from .diffusers_configs import unet_config as diffusers_config
from .families.stable_diffusion import clip_config
from .families.stable_diffusion_specs import schedule_spec
from .families.stable_diffusion_told import Told
from .header import Header
from .ldm_autoencoder import SCALES, SpaceName
from .unet import unet_config

Layout = Literal["single_file", "diffusers"]
Precision = Literal["unchanged", "float32", "float16", "bfloat16"]

PREDICTIONS: Mapping[str, Literal["eps", "v"]] = {"eps": "eps", "v": "v"}
"""Of Stable Diffusion."""

WRITE_SECONDS = 2e-9
"""Per byte: converting and writing it."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a model that can be written, beside its weights."""

    unet: UNetConfig
    towers: Sequence[ClipTowerSpec]
    space: SpaceName
    told: Told

    @property
    def xl(self) -> bool:
        """Whether it is a version of XL, whose UNet is told sizes."""
        return self.unet.vector_width > 0


def save_checkpoint(
    denoiser: DenoiserSpec,
    text_encoder: TextEncoderSpec,
    autoencoder: AutoencoderSpec,
    name: str | Unknown,
    layout: Layout,
    precision: Precision,
) -> Predicted:
    """One tensor after the other: with what is merged into it in float32, then as it is written."""
    unet = check_model(denoiser, text_encoder, autoencoder, layout).unet
    largest = max(map(_numbers, unet_shapes(unet).values()))
    models: tuple[ModelSpec, ...] = (denoiser, text_encoder, autoencoder)
    size = sum(each.parameters * BYTES_OF.get(precision, each.item) for each in models)
    return Predicted({}, Cost(working=3 * 4 * largest, seconds=WRITE_SECONDS * size))


def check_model(
    denoiser: DenoiserSpec, text_encoder: TextEncoderSpec, autoencoder: AutoencoderSpec, layout: Layout
) -> Facts:
    """What is to be written. InvalidInput where no file of that layout could be read back as the same model."""
    unet, space = denoiser.config, next((each for each in SCALES if each == denoiser.space.name), None)
    if not isinstance(unet, UNetConfig) or space is None:
        not_stable_diffusion("denoiser", denoiser)
    if not isinstance(text_encoder, ClipTextEncoderSpec):
        not_stable_diffusion("text_encoder", text_encoder)
    if autoencoder.space.name not in SCALES:
        not_stable_diffusion("autoencoder", autoencoder)
    if autoencoder.space.name != space:
        reason = f"its latents are those of {autoencoder.space.name!r}, the denoiser's of {space!r}"
        raise InvalidInput("autoencoder", str(autoencoder), reason, "take the autoencoder of the same model")
    facts = Facts(
        unet=unet,
        towers=text_encoder.towers,
        space=space,
        told=Told(
            prediction=_prediction(denoiser.prediction),
            zero_terminal=_zero_terminal(denoiser.schedule),
            text_layers=tuple(tower.layer for tower in text_encoder.towers),
        ),
    )
    _check_text(facts)
    if layout == "single_file":
        _check_original(facts)
    else:
        _check_folder(facts)
    return facts


def not_stable_diffusion(name: str, model: object) -> NoReturn:
    """Raise InvalidInput."""
    reason = "it is no model of Stable Diffusion, the only kind that is written here"
    raise InvalidInput(name, str(model), reason, "wire what load_checkpoint gives for Stable Diffusion")


def _prediction(prediction: str) -> Literal["eps", "v"] | None:
    """None where only the weights tell, before they are loaded."""
    if not prediction:
        return None
    if prediction in PREDICTIONS:
        return PREDICTIONS[prediction]
    reason = "checkpoints of Stable Diffusion predict eps or v"
    raise InvalidInput("denoiser", f"a model that predicts {prediction}", reason, "choose one with set_prediction")


def _zero_terminal(schedule: ScheduleSpec) -> bool:
    for zero in (False, True):
        if schedule_spec(zero_terminal=zero).close_to(schedule):
            return zero
    raise InvalidInput(
        "denoiser", f"a model with noise levels from {schedule.sigma_min:.3g} to {schedule.sigma_max:.3g}",
        "its noise schedule is not that of Stable Diffusion, and the file could not say so",
        "wire the model before set_noise_schedule, and apply that node after loading",
    )  # fmt: skip


def _check_text(facts: Facts) -> None:
    """The text encoder is that of the denoiser's version."""
    widths = [tower.config.width for tower in facts.towers]
    most = 2 if facts.xl else 1
    if sum(widths) != facts.unet.context_width or len(widths) > most:
        reason = f"it gives tokens of the widths {widths}, the denoiser reads {facts.unet.context_width}"
        raise InvalidInput("text_encoder", widths, reason, "take the text encoder of the same model")
    if any(tower.final_norm is facts.xl for tower in facts.towers):
        used = "sdxl" if facts.xl else "sd1 or sd2"
        reason = "its last norm is used as in another version"
        raise InvalidInput("text_encoder", widths, reason, f"load it with used_as {used}")


def _check_original(facts: Facts) -> None:
    """Names and shapes alone tell the networks' configs."""
    if unet_config(unet_shapes(facts.unet)) != facts.unet:
        raise _not_told("the UNet's attention has heads of another number or width than its version")
    nothing = Header(path=Path("single_file"), tensors={}, metadata={})
    for tower in facts.towers:
        config = tower.config
        found = clip_config(nothing, clip_text_shapes(config), config.projection is not None)
        open_clip = config.activation == "gelu"  # the layout in which it is written, which has one activation
        if found.heads != config.heads or (found.activation != config.activation and not open_clip):
            raise _not_told(f"a text encoder has {config.heads} heads and the activation {config.activation!r}")


def _not_told(what: str) -> InvalidInput:
    return InvalidInput("layout", "single_file", f"{what}, which that layout cannot tell", "save it as diffusers")


def _check_folder(facts: Facts) -> None:
    """Diffusers has such a network, and takes the layer of the text encoder that is taken here."""
    diffusers_config(facts.unet)
    layers = [tower.layer for tower in facts.towers]
    if facts.xl and set(layers) != {2}:
        reason = f"its text encoder gives layer {layers[0]} from the end, pipelines of XL always take layer 2"
        raise InvalidInput("layout", "diffusers", reason, "leave clip_skip out, or save it as single_file")


def _numbers(shape: tuple[int, ...]) -> int:
    found = 1
    for side in shape:
        found *= side
    return found
