"""Training a text-conditional rectified flow on latents, its text encoder along with it.

Liu et al. 2022 (rectified flow); Esser et al. 2024, section 3.1 (logit-normal times). x_t = (1 - t) x_0 + t eps, and
the network predicts the velocity eps - x_0.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int64
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..models.configs import DiTConfig, TextConfig
from ..models.dit import DiT
from ..models.text_transformer import TextTransformer
from ..models.word_pieces import tokenize
from .captions import draw_caption
from .icon_data import IconEntry
from .loop import Plan
from .state import Learner, batch_indices, generator, new_learner


@dataclass(frozen=True, kw_only=True)
class FlowLoss:
    """How noise levels and captions are drawn.

    uniform: part of the times drawn uniformly in [0, 1] rather than logit-normally. empty: part of captions left out.
    bfloat16: whether the networks compute in bfloat16 (weights, their averages and the loss stay float32): faster on
    GPUs and on processors with matrix units for it, slower on others.
    """

    uniform: float = 0.1
    empty: float = 0.1
    bfloat16: bool = False


class TextToLatent(nn.Module):
    """A denoiser and the text encoder that is trained with it: keys `denoiser.*` and `text_encoder.*`."""

    def __init__(self, denoiser: DiTConfig, text: TextConfig) -> None:
        super().__init__()
        self.denoiser = DiT(denoiser)
        self.text_encoder = TextTransformer(text)

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        t: Float[Tensor, " b"],
        ids: Int64[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
    ) -> Float[Tensor, "b c h w"]:
        """The velocity at x and time t under the captions."""
        velocity: Tensor = self.denoiser(x, t, self.text_encoder(ids, mask), mask)
        return velocity


@dataclass(frozen=True, kw_only=True)
class FlowData:
    """What is trained on: latents of mean 0 and variance 1 per channel, and what is known of each."""

    latents: Float[Tensor, "n z h w"]
    entries: tuple[IconEntry, ...]
    tokenizer: Tokenizer

    def __post_init__(self) -> None:
        if len(self.latents) != len(self.entries):
            raise ValueError(
                f"{len(self.latents)} latents for {len(self.entries)} pictures; encode the same pictures again"
            )


def new_denoiser(denoiser: DiTConfig, text: TextConfig, plan: Plan) -> Learner:
    """A learner with weights drawn from the plan's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model = TextToLatent(denoiser, text)
    return new_learner(model, betas=(0.9, 0.95), weight_decay=0.01)


def denoiser_settings(denoiser: DiTConfig, text: TextConfig, loss: FlowLoss) -> dict[str, object]:
    """What a checkpoint must agree on, as JSON values."""
    return {"denoiser": asdict(denoiser), "text_encoder": asdict(text), "loss": asdict(loss)}


def draw_times(count: int, draw: torch.Generator, uniform: float) -> Float[Tensor, " count"]:
    """Times in (0, 1): sigmoid of a standard normal, a part `uniform` of them uniform."""
    normal = torch.sigmoid(torch.randn(count, generator=draw))
    flat = torch.rand(count, generator=draw)
    return torch.where(torch.rand(count, generator=draw) < uniform, flat, normal)


def flow_loss(model: nn.Module, data: FlowData, step: int, plan: Plan, settings: FlowLoss) -> Float[Tensor, ""]:
    """Mean squared error of the velocity on batch number `step`."""
    chosen = batch_indices(plan.seed, step, plan.batch, len(data.latents))
    draw = generator(plan.seed, step, "flow")
    captions = [draw_caption(data.entries[index], draw, empty=settings.empty) for index in chosen.tolist()]
    ids, mask = tokenize(data.tokenizer, captions)
    clean = data.latents[chosen]
    noise = torch.randn(clean.shape, generator=draw)
    t = draw_times(plan.batch, draw, settings.uniform)
    level = t[:, None, None, None]
    noisy, velocity = (1.0 - level) * clean + level * noise, noise - clean
    device = next(model.parameters()).device
    inputs = (noisy.to(device), t.to(device), ids.to(device), mask.to(device))
    predicted = _in_bfloat16(model, *inputs) if settings.bfloat16 else model(*inputs)
    return nn.functional.mse_loss(predicted.float(), velocity.to(device))


def _in_bfloat16(model: nn.Module, noisy: Tensor, *others: Tensor) -> Tensor:
    """The model's output with all weights rounded to bfloat16; gradients reach the float32 weights.

    On CPUs attention is computed by plain matrix products: over few tokens these are several times faster than the
    backward pass of the fused kernel.
    """
    rounded = {name: value.to(torch.bfloat16) for name, value in model.named_parameters()}
    plain = sdpa_kernel(SDPBackend.MATH) if noisy.device.type == "cpu" else nullcontext()
    with plain:
        predicted: Tensor = functional_call(model, rounded, (noisy.to(torch.bfloat16), *others))
    return predicted


@torch.no_grad()
def preview(
    model: TextToLatent,
    tokenizer: Tokenizer,
    texts: list[str],
    *,
    side: int = 16,
    steps: int = 20,
    guidance: float = 4.0,
    seed: int = 0,
) -> Float[Tensor, "b z side side"]:
    """Normalised latents for texts, by Euler steps with classifier-free guidance; to look at a model in training."""
    device = next(model.parameters()).device
    ids, mask = (each.to(device) for each in tokenize(tokenizer, [*texts, *[""] * len(texts)]))
    shape = (len(texts), model.denoiser.config.channels, side, side)
    x = torch.randn(shape, generator=generator(seed, 0, "preview")).to(device)
    context = model.text_encoder(ids, mask)
    grid = torch.linspace(1.0, 0.0, steps + 1).tolist()
    for t, after in pairwise(grid):
        level = torch.full((2 * len(texts),), t, device=device)
        conditional, empty = model.denoiser(torch.cat([x, x]), level, context, mask).chunk(2)
        x = x + (after - t) * (empty + guidance * (conditional - empty))
    return x
