"""Samplers, and the kinds of noise that sampling starts from."""

from __future__ import annotations

from nodes.samplers.dpmpp_2m import dpmpp_2m
from nodes.samplers.euler_ancestral import euler_ancestral
from nodes.schedules.flow import flow_sigmas

from . import Case

ACCEPTED: list[Case] = [
    ("euler", lambda v: {"s_churn": 10.0, "s_tmin": 0.1, "s_tmax": 0.8, "s_noise": 1.01}),
    ("heun", lambda v: {}),
    ("heun", lambda v: {"s_churn": 5.0}),
    ("euler_ancestral", lambda v: {"eta": 0.5}),
    ("ddpm", lambda v: {"variance": "large"}),
    ("dpmpp_2m", lambda v: {}),
    *[
        (
            "sample",
            lambda v, noise=noise, sampler=sampler: {  # type: ignore[misc]
                "guider": v.guider(),
                "sampler": sampler,
                "sigmas": flow_sigmas(3),
                "latent": v.latent,
                "noise": noise,
            },
        )
        for noise, sampler in (("comfyui", dpmpp_2m()), ("a1111", euler_ancestral()))
    ],
]
