"""LoRA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .. import tiny_lora as tiny
from ..tiny_clip import tiny_clip, tiny_clip_pair
from ..tiny_controlnet import tiny_denoiser
from ..tiny_sd import write_sd
from . import Case


def unet_file(v: Any, version: str = "1") -> Path:
    network: Any = tiny_denoiser(version).network
    made = tiny.factors(network, tiny.everything)
    return tiny.write(v.folder / f"unet{version}.safetensors", tiny.kohya("lora_unet_", made))


def text_file(v: Any, both: bool = False) -> Path:
    tensors = {}
    for number, tower in enumerate((tiny_clip_pair() if both else tiny_clip()).towers, 1):
        prefix = f"lora_te{number}_" if both else "lora_te_"
        tensors |= tiny.kohya(prefix, tiny.factors(tower.network, tiny.self_attention))
    return tiny.write(v.folder / "text.safetensors", tensors)


def loaded(path: Path) -> Any:
    from nodes.adapters.apply_lora import load_lora

    return load_lora(path)


ACCEPTED: list[Case] = [
    ("load_lora", lambda v: {"lora": unet_file(v)}),
    ("load_lora", lambda v: {"lora": text_file(v, both=True)}),
    *[
        (
            "apply_lora",
            lambda v, version=version: {  # type: ignore[misc]
                "denoiser": tiny_denoiser(version),
                "lora": loaded(unet_file(v, version)),
            },
        )
        for version in ("1", "2", "XL")
    ],
    (
        "apply_lora",
        lambda v: {
            "denoiser": tiny_denoiser(),
            "lora": loaded(unet_file(v)),
            "strength": -0.5,
            "mode": "runtime",
            "parts": [1, 0, 0.5],
        },
    ),
    ("apply_lora", lambda v: {"denoiser": tiny_denoiser(), "lora": loaded(unet_file(v)), "strength": 0.0}),
    ("apply_lora", lambda v: {"denoiser": tiny_denoiser(), "lora": loaded(text_file(v))}),
    ("apply_lora_text", lambda v: {"text_encoder": tiny_clip(), "lora": loaded(text_file(v))}),
    ("apply_lora_text", lambda v: {"text_encoder": tiny_clip(), "lora": loaded(unet_file(v))}),
    (
        "apply_lora_text",
        lambda v: {"text_encoder": tiny_clip_pair(), "lora": loaded(text_file(v, both=True)), "mode": "runtime"},
    ),
]

REFUSED: list[Case] = [
    ("load_lora", lambda v: {"lora": write_sd(v.folder / "sd.safetensors")}),
    (
        "load_lora",
        lambda v: {"lora": tiny.write(v.folder / "dora.safetensors", {
            "lora_unet_x.lora_down.weight": torch.ones(1, 2),
            "lora_unet_x.lora_up.weight": torch.ones(2, 1),
            "lora_unet_x.dora_scale": torch.ones(2),
        })},
    ),
    ("apply_lora", lambda v: {"denoiser": v.model.denoiser, "lora": loaded(unet_file(v))}),
    ("apply_lora", lambda v: {"denoiser": tiny_denoiser("XL"), "lora": loaded(unet_file(v))}),
    ("apply_lora", lambda v: {"denoiser": tiny_denoiser(), "lora": loaded(unet_file(v)), "parts": [1.0, 1.0]}),
    ("apply_lora_text", lambda v: {"text_encoder": v.model.text_encoder, "lora": loaded(text_file(v))}),
    ("apply_lora_text", lambda v: {"text_encoder": tiny_clip(), "lora": loaded(text_file(v, both=True))}),
]  # fmt: skip
