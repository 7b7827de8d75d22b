"""Autoencoders from files of their own, and tiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nodes.checkpoints.autoencoder import load_autoencoder
from nodes.latents import empty_latent
from nodes.types import Autoencoder, Image

from ..ldm_autoencoders import diffusers_state, ldm_state, write_autoencoder
from . import Case


def file(v: Any, *, diffusers: bool = False) -> Path:
    state = ldm_state()
    return write_autoencoder(v.folder / "vae.safetensors", diffusers_state(state) if diffusers else state)


def autoencoder(v: Any) -> Autoencoder:
    return load_autoencoder(file(v))


def lora(v: Any) -> Path:
    return write_autoencoder(v.folder / "lora.safetensors", {"lora_unet_x.lora_up.weight": torch.zeros(2, 2)})


ACCEPTED: list[Case] = [
    ("load_autoencoder", lambda v: {"checkpoint": file(v)}),
    ("load_autoencoder", lambda v: {"checkpoint": file(v, diffusers=True), "space": "sdxl"}),
    ("empty_latent", lambda v: {"model": autoencoder(v), "width": 22, "height": 16}),
    ("encode_image", lambda v: {"autoencoder": autoencoder(v), "image": v.image}),
    ("decode_latent", lambda v: {"autoencoder": autoencoder(v), "latent": empty_latent(autoencoder(v), 16, 16)}),
    (
        "decode_latent_tiled",
        lambda v: {"autoencoder": v.model.autoencoder, "latent": empty_latent(v.model.denoiser, 200, 80, 2), "tile": 64,
                   "overlap": 16},
    ),
    ("decode_latent_tiled", lambda v: {"autoencoder": v.model.autoencoder, "latent": v.latent}),
    (
        "encode_image_tiled",
        lambda v: {"autoencoder": autoencoder(v), "image": Image(pixels=torch.rand(2, 4, 70, 100)), "tile": 64,
                   "overlap": 0},
    ),
    ("encode_image_tiled", lambda v: {"autoencoder": v.model.autoencoder, "image": v.image}),
]  # fmt: skip

REFUSED: list[Case] = [
    ("load_autoencoder", lambda v: {"checkpoint": lora(v)}),
    ("load_autoencoder", lambda v: {"checkpoint": v.checkpoint}),
    (
        "decode_latent_tiled",
        lambda v: {"autoencoder": v.model.autoencoder, "latent": v.latent, "tile": 65, "overlap": 0},
    ),
    (
        "decode_latent_tiled",
        lambda v: {"autoencoder": v.model.autoencoder, "latent": v.latent, "tile": 64, "overlap": 64},
    ),
    (
        "decode_latent_tiled",
        lambda v: {"autoencoder": v.model.autoencoder, "latent": replace(v.latent, space=v.other_space)},
    ),
    (
        "encode_image_tiled",
        lambda v: {"autoencoder": v.model.autoencoder, "image": Image(pixels=torch.zeros(1, 3, 6, 8))},
    ),
]
