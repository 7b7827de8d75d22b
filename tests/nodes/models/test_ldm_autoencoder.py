"""The autoencoder of latent diffusion: parity with diffusers, names and counts, and what passes cost."""

from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKL
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from nodes.checkpoints.ldm_autoencoder import (
    Attention,
    diffusers_autoencoder_config,
    diffusers_autoencoder_sources,
    diffusers_name,
    ldm_autoencoder_config,
    ldm_autoencoder_sources,
)
from nodes.checkpoints.sources import Source, take
from nodes.models.configs import LdmAutoencoderConfig
from nodes.models.ldm_autoencoder import LdmAutoencoder, Upsample
from nodes.models.ldm_autoencoder_costs import (
    ldm_autoencoder_parameters,
    ldm_autoencoder_shapes,
    ldm_decoder_pass,
    ldm_encoder_pass,
)

TINY = LdmAutoencoderConfig(channels=32, multipliers=(1, 2), res_blocks=1)
UNEVEN = LdmAutoencoderConfig(channels=8, multipliers=(1, 3, 2), res_blocks=2, latent_channels=6, groups=4, quant=False)


def reference(config: LdmAutoencoderConfig) -> AutoencoderKL:
    levels = len(config.multipliers)
    network = AutoencoderKL(
        block_out_channels=config.widths,
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels,
        layers_per_block=config.res_blocks,
        latent_channels=config.latent_channels,
        in_channels=config.image_channels,
        out_channels=config.image_channels,
        norm_num_groups=config.groups,
        use_quant_conv=config.quant,
        use_post_quant_conv=config.quant,
    )
    return network.eval()


def shaken(network: torch.nn.Module) -> dict[str, Tensor]:
    """Gains and biases that are not 1 and 0 either."""
    draw = torch.Generator().manual_seed(0)
    state = network.state_dict()
    return {name: value + 0.1 * torch.randn(value.shape, generator=draw) for name, value in state.items()}


def taken(sources: dict[str, Source], state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: take(state[source.name], source) for name, source in sources.items()}


@pytest.mark.parametrize("config", [TINY, UNEVEN])
@pytest.mark.parametrize("channels_last", [False, True])
def test_it_computes_what_diffusers_computes(config: LdmAutoencoderConfig, channels_last: bool) -> None:
    torch.manual_seed(0)
    theirs = reference(config)
    theirs.load_state_dict(shaken(theirs))
    ours = LdmAutoencoder(config).eval()
    ours.load_state_dict(taken(ldm_autoencoder_sources(config), theirs.state_dict()))
    if channels_last:
        ours.to(memory_format=torch.channels_last)
    image, latent = torch.rand(2, 3, 32, 48) * 2 - 1, torch.randn(2, config.latent_channels, 8, 12)
    before = latent.clone(), image.clone()
    with torch.no_grad():
        mean, log_variance = ours.encode(image)
        posterior = theirs.encode(image).latent_dist
        torch.testing.assert_close(mean, posterior.mean, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(log_variance, posterior.logvar, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(ours.decode(latent), theirs.decode(latent).sample, atol=1e-4, rtol=1e-4)
    assert torch.equal(latent, before[0])
    assert torch.equal(image, before[1])


@given(height=st.integers(1, 9), width=st.integers(1, 9), channels_last=st.booleans())
def test_upsampling_is_a_convolution_of_the_enlarged_picture(height: int, width: int, channels_last: bool) -> None:
    torch.manual_seed(0)
    layer = Upsample(3).double()
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    expected = layer.conv(torch.nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
    torch.testing.assert_close(layer(x), expected, atol=1e-12, rtol=0.0)


def test_it_can_be_trained() -> None:
    network = LdmAutoencoder(TINY)
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    mean, _ = network.encode(image)
    network.decode(mean).square().mean().backward()
    unused = {"quant_conv.weight", "quant_conv.bias"}
    assert image.grad is not None
    assert all(p.grad is not None and p.grad.isfinite().all() for n, p in network.named_parameters() if n not in unused)


def test_log_variance_is_clamped() -> None:
    network = LdmAutoencoder(TINY).eval()
    with torch.no_grad():
        network.encoder.conv_out.weight.mul_(1e4)
        _, log_variance = network.encode(torch.rand(1, 3, 16, 16))
    assert (float(log_variance.min()), float(log_variance.max())) == (-30.0, 20.0)


def test_sides_that_have_no_latent_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 2"):
        LdmAutoencoder(TINY).encode(torch.zeros(1, 3, 16, 15))


def test_the_autoencoder_of_stable_diffusion_has_its_size() -> None:
    config = LdmAutoencoderConfig()
    with torch.device("meta"):
        network = LdmAutoencoder(config)
        mean, _ = network.encode(torch.zeros(1, 3, 64, 32))
        assert network.decode(mean).shape == (1, 3, 64, 32)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == ldm_autoencoder_shapes(config)
    assert sum(each.numel() for each in network.parameters()) == ldm_autoencoder_parameters(config) == 83_653_863
    assert {
        "encoder.down.3.block.1.norm2.weight",
        "encoder.down.0.downsample.conv.bias",
        "encoder.down.1.block.0.nin_shortcut.weight",
        "encoder.mid.attn_1.proj_out.weight",
        "decoder.up.0.block.2.conv1.weight",
        "decoder.up.3.upsample.conv.weight",
        "decoder.mid.block_2.conv2.bias",
        "encoder.norm_out.weight",
        "quant_conv.weight",
        "post_quant_conv.bias",
    } <= shapes.keys()
    assert "decoder.up.0.upsample.conv.weight" not in shapes
    assert "encoder.down.3.downsample.conv.weight" not in shapes


@pytest.mark.parametrize("config", [TINY, UNEVEN])
def test_the_work_of_a_pass_is_what_torch_counts(config: LdmAutoencoderConfig) -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    network = LdmAutoencoder(config).eval()
    for call, predicted in (
        (lambda: network.encode(torch.zeros(2, 3, 32, 48)), ldm_encoder_pass(config, 2, 32, 48)),
        (lambda: network.decode(torch.zeros(2, config.latent_channels, 20, 28)), ldm_decoder_pass(config, 2, 20, 28)),
    ):
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            call()
        assert predicted.work == pytest.approx(counter.get_total_flops(), rel=0.05)


@pytest.mark.parametrize("config", [TINY, UNEVEN])
def test_memory_at_the_worst_moment_is_what_torch_allocates(config: LdmAutoencoderConfig) -> None:
    network = LdmAutoencoder(config).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = torch.zeros(1, 3, 256, 256).contiguous(memory_format=torch.channels_last)
    side = 256 // config.downscale
    latent = torch.zeros(1, config.latent_channels, side, side).contiguous(memory_format=torch.channels_last)
    for call, predicted in (
        (lambda: network.encode(image), ldm_encoder_pass(config, 1, 256, 256)),
        (lambda: network.decode(latent), ldm_decoder_pass(config, 1, side, side)),
    ):
        assert peak(call) / 4 == pytest.approx(predicted.elements, rel=0.15)


def peak(call: object) -> int:
    """Bytes of tensors that are alive at once while it runs, by the profiler's record of the allocator."""
    from torch.profiler import ProfilerActivity, profile

    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        call()  # type: ignore[operator]
    alive = highest = 0
    for event in record.profiler.kineto_results.events():  # type: ignore[union-attr]
        if event.name() == "[memory]":
            alive += event.nbytes()
            highest = max(highest, alive)
    return highest


@pytest.mark.parametrize("config", [TINY, UNEVEN])
def test_layouts_are_turned_into_each_other_bit_for_bit(config: LdmAutoencoderConfig) -> None:
    state = LdmAutoencoder(config).state_dict()
    exported = taken(diffusers_autoencoder_sources(config), state)
    theirs = reference(config).state_dict()
    assert {name: value.shape for name, value in exported.items()} == {n: v.shape for n, v in theirs.items()}
    back = taken(ldm_autoencoder_sources(config), exported)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], value) for name, value in state.items())


