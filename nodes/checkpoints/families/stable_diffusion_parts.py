"""Building the models of Stable Diffusion."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ...conditioning.clip import ClipTextEncoder, ClipTower
from ...conditioning.unet import predict_unet
from ...models.clip_text import ClipText
from ...models.configs import LdmAutoencoderConfig, UNetConfig
from ...models.unet import UNet
from ...parameterisations import Epsilon, Parameterisation, Velocity
from ...schedules.noise import DiscreteVP, NoiseSchedule, alpha_bar_table
from ...types import Autoencoder, Denoiser, LatentSpace, TextEncoder
from ..family import Device, Parts
from ..header import Header
from ..ldm_autoencoder import SpaceName, compute_dtype, latent_space
from ..weights import Weights, build, read_weights
from .ldm_autoencoder_parts import autoencoder_handle
from .stable_diffusion import UNET, Layout, Tower
from .stable_diffusion_specs import BETA_END, BETA_START, TRAINING_STEPS

Prediction = Literal["eps", "v"]

V_SIGN = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
"""A tensor of version 2 whose spread tells the two predictions apart."""

V_SPREAD = 0.09


def marked_prediction(header: Header, layout: Layout) -> Prediction:
    """What the network predicts.

    Files of XL that predict velocities say so by a tensor `v_pred`. Of version 2 there are both kinds with equal names
    and shapes; they are told apart by the spread of one bias, which is wider in those that predict velocities. All else
    predicts noise.
    """
    if "v_pred" in header.tensors:
        return "v"
    if not layout.asks_weights or V_SIGN not in header.tensors:
        return "eps"
    from ..sources import Source

    bias = read_weights(header.path, Device("cpu", "float32"), {"bias": Source(V_SIGN)})["bias"]
    return "v" if float(bias.std(correction=0)) > V_SPREAD else "eps"


def read_parts(path: Path, layout: Layout, device: Device, prediction: Prediction) -> Parts:
    """The models of a file, read model by model."""
    plan = layout.plan()
    chosen = {name: source for name, source in plan.items() if name.startswith("unet.")}
    denoiser = denoiser_handle(path, layout.unet, read_weights(path, device, chosen), layout.space, prediction)
    return Parts(
        denoiser=denoiser,
        text_encoder=read_towers(path, layout.towers, device),
        autoencoder=read_autoencoder(path, layout, device),
    )


def read_towers(path: Path, towers: tuple[Tower, ...], device: Device) -> TextEncoder:
    """The text encoder."""
    built = []
    for tower in towers:
        spec, weights = tower.spec, read_weights(path, device, tower.sources)
        network = build(path, lambda spec=spec: ClipText(spec.config), weights, "")  # type: ignore[misc]
        built.append(
            ClipTower(network=network, pad=spec.pad, layer=spec.layer, final_norm=spec.final_norm, absent=spec.absent)
        )
    return ClipTextEncoder(towers=tuple(built))


def read_autoencoder(path: Path, layout: Layout, device: Device) -> Autoencoder:
    """The autoencoder; see `compute_dtype` for its dtype."""
    place = Device(device.device, compute_dtype(layout.space, device.dtype))
    weights = read_weights(path, place, layout.autoencoder.sources)
    return autoencoder_handle(path, layout.autoencoder.config, weights, layout.space)


def denoiser_handle(
    path: Path, config: UNetConfig, weights: Weights, space: SpaceName, prediction: Prediction
) -> Denoiser:
    """A denoiser from the weights below `unet.`."""
    parameterisations: dict[Prediction, Parameterisation] = {"eps": Epsilon(), "v": Velocity()}
    about = latent_space(space, LdmAutoencoderConfig())
    return Denoiser(
        network=build(path, lambda: UNet(config), weights, "unet."),
        predict=predict_unet,
        parameterisation=parameterisations[prediction],
        schedule=schedule(),
        space=LatentSpace(
            name=about.name, channels=about.channels, downscale=about.downscale, scale=about.scale, shift=about.shift
        ),
    )


def schedule() -> NoiseSchedule:
    """The table of all versions."""
    return DiscreteVP(alpha_bar=alpha_bar_table("scaled_linear", TRAINING_STEPS, BETA_START, BETA_END))
