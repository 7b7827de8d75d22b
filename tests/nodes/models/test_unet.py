"""UNet and ControlNet against diffusers, their sizes, and the names of their tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nodes.checkpoints.unet import diffusers_unet_config, unet_config
from nodes.checkpoints.unet_names import controlnet_modules, renamed, unet_modules
from nodes.models.configs import SD1, SD1_INPAINTING, SD2, SDXL, SDXL_REFINER, UNetConfig
from nodes.models.controlnet import ControlNet
from nodes.models.patching import Change, with_changes
from nodes.models.taps import Several, Taps
from nodes.models.unet import UNet
from nodes.models.unet_costs import controlnet_pass, hint_pass, unet_pass
from nodes.models.unet_shapes import controlnet_shapes, unet_shapes

SMALL = UNetConfig(channels=32, multipliers=(1, 2), depths=(1, 0), middle_depth=1, heads=4, context_width=24)
LINEAR = replace(SMALL, depths=(0, 2), middle_depth=2, heads=0, head_width=16, linear_projections=True)
WITH_VECTOR = replace(LINEAR, vector_width=80)


def diffusers_options(config: UNetConfig) -> dict[str, Any]:
    """The same shape in the words of diffusers."""
    widths = tuple(multiplier * config.channels for multiplier in config.multipliers)
    down = tuple("CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in config.depths)
    options = {
        "in_channels": config.in_channels,
        "block_out_channels": widths,
        "down_block_types": down,
        "layers_per_block": config.res_blocks,
        "cross_attention_dim": config.context_width,
        "transformer_layers_per_block": [max(1, depth) for depth in config.depths],
        "attention_head_dim": config.heads or tuple(width // config.head_width for width in widths),
        "use_linear_projection": config.linear_projections,
    }
    if config.vector_width:
        options |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": config.vector_width,
        }
    return options


def theirs(config: UNetConfig) -> nn.Module:
    from diffusers import UNet2DConditionModel

    up = tuple("CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(config.depths))
    torch.manual_seed(0)
    options = diffusers_options(config)
    return UNet2DConditionModel(out_channels=config.out_channels, up_block_types=up, sample_size=16, **options).eval()  # type: ignore[no-any-return]


def copied(network: nn.Module, names: dict[str, str], reference: nn.Module) -> nn.Module:
    """The network with the weights of the reference, each of which is used once."""
    stored = dict(reference.state_dict())
    state = {}
    for name, value in network.state_dict().items():
        other = renamed(names, name)
        assert other is not None, name
        state[name] = stored.pop(other).reshape(value.shape)
    assert stored == {}
    network.load_state_dict(state)
    return network.eval()


def inputs(config: UNetConfig) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, config.in_channels, 16, 24, generator=generator)
    return x, torch.tensor([3.0, 941.5]), torch.randn(2, 7, config.context_width, generator=generator)


def vector_of(config: UNetConfig) -> tuple[Tensor, dict[str, Tensor]]:
    """The vector, and what diffusers makes it of."""
    from nodes.models.layers import timestep_embedding

    pooled = torch.randn(2, 32, generator=torch.Generator().manual_seed(2))
    sizes = torch.tensor([[512.0, 640.0, 0.0, 16.0, 512.0, 640.0]] * 2)
    embedded = timestep_embedding(sizes.flatten(), 8).reshape(2, 48)
    return torch.cat([pooled, embedded], dim=1), {"text_embeds": pooled, "time_ids": sizes}


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, in_channels=9), LINEAR, WITH_VECTOR])
def test_the_unet_is_that_of_diffusers(config: UNetConfig) -> None:
    reference = theirs(config)
    network = copied(UNet(config), unet_modules(config), reference)
    x, time, context = inputs(config)
    vector, added = vector_of(config) if config.vector_width else (None, None)
    with torch.no_grad():
        found = network(x, time, context, vector=vector)
        wanted = reference(x, time, context, added_cond_kwargs=added).sample
    assert (found - wanted).abs().max() <= 1e-5
    assert wanted.std() > 0.05


@pytest.mark.parametrize("config", [SMALL, WITH_VECTOR])
def test_the_controlnet_is_that_of_diffusers(config: UNetConfig) -> None:
    from diffusers import ControlNetModel

    torch.manual_seed(0)
    options = diffusers_options(config)
    reference = ControlNetModel(conditioning_embedding_out_channels=(16, 32, 96, 256), **options).eval()
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            if "controlnet_" in name:
                parameter.normal_(std=0.1)
    network = copied(ControlNet(config), controlnet_modules(config), reference)
    assert isinstance(network, ControlNet)
    x, time, context = inputs(config)
    hint = torch.rand(2, 3, 8 * 16, 8 * 24, generator=torch.Generator().manual_seed(3))
    vector, added = vector_of(config) if config.vector_width else (None, None)
    with torch.no_grad():
        residuals, middle = network(x, network.read(hint), time, context, vector=vector)
        down, mid = reference(x, time, context, hint, added_cond_kwargs=added, return_dict=False)
    assert len(residuals) == len(down) == len(config.multipliers) * 3
    for found, wanted in [*zip(residuals, down, strict=True), (middle, mid)]:
        assert (found - wanted).abs().max() <= 1e-4
        assert wanted.std() > 1e-3


def test_padded_tokens_change_nothing_where_the_mask_says_so() -> None:
    network = UNet(SMALL).eval()
    x, time, context = inputs(SMALL)
    longer = torch.cat([context, torch.ones(2, 3, SMALL.context_width)], dim=1)
    mask = torch.tensor([[True] * 7 + [False] * 3] * 2)
    with torch.no_grad():
        assert (network(x, time, longer, mask=mask) - network(x, time, context)).abs().max() <= 1e-5
        assert (network(x, time, longer) - network(x, time, context)).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (SD1, 859_520_964),
        (SD1_INPAINTING, 859_535_364),
        (SD2, 865_910_724),
        (SDXL, 2_567_463_684),
        (SDXL_REFINER, 2_259_526_660),
    ],
)
def test_full_size_networks_have_their_published_size(config: UNetConfig, count: int) -> None:
    with torch.device("meta"):
        network = UNet(config)
        assert sum(each.numel() for each in network.parameters()) == count
        vector = torch.zeros(1, config.vector_width) if config.vector_width else None
        out = network(
            torch.zeros(1, config.in_channels, 16, 16),
            torch.zeros(1),
            torch.zeros(1, 77, config.context_width),
            vector=vector,
        )
    assert out.shape == (1, 4, 16, 16)


def test_the_full_size_controlnet_has_its_published_size() -> None:
    with torch.device("meta"):
        network = ControlNet(SD1)
        guided = network.read(torch.zeros(1, 3, 64, 64))
        residuals, middle = network(torch.zeros(1, 4, 8, 8), guided, torch.zeros(1), torch.zeros(1, 77, 768))
    assert sum(each.numel() for each in network.parameters()) == 361_279_120
    assert [each.shape[1] for each in residuals] == [320] * 4 + [640] * 3 + [1280] * 5
    assert middle.shape == (1, 1280, 1, 1)


class Doubled(Taps):
    def encoded(self, skips: Any, middle: Tensor) -> Any:
        return [2.0 * each for each in skips], middle

    def decoding(self, h: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        return h, 0.5 * skip


def test_taps_see_each_skip_once() -> None:
    network = UNet(SMALL).eval()
    x, time, context = inputs(SMALL)
    with torch.no_grad():
        plain = network(x, time, context)
        assert torch.equal(network(x, time, context, taps=Doubled()), plain)  # twice and half of it
        assert torch.equal(network(x, time, context, taps=Several([Doubled(), Taps()])), plain)
        assert not torch.equal(network(x, time, context, taps=Several([Doubled(), Doubled(), _Twice()])), plain)


class _Twice(Taps):
    def decoding(self, h: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        return 2.0 * h, skip


class Added(Change):
    def __init__(self, value: float) -> None:
        self.value = value

    def delta(self, weight: Tensor) -> Tensor:
        return torch.full_like(weight, self.value, dtype=torch.float32)


def every_weight(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from network.state_dict().items()


def test_changed_networks_share_what_is_not_changed() -> None:
    network = UNet(SMALL).eval()
    before = {name: value.clone() for name, value in every_weight(network)}
    name = "middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    changed = with_changes(network, {name: [Added(0.5), Added(-0.25)]})
    for each, value in every_weight(changed):
        if each == name:
            assert torch.equal(value, before[each] + 0.25)
        else:
            assert value.data_ptr() == network.state_dict()[each].data_ptr()
    assert all(torch.equal(value, before[each]) for each, value in every_weight(network))
    with pytest.raises(KeyError):
        with_changes(network, {"middle_block.0.nothing": [Added(1.0)]})


@pytest.mark.parametrize("config", [SD1, SD1_INPAINTING, SD2, SDXL, SDXL_REFINER, SMALL, LINEAR])
def test_shapes_are_known_without_torch(config: UNetConfig) -> None:
    with torch.device("meta"):
        network, control = UNet(config), ControlNet(config)
    assert unet_shapes(config) == {name: tuple(each.shape) for name, each in network.state_dict().items()}
    assert controlnet_shapes(config) == {name: tuple(each.shape) for name, each in control.state_dict().items()}


@pytest.mark.parametrize("config", [SD1, SD1_INPAINTING, SD2, SDXL, SDXL_REFINER])
def test_shapes_tell_the_config(config: UNetConfig) -> None:
    shapes = unet_shapes(config)
    assert unet_config(shapes) == config
    assert unet_config(controlnet_shapes(config)) == config
    names = unet_modules(config)
    assert diffusers_unet_config({renamed(names, name) or "": shape for name, shape in shapes.items()}) == config


@pytest.mark.parametrize("config", [SD1, SDXL])
def test_the_work_of_a_pass_is_what_torch_counts(config: UNetConfig) -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        network = UNet(config)
        vector = torch.zeros(2, config.vector_width) if config.vector_width else None
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            network(torch.zeros(2, 4, 16, 24), torch.zeros(2), torch.zeros(2, 77, config.context_width), vector=vector)
    assert unet_pass(config, 2, 16, 24, 77).work == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.parametrize("config", [SD1, SDXL])
def test_the_work_of_a_controlnet_is_what_torch_counts(config: UNetConfig) -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        network = ControlNet(config)
        vector = torch.zeros(2, config.vector_width) if config.vector_width else None
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
            with FlopCounterMode(display=False) as reading:
                guided = network.read(torch.zeros(2, 3, 128, 192))
            with FlopCounterMode(display=False) as counter:
                context = torch.zeros(2, 77, config.context_width)
                network(torch.zeros(2, 4, 16, 24), guided, torch.zeros(2), context, vector=vector)
    assert hint_pass(config, 2, 128, 192).work == pytest.approx(reading.get_total_flops(), rel=1e-6)
    assert controlnet_pass(config, 2, 16, 24, 77).work == pytest.approx(counter.get_total_flops(), rel=0.02)
