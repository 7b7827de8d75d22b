"""Models of Stable Diffusion in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from ..tiny_sd import original_tensors, write_sd
from . import Case


def part(values: Any, prefix: str, version: str = "1") -> Path:
    """A file with what lies below a prefix of the single file."""
    tensors = {n.removeprefix(prefix): v for n, v in original_tensors(version).items() if n.startswith(prefix)}
    path: Path = values.folder / f"{prefix}{version}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


CLIP = "cond_stage_model.transformer."
XL = [("conditioner.embedders.0.transformer."), ("conditioner.embedders.1.model.")]

ACCEPTED: list[Case] = [
    *[("load_checkpoint", lambda v, n=n: {"checkpoint": write_sd(v.folder / "sd", n)}) for n in ("1", "2", "XL")],  # type: ignore[misc]
    ("load_denoiser", lambda v: {"diffusion_model": part(v, "model.diffusion_model.", "2"), "prediction": "v"}),
    ("load_denoiser", lambda v: {"diffusion_model": part(v, "model.diffusion_model.", "XL")}),
    ("load_text_encoder", lambda v: {"files": [part(v, CLIP)]}),
    ("load_text_encoder", lambda v: {"files": [part(v, "cond_stage_model.model.", "2")], "used_as": "sd2"}),
    ("load_text_encoder", lambda v: {"files": [part(v, each, "XL") for each in XL], "used_as": "sdxl"}),
]

REFUSED: list[Case] = [
    ("load_denoiser", lambda v: {"diffusion_model": part(v, CLIP)}),
    ("load_denoiser", lambda v: {"diffusion_model": v.checkpoint}),
    ("load_text_encoder", lambda v: {"files": [part(v, "first_stage_model.")]}),
    ("load_text_encoder", lambda v: {"files": [part(v, CLIP), part(v, CLIP)]}),
]
