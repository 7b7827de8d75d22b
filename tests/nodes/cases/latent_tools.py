"""Latents made larger, repeated, cut and put together, and samplings in parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from nodes.latents import empty_latent
from nodes.samplers.euler import euler
from nodes.schedules.flow import flow_sigmas
from nodes.types import Latent, Mask

from . import Case


def latent(v: Any, width: int = 24, height: int = 16, batch: int = 2) -> Latent:
    return empty_latent(v.model.denoiser, width, height, batch)


def part(v: Any, **more: Any) -> dict[str, Any]:
    return {"guider": v.guider(), "sampler": euler(), "sigmas": flow_sigmas(4), "latent": v.latent, **more}


def mask(height: int, width: int) -> Mask:
    return Mask(values=torch.rand(1, 1, height, width))


ACCEPTED: list[Case] = [
    ("scale_latent", lambda v: {"latent": latent(v), "factor": 1.5, "denoiser": v.model.denoiser}),
    ("scale_latent", lambda v: {"latent": latent(v), "factor": 0.3, "method": "bicubic"}),
    ("scale_latent", lambda v: {"latent": latent(v), "factor": 0.125, "method": "nearest"}),
    ("repeat_latent", lambda v: {"latent": latent(v), "count": 3}),
    ("crop_latent", lambda v: {"latent": latent(v), "left": 8, "top": 4, "width": 12, "height": 8}),
    ("composite_latents", lambda v: {"below": latent(v), "above": latent(v, 16, 8, 1), "left": 16, "top": 4}),
    (
        "composite_latents",
        lambda v: {"below": latent(v, batch=1), "above": latent(v, 16, 8, 3), "mask": mask(8, 16)},
    ),
    ("sample", lambda v: part(v, start=1, until=3)),
    ("sample", lambda v: part(v, start=4)),
    ("sample", lambda v: part(v, start=2, add_noise=False, mask=mask(16, 16), original=v.latent)),
]

REFUSED: list[Case] = [
    ("scale_latent", lambda v: {"latent": empty_latent(v.model.denoiser, 2048, 16), "factor": 8.0}),
    ("crop_latent", lambda v: {"latent": latent(v), "left": 8, "width": 20, "height": 8}),
    ("crop_latent", lambda v: {"latent": latent(v), "left": 1, "width": 8, "height": 8}),
    ("composite_latents", lambda v: {"below": latent(v), "above": latent(v), "left": 24}),
    ("composite_latents", lambda v: {"below": latent(v), "above": latent(v, batch=3)}),
    ("composite_latents", lambda v: {"below": latent(v), "above": latent(v), "mask": mask(3, 3)}),
    ("composite_latents", lambda v: {"below": latent(v), "above": replace(latent(v), space=v.other_space)}),
    ("sample", lambda v: part(v, until=5)),
    ("sample", lambda v: part(v, start=3, until=2)),
    ("sample", lambda v: part(v, start=2, add_noise=False, mask=mask(16, 16))),
    ("sample", lambda v: part(v, mask=mask(16, 16), original=latent(v))),
]
