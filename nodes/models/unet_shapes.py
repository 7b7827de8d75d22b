"""The names and shapes of a UNet's and a ControlNet's tensors, from the config alone. No torch."""

from __future__ import annotations

from collections.abc import Iterator

from .configs import UNetConfig

Shape = tuple[int, ...]

HINT = ((3, 16), (16, 16), (16, 32), (32, 32), (32, 96), (96, 96), (96, 256))
"""Channels in and out of the convolutions that read a hint, before the last."""


def unet_shapes(config: UNetConfig) -> dict[str, Shape]:
    """Of a `UNet`, in no particular order."""
    skips = [config.channels]
    found = dict(_encoder(config, skips))
    width = skips[-1]
    found |= _middle(config, width)
    block = 0
    for level in reversed(range(len(config.multipliers))):
        for index in range(config.res_blocks + 1):
            out, name = config.multipliers[level] * config.channels, f"output_blocks.{block}."
            found |= _block(config, name, width + skips.pop(), out, config.depths[level])
            width = out
            if level and index == config.res_blocks:
                found |= dict(_conv(f"{name}{2 if config.depths[level] else 1}.conv", width, width))
            block += 1
    return found | dict(_norm("out.0", width)) | dict(_conv("out.2", width, config.out_channels))


def controlnet_shapes(config: UNetConfig) -> dict[str, Shape]:
    """Of a `ControlNet`."""
    skips = [config.channels]
    found = dict(_encoder(config, skips)) | _middle(config, skips[-1])
    for index, (width, out) in enumerate((*HINT, (256, config.channels))):
        found |= dict(_conv(f"input_hint_block.{2 * index}", width, out))
    for index, width in enumerate(skips):
        found |= dict(_conv(f"zero_convs.{index}.0", width, width, 1))
    return found | dict(_conv("middle_block_out.0", skips[-1], skips[-1], 1))


def _encoder(config: UNetConfig, skips: list[int]) -> Iterator[tuple[str, Shape]]:
    """Adds the widths of the outputs to `skips`."""
    time, width, block = config.time_width, config.channels, 1
    yield from _two_layers("time_embed", config.channels, time)
    if config.vector_width:
        yield from _two_layers("label_emb.0", config.vector_width, time)
    yield from _conv("input_blocks.0.0", config.in_channels, width)
    for level, multiplier in enumerate(config.multipliers):
        for _ in range(config.res_blocks):
            out = multiplier * config.channels
            yield from _block(config, f"input_blocks.{block}.", width, out, config.depths[level]).items()
            width, block = out, block + 1
            skips.append(width)
        if level < len(config.multipliers) - 1:
            yield from _conv(f"input_blocks.{block}.0.op", width, width)
            block += 1
            skips.append(width)


def _middle(config: UNetConfig, width: int) -> dict[str, Shape]:
    found = _block(config, "middle_block.", width, width, config.middle_depth)
    return found | dict(_residual(config, f"middle_block.{2 if config.middle_depth else 1}", width, width))


def _block(config: UNetConfig, name: str, width: int, out: int, depth: int) -> dict[str, Shape]:
    found = dict(_residual(config, f"{name}0", width, out))
    return found | dict(_transformer(config, f"{name}1", out, depth)) if depth else found


def _residual(config: UNetConfig, name: str, width: int, out: int) -> Iterator[tuple[str, Shape]]:
    yield from _norm(f"{name}.in_layers.0", width)
    yield from _conv(f"{name}.in_layers.2", width, out)
    yield from _linear(f"{name}.emb_layers.1", config.time_width, out)
    yield from _norm(f"{name}.out_layers.0", out)
    yield from _conv(f"{name}.out_layers.3", out, out)
    if width != out:
        yield from _conv(f"{name}.skip_connection", width, out, 1)


def _transformer(config: UNetConfig, name: str, width: int, depth: int) -> Iterator[tuple[str, Shape]]:
    yield from _norm(f"{name}.norm", width)
    for end in ("proj_in", "proj_out"):
        if config.linear_projections:
            yield from _linear(f"{name}.{end}", width, width)
        else:
            yield from _conv(f"{name}.{end}", width, width, 1)
    for index in range(depth):
        inner = f"{name}.transformer_blocks.{index}."
        for attention, context in (("attn1", width), ("attn2", config.context_width)):
            yield f"{inner}{attention}.to_q.weight", (width, width)
            yield f"{inner}{attention}.to_k.weight", (width, context)
            yield f"{inner}{attention}.to_v.weight", (width, context)
            yield from _linear(f"{inner}{attention}.to_out.0", width, width)
        yield from _linear(f"{inner}ff.net.0.proj", width, 8 * width)
        yield from _linear(f"{inner}ff.net.2", 4 * width, width)
        for norm in ("norm1", "norm2", "norm3"):
            yield from _norm(f"{inner}{norm}", width)


def _two_layers(name: str, width: int, out: int) -> Iterator[tuple[str, Shape]]:
    yield from _linear(f"{name}.0", width, out)
    yield from _linear(f"{name}.2", out, out)


def _conv(name: str, width: int, out: int, side: int = 3) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (out, width, side, side)
    yield f"{name}.bias", (out,)


def _linear(name: str, width: int, out: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (out, width)
    yield f"{name}.bias", (out,)


def _norm(name: str, width: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)
