"""A convolutional KL autoencoder: images to Gaussian latents and back. Rombach et al. 2022, section 3.1."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .configs import AutoencoderConfig
from .layers import ResidualBlock


class Encoder(nn.Module):
    """Image to the mean and log-variance of its latent, concatenated."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        first, *rest = config.widths
        self.patch = config.patch
        self.conv_in = nn.Conv2d(config.image_channels * config.patch**2, first, 3, padding=1)
        layers: list[nn.Module] = []
        width = first
        for level, blocks in enumerate(config.encoder_blocks):
            if level > 0:
                layers.append(nn.Conv2d(width, rest[level - 1], 4, stride=2, padding=1))
                width = rest[level - 1]
            layers += [ResidualBlock(width, config.groups) for _ in range(blocks)]
        self.layers = nn.Sequential(*layers)
        self.norm_out = nn.GroupNorm(config.groups, width)
        self.conv_out = nn.Conv2d(width, 2 * config.latent_channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        """x: an image in [-1, 1]."""
        h = self.layers(self.conv_in(nn.functional.pixel_unshuffle(x, self.patch)))
        out: Tensor = self.conv_out(nn.functional.silu(self.norm_out(h)))
        return out


class Upsample(nn.Module):
    """Twice the sides: nearest neighbour, then a convolution."""

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, out_width, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        """Sides twice as long."""
        out: Tensor = self.conv(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class Decoder(nn.Module):
    """Latent to image."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        width = config.widths[-1]
        self.conv_in = nn.Conv2d(config.latent_channels, width, 3, padding=1)
        layers: list[nn.Module] = []
        for level in reversed(range(len(config.widths))):
            if config.widths[level] != width or level < len(config.widths) - 1:
                layers.append(Upsample(width, config.widths[level]))
                width = config.widths[level]
            layers += [ResidualBlock(width, config.groups) for _ in range(config.decoder_blocks[-1 - level])]
        self.layers = nn.Sequential(*layers)
        self.norm_out = nn.GroupNorm(config.groups, width)
        self.conv_out = nn.Conv2d(width, config.image_channels * config.patch**2, 3, padding=1)
        self.patch = config.patch

    def forward(self, z: Float[Tensor, "b z h w"]) -> Float[Tensor, "b c h2 w2"]:
        """An image, about in [-1, 1]; not clipped."""
        h = self.layers(self.conv_in(z))
        return nn.functional.pixel_shuffle(self.conv_out(nn.functional.silu(self.norm_out(h))), self.patch)


class AutoencoderKL(nn.Module):
    """Encoder and decoder."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode(self, image: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (clamped to [-30, 20]) of the latent of an image in [-1, 1]."""
        side = self.config.downscale
        if image.shape[-2] % side or image.shape[-1] % side:
            raise ValueError(f"sides {tuple(image.shape[-2:])} are no multiples of {side}")
        mean, log_variance = self.encoder(image).chunk(2, dim=1)
        return mean, log_variance.clamp(-30.0, 20.0)

    def decode(self, latent: Float[Tensor, "b z h w"]) -> Float[Tensor, "b c h2 w2"]:
        """The image of a latent, about in [-1, 1]."""
        image: Tensor = self.decoder(latent)
        return image


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) per element: (mu^2 + sigma^2 - 1 - log sigma^2) / 2."""
    return 0.5 * (mean.square() + torch.exp(log_variance) - 1.0 - log_variance)
