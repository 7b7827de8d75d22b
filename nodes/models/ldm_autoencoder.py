"""The KL autoencoder of latent diffusion and Stable Diffusion. Rombach et al. 2022, section 3.1 and appendix G.

Modules are named as in the original checkpoints (below `first_stage_model.`).
"""

from __future__ import annotations

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
        h = self.conv1(F.silu(self.norm1(x), inplace=True))
        h = self.conv2(F.silu(self.norm2(h), inplace=True))
        out: Tensor = h.add_(x if self.nin_shortcut is None else self.nin_shortcut(x))
        return out


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
        mixed = F.scaled_dot_product_attention(q, k, v).squeeze(1)  # b hw c
        out: Tensor = self.proj_out(mixed.transpose(1, 2).unflatten(2, x.shape[2:])).add_(x)
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
    """Twice the sides: nearest neighbour, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Sides twice as long."""
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class Level(nn.Module):
    """The residual blocks of one resolution, and the way to the next one."""

    def __init__(self, width: int, out: int, blocks: int, groups: int) -> None:
        super().__init__()
        self.block = nn.ModuleList(Residual(width if i == 0 else out, out, groups) for i in range(blocks))
        self.downsample: Downsample | None = None
        self.upsample: Upsample | None = None

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        """Sides halved, doubled or kept."""
        for block in self.block:
            x = block(x)
        step = self.downsample or self.upsample
        return x if step is None else step(x)


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
        for level in self.down:
            h = level(h)
        out: Tensor = self.conv_out(F.silu(self.norm_out(self.mid(h)), inplace=True))
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
        for level in reversed(self.up):
            h = level(h)
        out: Tensor = self.conv_out(F.silu(self.norm_out(h), inplace=True))
        return out


class LdmAutoencoder(nn.Module):
    """Encoder and decoder, with 1 x 1 convolutions on both sides of the latent where the config has them.

    It keeps the memory format of its weights: with weights in `torch.channels_last` all activations are so, too.
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
