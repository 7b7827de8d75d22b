"""The KL autoencoder of latent diffusion and Stable Diffusion. Rombach et al. 2022, section 3.1 and appendix G.

Modules are named as in the original checkpoints (below `first_stage_model.`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from .configs import LdmAutoencoderConfig


class Residual(nn.Module):
    """shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x)))))), the shortcut a 1 x 1 convolution where widths differ."""

    def __init__(self, width: int, out: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, width, eps=1e-6)
        self.conv1 = nn.Conv2d(width, out, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, out, eps=1e-6)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(width, out, 1) if width != out else None

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:
        """Same sides."""
        # nested, so that no name keeps a tensor alive that is done with: this decides how large pictures can be
        h = self.norm2(self.conv1(F.silu(self.norm1(x), inplace=True)))
        out: Tensor = self.conv2(F.silu(h, inplace=True))
        del h
        return out.add_(x if self.nin_shortcut is None else self.nin_shortcut(x))


class Attention(nn.Module):
    """x + proj_out(softmax(q k^T / sqrt(c)) v): one head over all positions."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, eps=1e-6)
        self.q = nn.Conv2d(width, width, 1)
        self.k = nn.Conv2d(width, width, 1)
        self.v = nn.Conv2d(width, width, 1)
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Same shape."""
        h = self.norm(x)
        q, k, v = (each(h).flatten(2).transpose(1, 2).unsqueeze(1) for each in (self.q, self.k, self.v))  # b 1 hw c
        del h
        mixed = F.scaled_dot_product_attention(q, k, v).squeeze(1)  # b hw c
        out: Tensor = self.proj_out(mixed.transpose(1, 2).reshape(x.shape)).add_(x)
        return out


class Middle(nn.Module):
    """The coarsest resolution between the levels: residual block, attention, residual block."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.block_1 = Residual(width, width, groups)
        self.attn_1 = Attention(width, groups)
        self.block_2 = Residual(width, width, groups)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Same shape."""
        out: Tensor = self.block_2(self.attn_1(self.block_1(x)))
        return out


class Downsample(nn.Module):
    """Half the sides: a convolution of stride 2, padded with zeros right and below only."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Even sides."""
        out: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return out


class Upsample(nn.Module):
    """Twice the sides: nearest neighbour, then a 3 x 3 convolution.

    Of the nine positions that the convolution sees only four differ, so it is done at the small size, with 2 x 2
    kernels: one for each of the four positions that an input position becomes. That takes 4/9 of the operations.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Sides twice as long."""
        b, c, h, w = x.shape
        kernels = _phase_kernels(self.conv.weight).contiguous(memory_format=torch.channels_last)
        assert self.conv.bias is not None
        phases = F.conv2d(x, kernels, self.conv.bias.repeat(4), padding=1).permute(0, 2, 3, 1)  # b h+1 w+1 4c
        out = x.new_empty(b, h, 2, w, 2, c)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            out[:, :, i, :, j] = phases[:, i : i + h, j : j + w, (2 * i + j) * c : (2 * i + j + 1) * c]
        return out.reshape(b, 2 * h, 2 * w, c).permute(0, 3, 1, 2)  # b c 2h 2w


def _phase_kernels(weight: Float[Tensor, "o c 3 3"]) -> Float[Tensor, "o4 c 2 2"]:
    """The kernels of the four phases (row, column), one after the other, added up in float32 or more.

    An even row of the output sees the input row before once and its own twice, an odd one its own twice and the next.
    """
    w = weight.to(torch.promote_types(weight.dtype, torch.float32))
    rows = (
        torch.stack([w[:, :, 0], w[:, :, 1] + w[:, :, 2]], 2),
        torch.stack([w[:, :, 0] + w[:, :, 1], w[:, :, 2]], 2),
    )
    both = [
        torch.stack(pair, 3)
        for r in rows
        for pair in ((r[..., 0], r[..., 1] + r[..., 2]), (r[..., 0] + r[..., 1], r[..., 2]))
    ]
    return torch.cat(both).to(weight.dtype)


