"""What one pass of each network needs, from its shape alone: operations, and memory at the worst moment. No torch.

Memory counts the tensors that are alive at once when nothing is kept for a backward pass; a matrix product of m x k by
k x n counts 2 m k n operations, of the rest nothing is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from .configs import AutoencoderConfig, ClipTextConfig, DiTConfig, MatcherConfig, TextConfig

CONVOLUTION = 6
"""Buffers of one activation's size in a residual block: the block's input, what the first convolution gave, the second
one's input and output, and the copies of these two that the convolution makes in a layout of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """One forward pass. work: floating-point operations. elements: alive at the worst moment.

    kept: elements that a backward pass would need until it has come back to them.
    """

    work: float = 0.0
    elements: int = 0
    kept: int = 0

    def trained(self) -> float:
        """Operations of a step of training: the backward pass does each product twice, for inputs and weights."""
        return 3.0 * self.work


def dit_pass(config: DiTConfig, batch: int, height: int, width: int, length: int) -> Pass:
    """A DiT on latents of height x width with `length` tokens of context.

    At the worst moment, in the feed-forward layers, alive are per token the input of the block, its present state, the
    input of the layers, and the wide hidden layer before and after its GELU.
    """
    d, ratio = config.width, config.mlp_ratio
    tokens = (height // config.patch) * (width // config.patch)
    per_token = 4 * d * d + 2 * d * d + 2 * ratio * d * d + 2 * tokens * d + 2 * length * d
    per_context = 2 * config.context_width * d
    multiplied = batch * config.depth * (tokens * per_token + length * per_context)
    # a block keeps: three normalised inputs and their modulated forms, queries, keys and values with their normalised
    # forms, what attention and its projection gave (all for both kinds of attention), the hidden layer twice, the sums
    kept = batch * tokens * d * config.depth * (22 + 2 * ratio)
    return Pass(work=2.0 * multiplied, elements=batch * tokens * d * (3 + 2 * ratio), kept=kept)


def text_pass(config: TextConfig, batch: int, length: int) -> Pass:
    """A text transformer on `length` tokens; the same moment as in `dit_pass` is the worst."""
    d, ratio = config.width, config.mlp_ratio
    per_token = 4 * d * d + 2 * ratio * d * d + 2 * length * d
    kept = batch * length * d * config.depth * (12 + 2 * ratio)
    return Pass(
        work=2.0 * batch * config.depth * length * per_token,
        elements=batch * length * d * (3 + 2 * ratio),
        kept=kept,
    )


def clip_text_pass(config: ClipTextConfig, batch: int) -> Pass:
    """A CLIP text encoder on `batch` texts of full length; the same moment as in `dit_pass` is the worst."""
    d, length = config.width, config.length
    per_token = 4 * d * d + 2 * config.mlp_width * d + 2 * length * d
    tokens = batch * length
    return Pass(
        work=2.0 * config.depth * tokens * per_token + 2.0 * batch * d * (config.projection or 0),
        elements=tokens * (3 * d + 2 * config.mlp_width),
        kept=tokens * config.depth * (12 * d + 2 * config.mlp_width),
    )


def encoder_pass(config: AutoencoderConfig, batch: int, height: int, width: int) -> Pass:
    """An autoencoder's encoder on pictures of height x width."""
    positions = batch * (height // config.patch) * (width // config.patch)
    found = _convolution(positions, config.image_channels * config.patch**2, config.widths[0])
    for level, (channels, blocks) in enumerate(zip(config.widths, config.encoder_blocks, strict=True)):
        if level > 0:
            positions //= 4
            found = _then(found, _convolution(positions, config.widths[level - 1], channels, taps=16))
        for _ in range(blocks):
            found = _then(found, residual_pass(positions, channels))
    return _then(found, _convolution(positions, config.widths[-1], 2 * config.latent_channels))


def decoder_pass(config: AutoencoderConfig, batch: int, height: int, width: int) -> Pass:
    """An autoencoder's decoder on latents of height x width."""
    positions = batch * height * width
    channels = config.widths[-1]
    found = _convolution(positions, config.latent_channels, channels)
    for level, blocks in zip(reversed(range(len(config.widths))), config.decoder_blocks, strict=True):
        if level < len(config.widths) - 1:
            positions *= 4
            found = _then(found, _convolution(positions, channels, config.widths[level]))
            channels = config.widths[level]
        for _ in range(blocks):
            found = _then(found, residual_pass(positions, channels))
    return _then(found, _convolution(positions, channels, config.image_channels * config.patch**2))


def image_tower_pass(config: MatcherConfig, batch: int, height: int, width: int) -> Pass:
    """A matcher's image tower on pictures of height x width."""
    positions = batch * (height // 2) * (width // 2)
    found = _convolution(positions, 12, config.widths[0])
    for level, (channels, blocks) in enumerate(zip(config.widths, config.blocks, strict=True)):
        if level > 0:
            positions //= 4
            found = _then(found, _convolution(positions, config.widths[level - 1], channels, taps=16))
        for _ in range(blocks):
            found = _then(found, residual_pass(positions, channels))
    return found


def residual_pass(positions: int, channels: int) -> Pass:
    """A residual block of two 3 x 3 convolutions; each, its norm and its SiLU are kept for a backward pass."""
    size = positions * channels
    return Pass(work=2.0 * 2 * 9 * size * channels, elements=CONVOLUTION * size, kept=6 * size)


def _convolution(positions: int, channels: int, out: int, taps: int = 9) -> Pass:
    """positions: of the output. Input and output, each also in the layout that the convolution works in."""
    stride = 4 if taps == 16 else 1
    size = positions * (channels * stride + out)
    return Pass(work=2.0 * taps * positions * channels * out, elements=2 * size, kept=size)


def _then(first: Pass, second: Pass) -> Pass:
    """One after the other."""
    return Pass(
        work=first.work + second.work,
        elements=max(first.elements, second.elements),
        kept=first.kept + second.kept,
    )


def attention_parameters(width: int, heads: int, context: int) -> int:
    """Weights of an attention layer: four projections with biases, and the gains of queries and keys."""
    return 2 * (width * width + width) + 2 * (context * width + width) + 2 * (width // heads)


def dit_parameters(config: DiTConfig) -> int:
    """Weights of a DiT."""
    d, token = config.width, config.patch**2 * config.channels
    mlp = 2 * config.mlp_ratio * d * d + (config.mlp_ratio + 1) * d
    attention = attention_parameters(d, config.heads, d) + attention_parameters(d, config.heads, config.context_width)
    block = attention + mlp + 6 * d
    ends = (token * d + d) + (256 * d + d) + (d * d + d) + (config.context_width * d + d) + (6 * d * d + 6 * d)
    return config.depth * block + ends + 2 * d + (d * token + token)


def text_parameters(config: TextConfig) -> int:
    """Weights of a text transformer."""
    d = config.width
    block = attention_parameters(d, config.heads, d) + 2 * config.mlp_ratio * d * d + (config.mlp_ratio + 1) * d + 4 * d
    return config.vocabulary * d + config.length * d + config.depth * block + 2 * d


def clip_text_parameters(config: ClipTextConfig) -> int:
    """Weights of a CLIP text encoder."""
    d, hidden = config.width, config.mlp_width
    block = 4 * (d * d + d) + (2 * hidden * d + hidden + d) + 4 * d
    return (config.vocabulary + config.length) * d + config.depth * block + 2 * d + d * (config.projection or 0)


def autoencoder_parameters(config: AutoencoderConfig) -> int:
    """Weights of encoder and decoder."""
    pixels, first, last = config.image_channels * config.patch**2, config.widths[0], config.widths[-1]
    steps = list(zip(config.widths, config.widths[1:], strict=False))
    encoder = _kernel(pixels, first) + sum(_kernel(a, b, 16) for a, b in steps) + 2 * last
    encoder += sum(n * _residual(w) for w, n in zip(config.widths, config.encoder_blocks, strict=True))
    decoder = _kernel(config.latent_channels, last) + sum(_kernel(b, a) for a, b in steps) + 2 * first
    decoder += sum(n * _residual(w) for w, n in zip(reversed(config.widths), config.decoder_blocks, strict=True))
    return encoder + _kernel(last, 2 * config.latent_channels) + decoder + _kernel(first, pixels)


def matcher_parameters(config: MatcherConfig) -> int:
    """Weights of both towers of a matcher, its projections and its temperature."""
    steps = zip(config.widths, config.widths[1:], strict=False)
    tower = _kernel(12, config.widths[0]) + sum(_kernel(a, b, 16) for a, b in steps) + 2 * config.widths[-1]
    tower += sum(n * _residual(w) for w, n in zip(config.widths, config.blocks, strict=True))
    outs = (config.widths[-1] + 1 + config.text.width + 1) * config.embedding
    return tower + text_parameters(config.text) + outs + 1


def _residual(width: int) -> int:
    return 2 * (_kernel(width, width) + 2 * width)


def _kernel(channels: int, out: int, taps: int = 9) -> int:
    return taps * channels * out + out
