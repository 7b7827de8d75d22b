"""Where other systems keep their files, so that an existing installation can be read in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

COMFYUI: Mapping[str, tuple[str, ...]] = {
    "checkpoint": ("models/checkpoints",),
    "diffusion_model": ("models/diffusion_models", "models/unet"),
    "text_encoder": ("models/text_encoders", "models/clip"),
    "vae": ("models/vae",),
    "lora": ("models/loras",),
    "controlnet": ("models/controlnet",),
    "embedding": ("models/embeddings",),
    "upscaler": ("models/upscale_models",),
    "hypernetwork": ("models/hypernetworks",),
    "image": ("input",),
}
"""Folders of a ComfyUI installation by kind of file."""

A1111: Mapping[str, tuple[str, ...]] = {
    "checkpoint": ("models/Stable-diffusion",),
    "vae": ("models/VAE",),
    "lora": ("models/Lora", "models/LyCORIS"),
    "controlnet": ("models/ControlNet", "extensions/sd-webui-controlnet/models"),
    "embedding": ("embeddings",),
    "upscaler": ("models/ESRGAN", "models/RealESRGAN", "models/SwinIR"),
    "hypernetwork": ("models/hypernetworks",),
}
"""Folders of a Stable Diffusion web UI installation (AUTOMATIC1111, Forge) by kind of file."""


def folders_in(root: Path, layout: Mapping[str, tuple[str, ...]], kind: str) -> list[Path]:
    """The folders of an installation in which files of a kind lie; those that exist."""
    return [root / relative for relative in layout.get(kind, ()) if (root / relative).is_dir()]
