"""What a file is, by the names and shapes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.checkpoints.header import Header, TensorEntry
from nodes.checkpoints.kinds import kind_of
from nodes.checkpoints.ldm_autoencoder import diffusers_name
from nodes.models.configs import LdmAutoencoderConfig
from nodes.models.ldm_autoencoder_costs import ldm_autoencoder_shapes

Shapes = dict[str, tuple[int, ...]]

UNET = "model.diffusion_model."
KV = "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
VAE: Shapes = {
    f"first_stage_model.{name}": shape for name, shape in ldm_autoencoder_shapes(LdmAutoencoderConfig()).items()
}
CLIP: Shapes = {"cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight": (768, 768)}
OPEN_CLIP: Shapes = {"cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight": (3072, 1024)}
XL_TEXT: Shapes = {"conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight": (3840, 1280)}


def unet(context: int, channels: int = 4, prefix: str = "") -> Shapes:
    return {
        f"{prefix}input_blocks.0.0.weight": (320, channels, 3, 3),
        f"{prefix}{KV}": (640, context),
        f"{prefix}time_embed.0.weight": (1280, 320),
    }


def diffusers_unet(context: int, channels: int = 4) -> Shapes:
    return {
        "conv_in.weight": (320, channels, 3, 3),
        "time_embedding.linear_1.weight": (1280, 320),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (320, context),
        "mid_block.resnets.0.conv1.weight": (1280, 1280, 3, 3),
    }


def names(*every: str) -> Shapes:
    return dict.fromkeys(every, (4, 4))


KINDS: list[tuple[Shapes, str]] = [
    (unet(768, prefix=UNET) | VAE | CLIP, "a whole checkpoint of Stable Diffusion 1"),
    (unet(768, 9, UNET) | VAE | CLIP, "a whole checkpoint of Stable Diffusion 1 for inpainting"),
    (unet(1024, prefix=UNET) | VAE | OPEN_CLIP, "a whole checkpoint of Stable Diffusion 2"),
    (unet(2048, prefix=UNET) | VAE | XL_TEXT, "a whole checkpoint of Stable Diffusion XL"),
    (unet(1280, prefix=UNET) | VAE | XL_TEXT, "a whole checkpoint of Stable Diffusion XL refiner"),
    (unet(768, 8, UNET) | VAE, "a whole checkpoint of Stable Diffusion 1 for editing by instructions"),
    (
        names(f"{UNET}joint_blocks.0.context_block.attn.qkv.weight", "first_stage_model.encoder.conv_in.weight"),
        "a whole checkpoint of Stable Diffusion 3",
    ),
    (names(f"{UNET}double_blocks.0.img_attn.qkv.weight", "vae.encoder.conv_in.weight"), "a whole checkpoint of Flux"),
    (unet(768, prefix=UNET), "the denoiser of Stable Diffusion 1 alone (original layout)"),
    (unet(2048), "the denoiser of Stable Diffusion XL alone (original layout)"),
    (diffusers_unet(1024), "the denoiser of Stable Diffusion 2 alone (diffusers layout)"),
    (diffusers_unet(768, 9), "the denoiser of Stable Diffusion 1 for inpainting alone (diffusers layout)"),
    (names("double_blocks.0.img_attn.qkv.weight", "img_in.weight"), "the denoiser of Flux alone (original layout)"),
    (
        names("single_transformer_blocks.0.attn.to_q.weight", "transformer_blocks.0.attn.to_q.weight"),
        "the denoiser of Flux alone (diffusers layout)",
    ),
    (names("joint_blocks.0.x_block.attn.qkv.weight"), "the denoiser of Stable Diffusion 3 alone (original layout)"),
    (
        names("transformer_blocks.0.attn.to_q.weight", "pos_embed.proj.weight"),
        "the denoiser of Stable Diffusion 3 alone (diffusers layout)",
    ),
    (ldm_autoencoder_shapes(LdmAutoencoderConfig()), "an autoencoder (original layout)"),
    (VAE, "an autoencoder (original layout)"),
    (
        {diffusers_name(n, LdmAutoencoderConfig()): s for n, s in ldm_autoencoder_shapes(LdmAutoencoderConfig()).items()},
        "an autoencoder (diffusers layout)",
    ),
    (names("encoder.layers.0.weight", "decoder.layers.0.weight"), "a tiny autoencoder (TAESD)"),
    (names("text_model.encoder.layers.0.mlp.fc1.weight"), "a CLIP text encoder (transformers layout)"),
    (CLIP, "a CLIP text encoder (transformers layout)"),
    (names("transformer.resblocks.0.attn.in_proj_weight", "token_embedding.weight"), "a CLIP text encoder (OpenCLIP layout)"),
    (
        names("transformer.resblocks.0.attn.in_proj_weight", "visual.conv1.weight"),
        "a CLIP model of text and images (OpenCLIP layout)",
    ),
    (names("vision_model.encoder.layers.0.mlp.fc1.weight"), "a CLIP image encoder"),
    (names("encoder.block.0.layer.0.SelfAttention.q.weight"), "a T5 text encoder"),
    (names("control_model.zero_convs.0.0.weight"), "a ControlNet (original layout)"),
    (diffusers_unet(768) | names("controlnet_cond_embedding.conv_in.weight"), "a ControlNet (diffusers layout)"),
    (names("lora_controlnet", "input_blocks.1.0.in_layers.2.down"), "a ControlNet as LoRA (Control-LoRA)"),
    (
        names("lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight", "lora_te_text_model.alpha"),
        "a LoRA (kohya layout)",
    ),
    (names("lora_unet_x.lora_up.weight", "lora_unet_x.dora_scale"), "a LoRA (kohya layout, with DoRA)"),
    (names("unet.down_blocks.0.attentions.0.proj_in.lora_A.weight"), "a LoRA (diffusers layout)"),
    (names("unet.down_blocks.0.attn1.processor.to_q_lora.up.weight"), "a LoRA (diffusers layout)"),
    (names("text_encoder.text_model.layers.0.q_proj.lora_linear_layer.up.weight"), "a LoRA (diffusers layout)"),
    (names("base_model.model.mid_block.to_q.lora_A.weight"), "a LoRA (PEFT layout)"),
    (names("unet:0:up", "unet:0:down", "text_encoder:0:up"), "a LoRA (cloneofsimo layout)"),
    (names("lora_unet_x.hada_w1_a", "lora_unet_x.hada_w2_b"), "a LyCORIS adapter (LoHa)"),
    (names("lora_unet_x.lokr_w1", "lora_unet_x.lokr_w2_a"), "a LyCORIS adapter (LoKr)"),
    (names("lora_unet_x.lora_mid.weight", "lora_unet_x.lora_up.weight"), "a LyCORIS adapter (LoCon)"),
    (names("lora_unet_x.oft_blocks"), "a LyCORIS adapter (OFT)"),
    (names("lora_unet_x.weight", "lora_unet_x.on_input"), "a LyCORIS adapter ((IA)^3)"),
    (names("lora_unet_x.a1.weight", "lora_unet_x.b1.weight"), "a LyCORIS adapter (GLoRA)"),
    (names("lora_unet_x.diff", "lora_unet_x.diff_b"), "a LyCORIS adapter (full difference)"),
    (names("lora_unet_x.lora_up.weight", "lora_unet_norm.w_norm"), "a LoRA (kohya layout)"),
    (names("diffusion_model.blocks.0.attn.lora_A.weight"), "a LoRA (diffusers layout)"),
    ({"emb_params": (4, 768)}, "an embedding (textual inversion) for Stable Diffusion 1"),
    ({"<cat>": (1024,)}, "an embedding (textual inversion) for Stable Diffusion 2"),
    ({"clip_l": (2, 768), "clip_g": (2, 1280)}, "an embedding (textual inversion) for Stable Diffusion XL"),
    (names("model.1.sub.0.RDB1.conv1.0.weight", "model.0.weight"), "an upscaler (ESRGAN)"),
    (names("body.0.rdb1.conv1.weight", "conv_first.weight"), "an upscaler (ESRGAN)"),
    (names("body.0.weight", "body.1.weight", "body.2.weight"), "an upscaler (compact Real-ESRGAN)"),
    (names("down_blocks.0.motion_modules.0.norm.weight"), "a motion module (AnimateDiff)"),
    (names("denoiser.patch_in.weight", "text_encoder.tokens.weight"), "a text-to-image checkpoint of nodegraph"),
    (names("foo.a", "foo.b", "bar"), "a file of no known kind (1 x bar.*, 2 x foo.*)"),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "phrase"), KINDS, ids=[f"{i} {phrase}" for i, (_, phrase) in enumerate(KINDS)])
def test_a_file_is_called_what_it_is(shapes: Shapes, phrase: str) -> None:
    entries = {name: TensorEntry(dtype="F16", shape=shape, begin=0, end=0) for name, shape in shapes.items()}
    assert kind_of(Header(path=Path("x.safetensors"), tensors=entries, metadata={})) == phrase
