"""Models of Stable Diffusion in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from nodes.checkpoints.load import load_checkpoint
from nodes.conditioning.clip_options import clip_skip
from nodes.schedules.handles import set_noise_schedule, set_prediction, zero_terminal_snr

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


def model(values: Any, version: str = "1", **changes: Any) -> dict[str, Any]:
    """The models of a tiny file, some of them exchanged, or other inputs."""
    found = load_checkpoint(write_sd(values.folder / "save" / f"{version}.safetensors", version))._asdict()
    return found | changes


ACCEPTED: list[Case] = [
    *[("load_checkpoint", lambda v, n=n: {"checkpoint": write_sd(v.folder / "sd", n)}) for n in ("1", "2", "XL")],  # type: ignore[misc]
    ("load_denoiser", lambda v: {"diffusion_model": part(v, "model.diffusion_model.", "2"), "prediction": "v"}),
    ("load_denoiser", lambda v: {"diffusion_model": part(v, "model.diffusion_model.", "XL")}),
    ("load_text_encoder", lambda v: {"files": [part(v, CLIP)]}),
    ("load_text_encoder", lambda v: {"files": [part(v, "cond_stage_model.model.", "2")], "used_as": "sd2"}),
    ("load_text_encoder", lambda v: {"files": [part(v, each, "XL") for each in XL], "used_as": "sdxl"}),
    *[("save_checkpoint", lambda v, n=n: model(v, n, precision="bfloat16")) for n in ("1", "XL refiner")],  # type: ignore[misc]
    ("save_checkpoint", lambda v: model(v, "XL", layout="diffusers")),
    (
        "save_checkpoint",
        lambda v: model(v, denoiser=zero_terminal_snr(set_prediction(model(v)["denoiser"], "v")), name="a/b"),
    ),
]

REFUSED: list[Case] = [
    ("load_denoiser", lambda v: {"diffusion_model": part(v, CLIP)}),
    ("load_denoiser", lambda v: {"diffusion_model": v.checkpoint}),
    ("load_text_encoder", lambda v: {"files": [part(v, "first_stage_model.")]}),
    ("load_text_encoder", lambda v: {"files": [part(v, CLIP), part(v, CLIP)]}),
    ("save_checkpoint", lambda v: v.model._asdict()),
    *[
        ("save_checkpoint", lambda v, each=each: model(v, **{each: getattr(v.model, each)}))  # type: ignore[misc]
        for each in ("denoiser", "text_encoder", "autoencoder")
    ],
    ("save_checkpoint", lambda v: model(v, denoiser=set_prediction(model(v)["denoiser"], "x0"))),
    ("save_checkpoint", lambda v: model(v, denoiser=set_noise_schedule(model(v)["denoiser"], "cosine"))),
    ("save_checkpoint", lambda v: model(v, autoencoder=model(v, "XL")["autoencoder"])),
    ("save_checkpoint", lambda v: model(v, text_encoder=model(v, "XL")["text_encoder"])),
    ("save_checkpoint", lambda v: model(v, text_encoder=model(v, "XL refiner")["text_encoder"])),
    (
        "save_checkpoint",
        lambda v: model(v, "XL", text_encoder=clip_skip(model(v, "XL")["text_encoder"], 1), layout="diffusers"),
    ),
]
