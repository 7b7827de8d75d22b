"""What a file of tensors is, for messages: told from names and shapes, never from the file's name. Imports no torch.

Kinds that are small changes to another model are asked for first, since their names contain those of what they change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from .header import Header

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

LDM_AUTOENCODER = "an autoencoder (original layout)"
DIFFUSERS_AUTOENCODER = "an autoencoder (diffusers layout)"

CONTEXTS = {768: "1", 1024: "2", 2048: "XL", 1280: "XL refiner"}
"""Versions of Stable Diffusion by the width of what the U-Net attends to."""

INPUTS = {8: " for editing by instructions", 9: " for inpainting"}
"""Variants by the channels that the U-Net takes."""

LYCORIS: tuple[tuple[str, str], ...] = (
    (".hada_w1_a", "LoHa"),
    (".lokr_w1", "LoKr"),
    (".lokr_w2", "LoKr"),
    (".oft_blocks", "OFT"),
    (".oft_diag", "OFT"),
    (".on_input", "(IA)^3"),
    (".b1.weight", "GLoRA"),
    (".lora_mid.weight", "LoCon"),
    (".diff", "full difference"),
    (".w_norm", "norms"),
)
"""Endings, or middles, of names by the method."""


def kind_of(header: Header) -> str:
    """A phrase such as "a LoRA (kohya layout)", to be used after "it is"."""
    shapes = header.shapes()
    for ask in (_own, _adapter, _control, _checkpoint, _autoencoder, _denoiser, _text_encoder, _upscaler, _embedding):
        found = ask(shapes)
        if found is not None:
            return found
    seen = ", ".join(f"{count} x {prefix}.*" for prefix, count in sorted(header.prefixes().items())[:4])
    return f"a file of no known kind ({seen})"


def _own(shapes: Shapes) -> str | None:
    if {"denoiser.patch_in.weight", "text_encoder.tokens.weight"} <= shapes.keys():
        return "a text-to-image checkpoint of nodegraph"
    if {"text_tower.tokens.weight", "text_out.weight"} <= shapes.keys():
        return "a matcher of nodegraph"
    return None


def _adapter(shapes: Shapes) -> str | None:
    """LoRA and its relatives."""
    if "lora_controlnet" in shapes:
        return "a ControlNet as LoRA (Control-LoRA)"
    kohya = _any(shapes, lambda name: name.startswith(("lora_unet_", "lora_te", "lora_transformer_", "lycoris_")))
    plain = any(name.endswith(".lora_up.weight") for name in shapes)
    for part, method in LYCORIS:
        if plain and part in (".diff", ".w_norm"):  # beside LoRA, for layers that have no matrix
            continue
        own = part.startswith((".hada", ".lokr", ".oft"))  # names that nothing else has
        if (kohya or own) and any(_ends(name, part) for name in shapes):
            return f"a LyCORIS adapter ({method})"
    dora = ", with DoRA" if _any(shapes, lambda name: "dora_scale" in name or "lora_magnitude_vector" in name) else ""
    if kohya:
        return f"a LoRA (kohya layout{dora})"
    if _any(shapes, lambda name: re.fullmatch(r"(unet|text_encoder\w*):\d+:(up|down)", name) is not None):
        return "a LoRA (cloneofsimo layout)"
    if _any(shapes, lambda name: name.startswith("base_model.model.") and ".lora_" in name):
        return f"a LoRA (PEFT layout{dora})"
    diffusers = (".lora_A.", ".lora_B.", ".lora.up.", ".lora.down.", "_lora.up.", "_lora.down.", ".lora_linear_layer.")
    if _any(shapes, lambda name: any(part in name for part in diffusers)):
        return f"a LoRA (diffusers layout{dora})"
    if _any(shapes, lambda name: any(part in name for part in (".lora_up.", ".lora_down.", ":lora", ".lora_"))):
        return f"a LoRA (of an unknown layout{dora})"
    return None


def _control(shapes: Shapes) -> str | None:
    """What steers a denoiser from beside."""
    if _below(shapes, "control_model.", "zero_convs.", "input_hint_block."):
        return "a ControlNet (original layout)"
    if _below(shapes, "controlnet_cond_embedding.", "controlnet_down_blocks.", "controlnet_blocks."):
        return "a ControlNet (diffusers layout)"
    if _below(shapes, "ip_adapter.") or {"image_proj.proj.weight", "image_proj.norm.weight"} <= shapes.keys():
        return "an IP-Adapter"
    if _below(shapes, "adapter.body.") or {"body.0.block1.weight", "conv_in.weight"} <= shapes.keys():
        return "a T2I-Adapter"
    if _any(shapes, lambda name: ".motion_modules." in name):
        return "a motion module (AnimateDiff)"
    return None


def _embedding(shapes: Shapes) -> str | None:
    """Vectors that stand for a word."""
    if shapes.keys() in ({"clip_l"}, {"clip_g"}, {"clip_l", "clip_g"}):
        return "an embedding (textual inversion) for Stable Diffusion XL"
    if len(shapes) <= 2 and ("emb_params" in shapes or _one_vector(shapes)):
        width = shapes.get("emb_params", next(iter(shapes.values())))[-1]
        version = CONTEXTS.get(width)
        return "an embedding (textual inversion)" + (
            f" for Stable Diffusion {version}" if version in ("1", "2") else ""
        )
    return None


def _one_vector(shapes: Shapes) -> bool:
    [*every] = shapes.values()
    return len(every) == 1 and len(every[0]) in (1, 2) and every[0][-1] in CONTEXTS


def _checkpoint(shapes: Shapes) -> str | None:
    """Denoisers below the prefix of whole checkpoints, with or without the rest."""
    prefix = "model.diffusion_model."
    inner = {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
    if not inner:
        return None
    model = _network(inner)
    rest = ("first_stage_model.", "cond_stage_model.", "conditioner.", "vae.", "text_encoders.")
    if not _below(shapes, *rest):
        return f"the denoiser of {model} alone (original layout)"
    return f"a whole checkpoint of {model}"


def _denoiser(shapes: Shapes) -> str | None:
    """Denoisers without a prefix, in either layout."""
    diffusers = {"conv_in.weight", "time_embedding.linear_1.weight"} <= shapes.keys() and _below(shapes, "down_blocks.")
    if diffusers:
        return f"the denoiser of {_network(shapes)} alone (diffusers layout)"
    if _below(shapes, "single_transformer_blocks.") and _below(shapes, "transformer_blocks."):
        return "the denoiser of Flux alone (diffusers layout)"
    if _below(shapes, "transformer_blocks.") and "pos_embed.proj.weight" in shapes:
        return "the denoiser of Stable Diffusion 3 alone (diffusers layout)"
    if _below(shapes, "input_blocks.", "double_blocks.", "joint_blocks."):
        return f"the denoiser of {_network(shapes)} alone (original layout)"
    return None


def _network(shapes: Shapes) -> str:
    """Which denoiser some weights are of, without their prefix."""
    if _below(shapes, "double_blocks."):
        return "Flux"
    if _below(shapes, "joint_blocks."):
        return "Stable Diffusion 3"
    keys = (shape[1] for name, shape in shapes.items() if name.endswith("attn2.to_k.weight") and len(shape) == 2)
    version = CONTEXTS.get(next(keys, 0))
    first = next((shapes[name] for name in ("input_blocks.0.0.weight", "conv_in.weight") if name in shapes), ())
    variant = INPUTS.get(first[1], "") if len(first) == 4 else ""
    return (f"Stable Diffusion {version}" if version else "a U-Net of an unknown version") + variant


def _autoencoder(shapes: Shapes) -> str | None:
    """Alone, with or without the prefix of whole checkpoints."""
    bare = {name.removeprefix("first_stage_model.") for name in shapes}
    if any(name.startswith(("encoder.down_blocks.", "decoder.up_blocks.")) for name in bare):
        return DIFFUSERS_AUTOENCODER
    if any(name.startswith(("encoder.down.", "decoder.up.")) for name in bare):
        return LDM_AUTOENCODER
    if "encoder.layers.0.weight" in bare or {"taesd_encoder.0.weight", "taesd_decoder.1.weight"} & bare:
        return "a tiny autoencoder (TAESD)"
    return None


def _text_encoder(shapes: Shapes) -> str | None:
    bare = [
        re.sub(r"^(conditioner\.embedders\.\d+\.|cond_stage_model\.)(transformer\.|model\.)?", "", name)
        for name in shapes
    ]
    text = any("text_model.encoder.layers." in name for name in bare)
    image = any("vision_model.encoder.layers." in name or name.startswith("visual.") for name in bare)
    if text:
        return (
            "a CLIP model of text and images (transformers layout)"
            if image
            else "a CLIP text encoder (transformers layout)"
        )
    if any(name.startswith(("transformer.resblocks.", "resblocks.")) for name in bare):
        return "a CLIP model of text and images (OpenCLIP layout)" if image else "a CLIP text encoder (OpenCLIP layout)"
    if image:
        return "a CLIP image encoder"
    if any(".layer.0.SelfAttention.q.weight" in name for name in bare):
        return "a T5 text encoder"
    return None


def _upscaler(shapes: Shapes) -> str | None:
    """Networks from small pictures to large ones."""
    if _any(shapes, lambda name: ".RDB1.conv1" in name or ".rdb1.conv1" in name):
        return "an upscaler (ESRGAN)"
    if _any(shapes, lambda name: ".residual_group.blocks." in name):
        return "an upscaler (SwinIR or HAT)"
    if {"body.0.weight", "body.1.weight", "body.2.weight"} <= shapes.keys():
        return "an upscaler (compact Real-ESRGAN)"
    return None


def _any(names: Iterable[str], ask: Callable[[str], bool]) -> bool:
    return any(map(ask, names))


def _below(names: Iterable[str], *prefixes: str) -> bool:
    return any(name.startswith(prefixes) for name in names)


def _ends(name: str, part: str) -> bool:
    """Whether a name ends in `part`, `.weight` after it left aside."""
    return name.removesuffix(".weight").endswith(part.removesuffix(".weight")) or name.endswith(f"{part}_a")
