"""Building the models of Stable Diffusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from ...conditioning.clip import ClipTextEncoder, ClipTower
from ...conditioning.unet import predict_unet
from ...models.clip_text import ClipText
from ...models.configs import LdmAutoencoderConfig, UNetConfig
from ...models.unet import UNet
from ...parameterisations import BY_NAME
from ...schedules.noise import DiscreteVP, NoiseSchedule, alpha_bar_table
from ...schedules.terminal import zero_terminal as rescaled
from ...types import Denoiser, LatentSpace
from ..family import Device, Parts
from ..header import Header
from ..ldm_autoencoder import SpaceName, compute_dtype, latent_space
from ..sources import Source
from ..weights import Weights, build, read_weights
from .ldm_autoencoder_parts import autoencoder_handle
from .stable_diffusion import UNET, Layout, Tower
from .stable_diffusion_specs import BETA_END, BETA_START, TRAINING_STEPS

V_SIGN = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
"""A tensor of version 2 whose spread tells the two predictions apart."""

V_SPREAD = 0.09


def marked_prediction(header: Header, layout: Layout) -> str:
    """What the network predicts where the file does not say it.

    Of version 2 there are both kinds with equal names and shapes; they are told apart by the spread of one bias, which
    is wider in those that predict velocities. All else predicts noise.
    """
    if not layout.asks_weights or V_SIGN not in header.tensors:
        return "eps"
    bias = read_weights(header.path, Device("cpu", "float32"), {"bias": Source(V_SIGN)})["bias"]
    return "v" if float(bias.std(correction=0)) > V_SPREAD else "eps"


def read_parts(
    layout: Layout,
    device: Device,
    prediction: str,
    unet: Sequence[Header],
    autoencoder: Sequence[Header],
    towers: Sequence[Sequence[Header]],
) -> Parts:
    """The models from the files that hold each of them."""
    place = Device(device.device, compute_dtype(layout.space, device.dtype))
    images = read_files(autoencoder, place, layout.autoencoder.sources)
    path = unet[0].path
    return Parts(
        denoiser=denoiser_handle(
            path,
            layout.unet,
            read_files(unet, device, layout.unet_sources),
            layout.space,
            prediction,
            zero_terminal=layout.zero_terminal,
        ),
        text_encoder=ClipTextEncoder(
            towers=tuple(read_tower(*each, device) for each in zip(layout.towers, towers, strict=True))
        ),
        autoencoder=autoencoder_handle(path, layout.autoencoder.config, images, layout.space),
    )


def read_files(headers: Sequence[Header], device: Device, sources: Mapping[str, Source]) -> Weights:
    """The tensors of one network out of the files that hold them."""
    found = Weights()
    for header in headers:
        here = {name: source for name, source in sources.items() if source.name in header.tensors}
        part = read_weights(header.path, device, here)
        found.update(part)
        found.files += part.files
    return found


def read_tower(tower: Tower, headers: Sequence[Header], device: Device) -> ClipTower:
    """A text encoder from the files that hold it."""
    spec = tower.spec
    network = build(headers[0].path, lambda: ClipText(spec.config), read_files(headers, device, tower.sources), "")
    return ClipTower(network=network, pad=spec.pad, layer=spec.layer, final_norm=spec.final_norm, absent=spec.absent)


def denoiser_handle(
    path: Path,
    config: UNetConfig,
    weights: Weights,
    space: SpaceName,
    prediction: str,
    *,
    zero_terminal: bool = False,
) -> Denoiser:
    """A denoiser from the weights of its UNet. prediction: "eps" or "v"."""
    about = latent_space(space, LdmAutoencoderConfig())
    return Denoiser(
        network=build(path, lambda: UNet(config), weights, ""),
        predict=predict_unet,
        parameterisation=BY_NAME[prediction](),
        schedule=schedule(zero_terminal=zero_terminal),
        space=LatentSpace(
            name=about.name, channels=about.channels, downscale=about.downscale, scale=about.scale, shift=about.shift
        ),
    )


def schedule(*, zero_terminal: bool = False) -> NoiseSchedule:
    """The table of all versions; zero_terminal: rescaled so that it ends in pure noise."""
    found = DiscreteVP(alpha_bar=alpha_bar_table("scaled_linear", TRAINING_STEPS, BETA_START, BETA_END))
    if not zero_terminal:
        return found
    return DiscreteVP(alpha_bar=torch.tensor(rescaled(found.levels.tolist()), dtype=torch.float64))
