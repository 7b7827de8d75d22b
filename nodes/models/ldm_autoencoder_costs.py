"""What the autoencoder of latent diffusion holds and what its passes need, from its shape alone. Imports no torch.

Operations and memory are counted as in `costs`, with activations in `channels_last` format, which
convolutions do not copy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from .configs import LdmAutoencoderConfig
from .costs import Pass

Shape = tuple[int, ...]


def ldm_autoencoder_shapes(config: LdmAutoencoderConfig) -> dict[str, Shape]:
    """The shape of every weight, by its name in the original layout."""
    return dict(_shapes(config))


def ldm_autoencoder_parameters(config: LdmAutoencoderConfig) -> int:
    """Weights of encoder and decoder."""
    return sum(math.prod(shape) for _, shape in _shapes(config))


def _shapes(config: LdmAutoencoderConfig) -> Iterator[tuple[str, Shape]]:
    widths, z = config.widths, config.latent_channels
    last = len(widths) - 1
    yield from _convolution("encoder.conv_in", config.image_channels, config.channels)
    before = config.channels
    for i, width in enumerate(widths):
        for j in range(config.res_blocks):
            yield from _residual(f"encoder.down.{i}.block.{j}", before, width)
            before = width
        if i < last:
            yield from _convolution(f"encoder.down.{i}.downsample.conv", width, width)
    yield from _middle("encoder.mid", before)
    yield from _norm("encoder.norm_out", before)
    yield from _convolution("encoder.conv_out", before, 2 * z)
    yield from _convolution("decoder.conv_in", z, before)
    yield from _middle("decoder.mid", before)
    for i in range(last, -1, -1):
        for j in range(config.res_blocks + 1):
            yield from _residual(f"decoder.up.{i}.block.{j}", before, widths[i])
            before = widths[i]
        if i > 0:
            yield from _convolution(f"decoder.up.{i}.upsample.conv", before, before)
    yield from _norm("decoder.norm_out", before)
    yield from _convolution("decoder.conv_out", before, config.image_channels)
    if config.quant:
        yield from _convolution("quant_conv", 2 * z, 2 * z, side=1)
        yield from _convolution("post_quant_conv", z, z, side=1)


def _convolution(name: str, channels: int, out: int, side: int = 3) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (out, channels, side, side)
    yield f"{name}.bias", (out,)


def _norm(name: str, width: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def _residual(name: str, width: int, out: int) -> Iterator[tuple[str, Shape]]:
    yield from _norm(f"{name}.norm1", width)
    yield from _convolution(f"{name}.conv1", width, out)
    yield from _norm(f"{name}.norm2", out)
    yield from _convolution(f"{name}.conv2", out, out)
    if width != out:
        yield from _convolution(f"{name}.nin_shortcut", width, out, side=1)


def _middle(name: str, width: int) -> Iterator[tuple[str, Shape]]:
    yield from _residual(f"{name}.block_1", width, width)
    yield from _norm(f"{name}.attn_1.norm", width)
    for each in ("q", "k", "v", "proj_out"):
        yield from _convolution(f"{name}.attn_1.{each}", width, width, side=1)
    yield from _residual(f"{name}.block_2", width, width)


def ldm_encoder_pass(config: LdmAutoencoderConfig, batch: int, height: int, width: int) -> Pass:
    """The encoder on pictures of height x width."""
    positions = height * width
    parts = [_convolved(positions, config.image_channels, config.channels)]
    before = config.channels
    for i, out in enumerate(config.widths):
        for _ in range(config.res_blocks):
            parts.append(_residual_pass(positions, before, out))
            before = out
        if i < len(config.widths) - 1:
            positions //= 4
            # the picture, the same with a margin, what comes out
            parts.append(
                Pass(work=18.0 * positions * out * out, elements=9 * positions * out, kept=8 * positions * out)
            )
    parts += [_middle_pass(positions, before), _convolved(positions, before, 2 * config.latent_channels, norm=True)]
    return _all(parts, batch)


def ldm_decoder_pass(config: LdmAutoencoderConfig, batch: int, height: int, width: int) -> Pass:
    """The decoder on latents of height x width."""
    positions = height * width
    before = config.widths[-1]
    parts = [_convolved(positions, config.latent_channels, before), _middle_pass(positions, before)]
    for i, out in reversed(list(enumerate(config.widths))):
        for _ in range(config.res_blocks + 1):
            parts.append(_residual_pass(positions, before, out))
            before = out
        if i > 0:
            positions *= 4
            # what comes in; the four phases of what comes out beside that (see `Upsample`)
            size = positions * out
            parts.append(Pass(work=8.0 * size * out, elements=2 * size + size // 4, kept=size // 4))
    parts.append(_convolved(positions, before, config.image_channels, norm=True))
    return _all(parts, batch)


def _convolved(positions: int, channels: int, out: int, *, norm: bool = False) -> Pass:
    """A 3 x 3 convolution of what comes in or, with `norm`, of that normalised."""
    copies = 2 if norm else 1
    size = positions * (copies * channels + out)
    return Pass(work=18.0 * positions * channels * out, elements=size, kept=copies * positions * channels)


def _residual_pass(positions: int, width: int, out: int) -> Pass:
    """At the worst moment the input is alive with its normalised form and what the first convolution gives of it, or
    with two of the output's size.
    """
    products = 9 * width * out + 9 * out * out + (width * out if width != out else 0)
    elements = max(2 * width + out, width + 2 * out)
    return Pass(work=2.0 * positions * products, elements=positions * elements, kept=positions * 3 * (width + out))


def _middle_pass(positions: int, width: int) -> Pass:
    """Two residual blocks and the attention between them, which holds its input, three projections of it, two of these
    once more as it packs them, and what it gives.
    """
    size = positions * width
    attention = Pass(work=2.0 * size * (4 * width + 2 * positions), elements=7 * size, kept=6 * size)
    block = _residual_pass(positions, width, width)
    return _all([block, attention, block], 1)


def _all(parts: list[Pass], batch: int) -> Pass:
    """One after the other, for each item of a batch."""
    return Pass(
        work=batch * sum(each.work for each in parts),
        elements=batch * max(each.elements for each in parts),
        kept=batch * sum(each.kept for each in parts),
    )
