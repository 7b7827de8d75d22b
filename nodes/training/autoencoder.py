"""Training a KL autoencoder: absolute error, error of the image gradients, and a small KL term."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from ..models.autoencoder_kl import AutoencoderKL, kl_to_standard_normal
from ..models.configs import AutoencoderConfig
from .loop import Plan
from .state import Learner, batch_indices, generator, new_learner


@dataclass(frozen=True, kw_only=True)
class AutoencoderLoss:
    """Weights beside the absolute error. gradients: of neighbours' differences. kl: of the latent's KL divergence.

    bfloat16: whether convolutions and matrix products are rounded to bfloat16 (autocast): three times as fast on
    processors with matrix units for it, slower on others.
    """

    gradients: float = 1.0
    kl: float = 1e-6
    bfloat16: bool = False


Told = Callable[[int, int], None]
"""Told before each batch how many pictures are done, of how many; may raise to stop."""


def batches(pixels: UInt8[Tensor, "n h w 3"], size: int, told: Told | None) -> Iterator[UInt8[Tensor, "b h w 3"]]:
    """Pictures in batches of at most `size`."""
    for done in range(0, len(pixels), size):
        if told is not None:
            told(done, len(pixels))
        yield pixels[done : done + size]


def as_image(pixels: UInt8[Tensor, "b h w 3"]) -> Float[Tensor, "b 3 h w"]:
    """Bytes to numbers in [-1, 1], channels first (channels-last in memory)."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def new_autoencoder(config: AutoencoderConfig, plan: Plan) -> Learner:
    """A learner with weights drawn from the plan's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model = AutoencoderKL(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return new_learner(model, betas=(0.9, 0.99), weight_decay=1e-4)


def autoencoder_settings(config: AutoencoderConfig, loss: AutoencoderLoss) -> dict[str, object]:
    """What a checkpoint must agree on, as JSON values."""
    return {"autoencoder": {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(config).items()}} | {
        "loss": asdict(loss)
    }


def autoencoder_loss(
    model: AutoencoderKL, pixels: UInt8[Tensor, "n h w 3"], step: int, plan: Plan, weights: AutoencoderLoss
) -> Float[Tensor, ""]:
    """The loss of batch number `step`: |x' - x| + w_g |grad x' - grad x| + w_kl KL; half are mirrored."""
    chosen = batch_indices(plan.seed, step, plan.batch, len(pixels))
    draw = generator(plan.seed, step, "autoencoder")
    image = as_image(pixels[chosen])
    mirrored = torch.rand(plan.batch, generator=draw) < 0.5
    image = torch.where(mirrored[:, None, None, None], image.flip(3), image)
    device = next(model.parameters()).device
    image = image.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=weights.bfloat16):
        mean, log_variance = (each.float() for each in model.encode(image))
        noise = torch.randn(mean.shape, generator=draw).to(device)
        decoded = model.decode(mean + torch.exp(0.5 * log_variance) * noise).float()
    loss = (decoded - image).abs().mean() + weights.gradients * gradient_error(decoded, image)
    return loss + weights.kl * kl_to_standard_normal(mean, log_variance).sum(dim=(1, 2, 3)).mean()


def gradient_error(x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"]) -> Float[Tensor, ""]:
    """Mean absolute error of the differences of neighbouring pixels, over both directions."""
    error = x - y
    return 0.5 * (error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean())


@torch.no_grad()
def encode_all(
    model: AutoencoderKL, pixels: UInt8[Tensor, "n h w 3"], batch: int = 64, told: Told | None = None
) -> Float[Tensor, "n z h w"]:
    """The latent means of all pictures, float32 on the CPU."""
    device = next(model.parameters()).device
    parts = [model.encode(as_image(part).to(device))[0].float().cpu() for part in batches(pixels, batch, told)]
    return torch.cat(parts).contiguous()


@torch.no_grad()
def reconstruct(
    model: AutoencoderKL, pixels: UInt8[Tensor, "n h w 3"], batch: int = 64, told: Told | None = None
) -> UInt8[Tensor, "n h w 3"]:
    """The pictures through encoder (mean) and decoder, as bytes."""
    device = next(model.parameters()).device
    parts = (as_image(part).to(device) for part in batches(pixels, batch, told))
    return torch.cat([to_bytes(model.decode(model.encode(part)[0])) for part in parts])


def to_bytes(image: Float[Tensor, "b 3 h w"]) -> UInt8[Tensor, "b h w 3"]:
    """Numbers in [-1, 1] (others clipped) to bytes, channels last, on the CPU."""
    return ((image.clamp(-1.0, 1.0) + 1.0) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().contiguous()


def latent_statistics(latents: Float[Tensor, "n z h w"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Per channel the mean (the shift) and 1 / standard deviation (the scale): (z - shift) * scale is standard."""
    shift = latents.double().mean(dim=(0, 2, 3))
    scale = 1.0 / latents.double().std(dim=(0, 2, 3)).clamp(min=1e-6)
    return tuple(shift.tolist()), tuple(scale.tolist())


def preview_map(
    latents: Float[Tensor, "n z h w"], pixels: UInt8[Tensor, "n height width 3"]
) -> tuple[tuple[float, float, float], ...]:
    """The linear map from latents to RGB in [0, 1] with the least squared error at the latents' size.

    One row of 3 per channel and a last row of offsets; pictures are averaged down to the size of their latents. Rounded
    to 6 digits, for the last bits of a least-squares solution depend on where in memory its numbers lie.
    """
    _, z, h, w = latents.shape
    small = nn.functional.interpolate(pixels.permute(0, 3, 1, 2).float() / 255.0, size=(h, w), mode="area")
    x = latents.permute(0, 2, 3, 1).reshape(-1, z).double()  # nhw z
    x = torch.cat([x, torch.ones(len(x), 1, dtype=torch.float64)], dim=1)
    y = small.permute(0, 2, 3, 1).reshape(-1, 3).double()
    solution = torch.linalg.lstsq(x, y).solution  # z+1 3
    return tuple((round(r, 6), round(g, 6), round(b, 6)) for r, g, b in solution.tolist())