@pytest.mark.parametrize("attention", ["to_q", "query"])
def test_every_stored_tensor_is_used_once(attention: Attention) -> None:
    names = [source.name for source in ldm_autoencoder_sources(UNEVEN, attention).values()]
    assert len(names) == len(set(names)) == len(ldm_autoencoder_shapes(UNEVEN))


def test_old_names_of_the_attention() -> None:
    assert diffusers_name("encoder.mid.attn_1.proj_out.bias", TINY, "query") == (
        "encoder.mid_block.attentions.0.proj_attn.bias"
    )
    assert diffusers_name("decoder.up.0.upsample.conv.bias", UNEVEN) == "decoder.up_blocks.2.upsamplers.0.conv.bias"


@given(
    channels=st.integers(1, 4).map(lambda n: 8 * n),
    multipliers=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple),
    res_blocks=st.integers(1, 3),
    latent_channels=st.integers(1, 16),
    quant=st.booleans(),
)
def test_shapes_tell_the_config(
    channels: int, multipliers: tuple[int, ...], res_blocks: int, latent_channels: int, quant: bool
) -> None:
    config = LdmAutoencoderConfig(
        channels=channels,
        multipliers=multipliers,
        res_blocks=res_blocks,
        latent_channels=latent_channels,
        quant=quant,
        groups=8,
    )
    shapes = ldm_autoencoder_shapes(config)
    assert ldm_autoencoder_config(shapes, groups=8) == config
    theirs = {diffusers_name(name, config): shape for name, shape in shapes.items()}
    assert diffusers_autoencoder_config(theirs, groups=8) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder.conv_in.weight": None}, "lacks encoder.conv_in.weight"),
        ({"decoder.conv_in.weight": (64, 4)}, "none of a convolution"),
        ({"encoder.down.0.block.0.conv1.weight": None}, "lacks encoder.down.0.block.0"),
        ({"encoder.down.1.block.0.conv1.weight": (65, 32, 3, 3)}, r"widths \[65\]"),
        ({"encoder.conv_in.weight": (16, 3, 3, 3)}, "16 channels do not divide into 32 groups"),
    ],
)
def test_shapes_that_are_of_no_autoencoder(change: dict[str, tuple[int, ...] | None], message: str) -> None:
    shapes = {name: shape for name, shape in (ldm_autoencoder_shapes(TINY) | change).items() if shape is not None}
    with pytest.raises(ValueError, match=message):
        ldm_autoencoder_config(shapes)


def test_taking_from_a_tensor() -> None:
    x = torch.arange(12.0).reshape(6, 2)
    assert take(x, Source("x", part=(1, 3), transpose=True)).tolist() == [[4.0, 6.0], [5.0, 7.0]]
    assert take(x, Source("x", part=(2, 3), shape=(2, 2, 1, 1))).flatten().tolist() == [8.0, 9.0, 10.0, 11.0]
    for source, message in (
        (Source("x", part=(0, 4)), "piece 0 of 4"),
        (Source("x", part=(3, 3)), "piece 3 of 3"),
        (Source("x", shape=(5,)), "does not fit"),
    ):
        with pytest.raises(ValueError, match=message):
            take(x, source)
    with pytest.raises(ValueError, match="no matrix"):
        take(torch.zeros(2), Source("x", transpose=True))
