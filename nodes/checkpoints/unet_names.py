"""The names of a Stable Diffusion UNet's tensors: here as in the original checkpoints, and as in diffusers.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..models.configs import UNetConfig

RES_BLOCK = (
    ("in_layers.0", "norm1"),
    ("in_layers.2", "conv1"),
    ("emb_layers.1", "time_emb_proj"),
    ("out_layers.0", "norm2"),
    ("out_layers.3", "conv2"),
    ("skip_connection", "conv_shortcut"),
)
"""Parts of a residual block: here, and in diffusers. Transformers have the same names in both."""

ENDS = (
    ("time_embed.0", "time_embedding.linear_1"),
    ("time_embed.2", "time_embedding.linear_2"),
    ("label_emb.0.0", "add_embedding.linear_1"),
    ("label_emb.0.2", "add_embedding.linear_2"),
    ("input_blocks.0.0", "conv_in"),
)
"""What encoder-only networks such as ControlNet have as well."""

UNET_ENDS = (("out.0", "conv_norm_out"), ("out.2", "conv_out"))


def unet_modules(config: UNetConfig) -> dict[str, str]:
    """Module names here to module names in diffusers; a tensor's name is one of these and what follows."""
    return dict([*ENDS, *UNET_ENDS, *_encoder(config), *_middle(config), *_decoder(config)])


def controlnet_modules(config: UNetConfig) -> dict[str, str]:
    """The same of a ControlNet."""
    hint = [("input_hint_block.0", "controlnet_cond_embedding.conv_in")]
    hint += [(f"input_hint_block.{2 * i + 2}", f"controlnet_cond_embedding.blocks.{i}") for i in range(6)]
    hint += [("input_hint_block.14", "controlnet_cond_embedding.conv_out")]
    count = len(config.multipliers) * (config.res_blocks + 1)
    zeros = [(f"zero_convs.{i}.0", f"controlnet_down_blocks.{i}") for i in range(count)]
    ends = [*ENDS, *hint, *zeros, ("middle_block_out.0", "controlnet_mid_block")]
    return dict([*ends, *_encoder(config), *_middle(config)])


def renamed(names: Mapping[str, str], tensor: str) -> str | None:
    """A tensor's name in the other layout; None where no module of `names` holds it."""
    module = tensor
    while module not in names:
        module = module.rpartition(".")[0]
        if not module:
            return None
    return names[module] + tensor[len(module) :]


def _encoder(config: UNetConfig) -> Iterator[tuple[str, str]]:
    block = 1
    for level, depth in enumerate(config.depths):
        for index in range(config.res_blocks):
            yield from _layers(f"input_blocks.{block}", f"down_blocks.{level}", index, depth > 0)
            block += 1
        if level < len(config.depths) - 1:
            yield f"input_blocks.{block}.0.op", f"down_blocks.{level}.downsamplers.0.conv"
            block += 1


def _middle(config: UNetConfig) -> Iterator[tuple[str, str]]:
    last = 2 if config.middle_depth else 1
    yield from ((f"middle_block.0.{ours}", f"mid_block.resnets.0.{theirs}") for ours, theirs in RES_BLOCK)
    yield from ((f"middle_block.{last}.{ours}", f"mid_block.resnets.1.{theirs}") for ours, theirs in RES_BLOCK)
    if config.middle_depth:
        yield "middle_block.1", "mid_block.attentions.0"


def _decoder(config: UNetConfig) -> Iterator[tuple[str, str]]:
    block, levels = 0, len(config.depths)
    for up, depth in enumerate(reversed(config.depths)):
        for index in range(config.res_blocks + 1):
            yield from _layers(f"output_blocks.{block}", f"up_blocks.{up}", index, depth > 0)
            if up < levels - 1 and index == config.res_blocks:
                place = 2 if depth else 1
                yield f"output_blocks.{block}.{place}.conv", f"up_blocks.{up}.upsamplers.0.conv"
            block += 1


def _layers(ours: str, theirs: str, index: int, attends: bool) -> Iterator[tuple[str, str]]:
    for here, there in RES_BLOCK:
        yield f"{ours}.0.{here}", f"{theirs}.resnets.{index}.{there}"
    if attends:
        yield f"{ours}.1", f"{theirs}.attentions.{index}"
