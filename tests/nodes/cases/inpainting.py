"""Masks, and models for inpainting."""

from __future__ import annotations

from typing import Any

import torch

from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint
from nodes.conditioning.inpainting import condition_inpainting
from nodes.conditioning.text import encode_text
from nodes.samplers.euler import euler
from nodes.schedules.flow import flow_sigmas
from nodes.types import Image, Mask

from ..tiny_sd import write_sd
from . import Case


def masked(v: Any, *shape: int, **more: Any) -> dict[str, Any]:
    mask = Mask(values=torch.ones(shape))
    return {
        "guider": v.guider(),
        "sampler": euler(),
        "sigmas": flow_sigmas(2),
        "latent": v.latent,
        "mask": mask,
        **more,
    }


def model(v: Any, version: str = "1 inpainting") -> LoadedCheckpoint:
    return load_checkpoint(write_sd(v.folder / f"{version}.safetensors", version))


def shown(v: Any, *shape: int, version: str = "1 inpainting", batch: int = 2) -> dict[str, Any]:
    found = model(v, version)
    image = Image(pixels=torch.rand(batch, 3, 32, 48))
    mask = Mask(values=torch.rand(shape))
    return {"denoiser": found.denoiser, "autoencoder": found.autoencoder, "image": image, "mask": mask}


def guided(v: Any, *, conditioned: bool) -> dict[str, Any]:
    found, given = model(v), shown(v, 1, 1, 32, 48)
    denoiser = condition_inpainting(**given) if conditioned else found.denoiser
    return {"denoiser": denoiser, "positive": encode_text(found.text_encoder, "a fox")}


ACCEPTED: list[Case] = [
    ("sample", lambda v: masked(v, 1, 1, 16, 16)),
    ("sample", lambda v: masked(v, 2, 1, *v.latent.samples.shape[2:], masking="differential")),
    ("condition_inpainting", lambda v: shown(v, 1, 1, 32, 48)),
    ("condition_inpainting", lambda v: shown(v, 3, 1, 32, 48, batch=1)),
    ("classifier_free_guidance", lambda v: guided(v, conditioned=True)),
]

REFUSED: list[Case] = [
    ("sample", lambda v: masked(v, 1, 1, 16, 17)),
    ("sample", lambda v: masked(v, 3, 1, 16, 16)),
    ("condition_inpainting", lambda v: shown(v, 1, 1, 32, 48, version="1")),
    ("condition_inpainting", lambda v: shown(v, 1, 1, 32, 40)),
    ("condition_inpainting", lambda v: shown(v, 3, 1, 32, 48)),
    ("condition_inpainting", lambda v: shown(v, 1, 1, 32, 48) | {"autoencoder": v.model.autoencoder}),
    ("classifier_free_guidance", lambda v: guided(v, conditioned=False)),
]
