"""ControlNets and FreeU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..tiny_controlnet import hint, tensors, tiny_controlnet, tiny_denoiser, write_controlnet
from ..tiny_sd import UNET1, original_tensors, write_sd
from . import Case


def file(v: Any, version: str = "1", layout: Any = "original") -> Path:
    return write_controlnet(v.folder / "control.safetensors", tensors(version, layout))


def whole(v: Any) -> Path:
    return write_controlnet(v.folder / "whole.safetensors", original_tensors("1") | tensors("1"))


def applied(version: str = "1", **options: Any) -> dict[str, Any]:
    return {"denoiser": tiny_denoiser(version), "controlnet": tiny_controlnet(version), "hint": hint(), **options}


ACCEPTED: list[Case] = [
    *[("load_controlnet", lambda v, n=n: {"controlnet": file(v, n)}) for n in ("1", "2", "XL")],  # type: ignore[misc]
    ("load_controlnet", lambda v: {"controlnet": file(v, "XL", "diffusers")}),
    ("load_controlnet", lambda v: {"controlnet": whole(v)}),
    ("controlnet_from_denoiser", lambda v: {"denoiser": tiny_denoiser("XL"), "seed": 3}),
    ("apply_controlnet", lambda v: applied()),
    ("apply_controlnet", lambda v: applied("XL", strength=0.0)),
    ("apply_controlnet", lambda v: applied("2", start=0.2, end=0.7, fit="exact", weighting="soft")),
    ("freeu", lambda v: {"denoiser": tiny_denoiser("2")}),
    ("freeu", lambda v: {"denoiser": tiny_denoiser(), "version": "v1", "stages": "level"}),
    ("freeu", lambda v: {"denoiser": tiny_denoiser(), "b1": 1.0, "b2": 1.0, "s1": 1.0, "s2": 1.0}),
]

REFUSED: list[Case] = [
    ("load_controlnet", lambda v: {"controlnet": write_sd(v.folder / "sd.safetensors")}),
    ("load_controlnet", lambda v: {"controlnet": v.checkpoint}),
    ("controlnet_from_denoiser", lambda v: {"denoiser": v.model.denoiser}),
    ("controlnet_from_denoiser", lambda v: {"denoiser": tiny_denoiser(config=replace(UNET1, in_channels=9))}),
    ("apply_controlnet", lambda v: applied("1", denoiser=v.model.denoiser)),
    ("apply_controlnet", lambda v: applied("1", denoiser=tiny_denoiser("2"))),
    ("apply_controlnet", lambda v: applied("1", start=0.5, end=0.5)),
    ("freeu", lambda v: {"denoiser": v.model.denoiser}),
]
