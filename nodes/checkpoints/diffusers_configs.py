"""The configs of a folder of diffusers, as it and transformers read them. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodegraph import InvalidInput

from ..models.configs import CLIP_END, CLIP_START, ClipTextConfig, LdmAutoencoderConfig, UNetConfig
from ..specs.clip import ClipTowerSpec
from .families.stable_diffusion_specs import BETA_END, BETA_START, TRAINING_STEPS
from .ldm_autoencoder import SCALES, SpaceName

Config = dict[str, Any]

SIZE_NUMBERS = 256
"""In the embedding of one size that XL is told."""

PIPELINES: Mapping[int, str] = {
    4: "StableDiffusionPipeline",
    5: "StableDiffusionDepth2ImgPipeline",
    8: "StableDiffusionInstructPix2PixPipeline",
    9: "StableDiffusionInpaintPipeline",
}
XL_PIPELINES: Mapping[int, str] = {
    4: "StableDiffusionXLPipeline",
    8: "StableDiffusionXLInstructPix2PixPipeline",
    9: "StableDiffusionXLInpaintPipeline",
}
"""By the channels that the UNet takes."""


def unet_config(config: UNetConfig) -> Config:
    """Of a `UNet2DConditionModel`. InvalidInput where diffusers has no such network."""
    widths = [config.channels * each for each in config.multipliers]
    depths = [each or 1 for each in config.depths]
    if not config.depths[-1]:
        depths[-1] = config.middle_depth
    if not config.middle_depth or depths[-1] != config.middle_depth:
        reason = f"diffusers has no UNet whose middle has {config.middle_depth} transformer blocks in this place"
        raise InvalidInput("layout", "diffusers", reason, "save it as single_file")
    # what diffusers calls the width of a head is the number of heads
    heads = config.heads or [width // config.head_width for width in widths]
    found: Config = {
        "_class_name": "UNet2DConditionModel",
        "in_channels": config.in_channels,
        "out_channels": config.out_channels,
        "sample_size": 128 if config.vector_width else 64,
        "block_out_channels": widths,
        "layers_per_block": config.res_blocks,
        "down_block_types": ["CrossAttnDownBlock2D" if each else "DownBlock2D" for each in config.depths],
        "up_block_types": ["CrossAttnUpBlock2D" if each else "UpBlock2D" for each in reversed(config.depths)],
        "transformer_layers_per_block": depths,
        "attention_head_dim": heads,
        "cross_attention_dim": config.context_width,
        "use_linear_projection": config.linear_projections,
    }
    if config.vector_width:
        found |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": SIZE_NUMBERS,
            "projection_class_embeddings_input_dim": config.vector_width,
        }
    return found


def autoencoder_config(config: LdmAutoencoderConfig, space: SpaceName) -> Config:
    """Of an `AutoencoderKL`."""
    levels = len(config.multipliers)
    return {
        "_class_name": "AutoencoderKL",
        "in_channels": config.image_channels,
        "out_channels": config.image_channels,
        "latent_channels": config.latent_channels,
        "block_out_channels": list(config.widths),
        "layers_per_block": config.res_blocks,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "norm_num_groups": config.groups,
        "sample_size": 1024 if space == "sdxl" else 512,
        "scaling_factor": SCALES[space],
        "force_upcast": space == "sdxl",
        "use_quant_conv": config.quant,
        "use_post_quant_conv": config.quant,
    }


def text_config(tower: ClipTowerSpec, kind: str, *, xl: bool) -> Config:
    """Of a text encoder of the class `kind`.

    Of versions 1 and 2 diffusers takes the last layer, so the config counts the layers up to the one that is taken; the
    others stay in the file unused.
    """
    config = tower.config
    return {
        "architectures": [kind],
        "model_type": "clip_text_model",
        "vocab_size": config.vocabulary,
        "max_position_embeddings": config.length,
        "hidden_size": config.width,
        "intermediate_size": config.mlp_width,
        "num_hidden_layers": config.depth if xl else config.depth - (tower.layer - tower.absent - 1),
        "num_attention_heads": config.heads,
        "hidden_act": config.activation,
        "projection_dim": config.projection or config.width,
        "layer_norm_eps": 1e-5,
        "attention_dropout": 0.0,
        "bos_token_id": CLIP_START,
        "eos_token_id": CLIP_END,
        "pad_token_id": tower.pad,
    }


def scheduler_config(prediction: str, *, zero_terminal: bool) -> Config:
    """Of a scheduler; which one is a proposal, the noise schedule is the model's."""
    return {
        "_class_name": "EulerDiscreteScheduler",
        "num_train_timesteps": TRAINING_STEPS,
        "beta_start": BETA_START,
        "beta_end": BETA_END,
        "beta_schedule": "scaled_linear",
        "prediction_type": {"eps": "epsilon", "v": "v_prediction"}[prediction],
        "rescale_betas_zero_snr": zero_terminal,
        "timestep_spacing": "trailing" if zero_terminal else "leading",
        "steps_offset": 0 if zero_terminal else 1,
    }


def text_classes(towers: int, *, xl: bool) -> dict[str, str]:
    """The class of each text encoder by its folder, in the order of the towers."""
    if not xl:
        return {"text_encoder": "CLIPTextModel"}
    second = {"text_encoder_2": "CLIPTextModelWithProjection"}
    return second if towers == 1 else {"text_encoder": "CLIPTextModel", **second}


def model_index(unet: UNetConfig, texts: Mapping[str, str]) -> Config:
    """Of the pipeline. texts: the class of each text encoder by its folder."""
    xl = unet.vector_width > 0
    name = (XL_PIPELINES if xl else PIPELINES).get(unet.in_channels, PIPELINES[4])
    if xl and "text_encoder" not in texts:  # the refiner
        name = "StableDiffusionXLImg2ImgPipeline"
    found: Config = {
        "_class_name": name,
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    for part in ("text_encoder", "text_encoder_2") if xl else ("text_encoder",):
        tokenizer = part.replace("text_encoder", "tokenizer")
        found[part] = ["transformers", texts[part]] if part in texts else [None, None]
        found[tokenizer] = ["transformers", "CLIPTokenizer"] if part in texts else [None, None]
    if xl:
        return found | {"force_zeros_for_empty_prompt": "text_encoder" in texts}
    return found | {"safety_checker": [None, None], "feature_extractor": [None, None], "requires_safety_checker": False}


def tokenizer_config(pad: int) -> Config:
    """Of a `CLIPTokenizer`."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    return {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": ClipTextConfig().length,
        "bos_token": start,
        "eos_token": end,
        "unk_token": end,
        "pad_token": end if pad == CLIP_END else "!",
        "do_lower_case": True,
    }