class Level(nn.Module):
    """The residual blocks of one resolution, and the way to the next one."""

    def __init__(self, width: int, out: int, blocks: int, groups: int) -> None:
        super().__init__()
        self.block = nn.ModuleList(Residual(width if i == 0 else out, out, groups) for i in range(blocks))
        self.downsample: Downsample | None = None
        self.upsample: Upsample | None = None


def _steps(levels: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """All blocks of all levels and the ways between, in order.

    The caller runs them, so that nothing holds a level's input while its later blocks work.
    """
    for level in levels:
        assert isinstance(level, Level)
        yield from level.block
        step = level.downsample or level.upsample
        if step is not None:
            yield step


class Encoder(nn.Module):
    """Image to moments (mean and log-variance) before the quant convolution."""

    def __init__(self, config: LdmAutoencoderConfig) -> None:
        super().__init__()
        widths, groups = config.widths, config.groups
        self.conv_in = nn.Conv2d(config.image_channels, config.channels, 3, padding=1)
        self.down = nn.ModuleList()
        before = config.channels
        for i, width in enumerate(widths):
            level = Level(before, width, config.res_blocks, groups)
            if i < len(widths) - 1:
                level.downsample = Downsample(width)
            self.down.append(level)
            before = width
        self.mid = Middle(before, groups)
        self.norm_out = nn.GroupNorm(groups, before, eps=1e-6)
        self.conv_out = nn.Conv2d(before, 2 * config.latent_channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b z2 h2 w2"]:
        """x: an image in [-1, 1]."""
        h = self.conv_in(x)
        for step in _steps(self.down):
            h = step(h)
        h = self.norm_out(self.mid(h))
        out: Tensor = self.conv_out(F.silu(h, inplace=True))
        return out


class Decoder(nn.Module):
    """Latent (after the post-quant convolution) to image. `up` is indexed by resolution, 0 being the finest."""

    def __init__(self, config: LdmAutoencoderConfig) -> None:
        super().__init__()
        widths, groups = config.widths, config.groups
        self.conv_in = nn.Conv2d(config.latent_channels, widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1], groups)
        levels = [
            Level(before, width, config.res_blocks + 1, groups)
            for width, before in zip(widths, (*widths[1:], widths[-1]), strict=True)
        ]
        for level, width in zip(levels[1:], widths[1:], strict=True):
            level.upsample = Upsample(width)
        self.up = nn.ModuleList(levels)
        self.norm_out = nn.GroupNorm(groups, widths[0], eps=1e-6)
        self.conv_out = nn.Conv2d(widths[0], config.image_channels, 3, padding=1)

    def forward(self, z: Float[Tensor, "b z h w"]) -> Float[Tensor, "b c h2 w2"]:
        """An image, about in [-1, 1]; not clipped."""
        h = self.mid(self.conv_in(z))
        for step in _steps(reversed(self.up)):
            h = step(h)
        h = self.norm_out(h)
        out: Tensor = self.conv_out(F.silu(h, inplace=True))
        return out


class LdmAutoencoder(nn.Module):
    """Encoder and decoder, with 1 x 1 convolutions on both sides of the latent where the config has them.

    It is fastest, and needs the least memory, with weights and inputs in `torch.channels_last` format.
    """

    def __init__(self, config: LdmAutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        z = config.latent_channels
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * z, 2 * z, 1) if config.quant else None
        self.post_quant_conv = nn.Conv2d(z, z, 1) if config.quant else None

    def encode(self, image: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (clamped to [-30, 20]) of the latent of an image in [-1, 1]."""
        side = self.config.downscale
        if image.shape[-2] % side or image.shape[-1] % side:
            raise ValueError(f"sides {tuple(image.shape[-2:])} are no multiples of {side}")
        moments = self.encoder(image)
        mean, log_variance = (moments if self.quant_conv is None else self.quant_conv(moments)).chunk(2, dim=1)
        return mean, log_variance.clamp(-30.0, 20.0)

    def decode(self, latent: Float[Tensor, "b z h w"]) -> Float[Tensor, "b c h2 w2"]:
        """The image of a latent, about in [-1, 1]."""
        image: Tensor = self.decoder(latent if self.post_quant_conv is None else self.post_quant_conv(latent))
        return image
