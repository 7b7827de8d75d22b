"""What PEFT and diffusers write beside the factors: alphas in metadata and in adapter_config.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from nodegraph import InvalidInput
from nodes.adapters.apply_lora import apply_lora, apply_lora_text, load_lora
from nodes.checkpoints.load import LoadedCheckpoint

from .references import clip_reference, inputs, output, reference, unet_of


@pytest.mark.parametrize("rslora", [False, True])
def test_alphas_in_the_metadata_of_diffusers(models: dict[str, LoadedCheckpoint], tmp_path: Path, rslora: bool) -> None:
    """As `save_lora_adapter` writes them; PEFT itself computes the expected scales."""
    from peft import LoraConfig

    denoiser = models["1"].denoiser
    other = reference(unet_of(denoiser))
    config = LoraConfig(
        r=4,
        lora_alpha=10,
        target_modules=["to_q", "to_k"],
        alpha_pattern={"attn2.to_k": 3},
        rank_pattern={"attn1.to_q": 2},
        use_rslora=rslora,
        init_lora_weights=False,
    )
    torch.manual_seed(0)
    other.add_adapter(config)  # type: ignore[operator]
    other.save_lora_adapter(tmp_path, weight_name="unet.safetensors")  # type: ignore[operator]
    lora = load_lora(tmp_path / "unet.safetensors")
    x, time, context, _ = inputs(unet_of(denoiser))
    with torch.no_grad():
        wanted = other(x, time, context).sample
    found = output(apply_lora(denoiser, lora).patched, unet_of(denoiser))
    assert (found - output(unet_of(denoiser), unet_of(denoiser))).abs().max() > 1e-3
    assert (found - wanted).abs().max() <= 1e-5 * max(1.0, float(wanted.abs().max()))


@pytest.mark.parametrize("rslora", [False, True])
def test_peft_s_folders(models: dict[str, LoadedCheckpoint], tmp_path: Path, ctx: Any, rslora: bool) -> None:
    """As `save_pretrained` writes them: alphas are in adapter_config.json alone."""
    from peft import LoraConfig, get_peft_model

    denoiser = models["1"].denoiser
    config = LoraConfig(
        r=4,
        lora_alpha=10,
        target_modules=["to_q", "to_k", "conv1"],
        alpha_pattern={"attn2.to_k": 3, "to_k": 5},
        rank_pattern={"attn1.to_q": 2},
        use_rslora=rslora,
        init_lora_weights=False,
    )
    torch.manual_seed(0)
    other = get_peft_model(reference(unet_of(denoiser)), config)  # type: ignore[arg-type]
    other.save_pretrained(str(tmp_path / "folder"))
    x, time, context, _ = inputs(unet_of(denoiser))
    with torch.no_grad():
        wanted = other(x, time, context).sample
    found = output(apply_lora(denoiser, load_lora(tmp_path / "folder", ctx)).patched, unet_of(denoiser))
    assert (found - wanted).abs().max() <= 1e-5 * max(1.0, float(wanted.abs().max()))
    assert not any("no alpha" in line for line in ctx.logged)
    load_lora(tmp_path / "folder" / "adapter_model.safetensors", ctx)
    assert any("no alpha is told" in line and "adapter_config.json" in line for line in ctx.logged)
    (tmp_path / "folder" / "adapter_model.safetensors").rename(tmp_path / "moved.safetensors")
    with pytest.raises(InvalidInput, match="holds 0 safetensors files"):
        load_lora(tmp_path / "folder")


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_peft_s_text_encoder(models: dict[str, LoadedCheckpoint], tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    encoder: Any = models["1"].text_encoder
    network = encoder.towers[0].network
    config = LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj", "fc1"], init_lora_weights=False)
    torch.manual_seed(0)
    other = get_peft_model(clip_reference(network), config)
    other.save_pretrained(str(tmp_path))
    changed: Any = apply_lora_text(encoder, load_lora(tmp_path))
    ids = torch.tensor([[49406, 320, 736, 3055, 49407]])
    with torch.no_grad():
        wanted = other(ids).last_hidden_state
    assert (changed.towers[0].patched(ids).hidden - wanted).abs().max() <= 1e-5
    assert (network(ids).hidden - wanted).abs().max() > 1e-2
