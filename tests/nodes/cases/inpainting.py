"""Masks."""

from __future__ import annotations

from typing import Any

import torch

from nodes.samplers.euler import euler
from nodes.schedules.flow import flow_sigmas
from nodes.types import Mask

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


ACCEPTED: list[Case] = [
    ("sample", lambda v: masked(v, 1, 1, 16, 16)),
    ("sample", lambda v: masked(v, 2, 1, *v.latent.samples.shape[2:], masking="differential")),
]

REFUSED: list[Case] = [
    ("sample", lambda v: masked(v, 1, 1, 16, 17)),
    ("sample", lambda v: masked(v, 3, 1, 16, 16)),
]
