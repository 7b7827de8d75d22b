"""FreeU: the filter and its gains, version 1 as in diffusers, version 2 by its formula, and what changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput
from nodes.adapters.freeu import FreeU, FreeUTaps, Stages, Version, backbone_gain, fourier_filter, freeu
from nodes.checkpoints.load import LoadedCheckpoint
from nodes.checkpoints.unet_names import unet_modules
from nodes.models.configs import UNetConfig
from nodes.models.unet import UNet

from ..models.test_unet import LINEAR, SMALL, copied, inputs, theirs
from ..tiny_controlnet import encoding, latent, tiny_denoiser

FOUR_LEVELS = replace(SMALL, multipliers=(1, 2, 4, 4), depths=(1, 1, 1, 0))  # as version 1 and 2
THREE_LEVELS = replace(LINEAR, multipliers=(1, 2, 4), depths=(0, 1, 2))  # as XL


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def maps(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(8, 8), (16, 32), (6, 10), (7, 12), (9, 5), (2, 2), (3, 1)])
@pytest.mark.parametrize("scale", [0.2, 0.9, 1.7])
def test_the_filter_is_that_of_diffusers(size: tuple[int, int], scale: float) -> None:
    from diffusers.utils.torch_utils import fourier_filter as wanted

    x = maps(2, 3, *size)
    if min(size) >= 2:  # of a side of 1 theirs scales nothing
        assert (fourier_filter(x, 1, scale) - wanted(x, 1, scale)).abs().max() <= 1e-6
    before = x.clone()
    assert fourier_filter(x.bfloat16(), 1, scale).dtype is torch.bfloat16
    assert torch.equal(x, before)


@pytest.mark.parametrize("size", [8, 9])
def test_the_gains_of_the_lowest_frequencies(size: int) -> None:
    """DC gets s; of the frequencies of which one of the pair lies in the square, (1 + s) / 2; the others stay."""
    s, rows = 0.2, torch.arange(size, dtype=torch.float32)
    for pair, gain in {
        (0, 0): s, (0, 1): (1 + s) / 2, (1, 0): (1 + s) / 2, (1, 1): (1 + s) / 2, (1, -1): 1.0, (2, 0): 1.0, (0, 2): 1.0,
        (2, 1): 1.0,
    }.items():  # fmt: skip
        wave = torch.cos(2 * torch.pi / size * (pair[0] * rows[:, None] + pair[1] * rows[None]))[None, None]
        found = fourier_filter(wave, 1, s)
        projected = float((found * wave).sum() / (wave * wave).sum())
        assert projected == pytest.approx(gain, abs=1e-5), pair


def test_what_skips_bring_is_finer() -> None:
    """The share of the high frequencies in their energy rises, since only low ones are damped."""

    def fine_share(x: Tensor) -> Tensor:
        energy = torch.fft.fft2(x).abs().square()
        low = torch.fft.fftfreq(16).abs() <= 1.5 / 16
        return 1.0 - energy[..., low, :][..., low].sum() / energy.sum()

    skip = torch.nn.functional.avg_pool2d(maps(2, 8, 20, 20), 5, stride=1)
    assert fine_share(fourier_filter(skip, 1, 0.2)) > 1.1 * fine_share(skip)


def tapped(config: UNetConfig, version: Version, stages: Stages, **factors: float) -> FreeUTaps:
    values = {"b1": 1.5, "b2": 1.6, "s1": 0.9, "s2": 0.2} | factors
    return FreeUTaps(
        FreeU(**values, version=version, stages=stages, width=config.channels, blocks=config.res_blocks + 1)
    )


@pytest.mark.parametrize("config", [FOUR_LEVELS, THREE_LEVELS, SMALL, LINEAR])
def test_version_1_by_level_is_that_of_diffusers(config: UNetConfig) -> None:
    reference: Any = theirs(config)
    network = copied(UNet(config), unet_modules(config), reference)
    x, time, context = inputs(config)
    plain = reference(x, time, context).sample
    reference.enable_freeu(s1=0.9, s2=0.2, b1=1.5, b2=1.6)
    wanted = reference(x, time, context).sample
    found = network(x, time, context, taps=tapped(config, "v1", "level"))
    assert (found - wanted).abs().max() <= 1e-5
    assert (plain - wanted).abs().max() > 1e-3
    assert torch.equal(network(x, time, context, taps=tapped(config, "v1", "level")), found)  # each call counts anew


def stages_of(config: UNetConfig, stages: Stages) -> list[int]:
    """The stage of each block of the decoder."""
    channels: list[int] = []

    class Watched(FreeUTaps):
        def decoding(self, h: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
            channels.append(h.shape[1])
            return super().decoding(h, skip)

    patch = tapped(config, "v1", stages).patch
    x, time, context = inputs(config)
    UNet(config).eval()(x, time, context, taps=Watched(patch))
    return [patch.stage(index, each) for index, each in enumerate(channels)]


def test_stages_by_channels_are_those_of_the_authors_by_level_those_of_diffusers() -> None:
    """What comes from below is as wide as the level below in the first block of each level."""
    assert stages_of(FOUR_LEVELS, "channels") == [1] * 7 + [2] * 3 + [0] * 2
    assert stages_of(FOUR_LEVELS, "level") == [1] * 3 + [2] * 3 + [0] * 6
    assert stages_of(THREE_LEVELS, "channels") == [1] * 4 + [2] * 3 + [0] * 2
    assert stages_of(THREE_LEVELS, "level") == [1] * 3 + [2] * 3 + [0] * 3


def test_version_2_by_its_formula() -> None:
    """Half of the channels times 1 + (b - 1) (m - min m) / (max m - min m), m the mean of all channels of an item."""
    h, skip, b, s = maps(2, 128, 5, 7), maps(2, 64, 5, 7), 1.4, 0.2
    found, filtered = tapped(SMALL, "v2", "channels", b1=b, s1=s).decoding(h, skip)
    for item in range(2):
        m = h[item].mean(0)
        gain = 1.0 + (b - 1.0) * (m - m.min()) / (m.max() - m.min())
        assert torch.allclose(found[item, :64], h[item, :64] * gain, atol=1e-6)
        assert torch.equal(found[item, 64:], h[item, 64:])
    assert torch.equal(filtered, fourier_filter(skip, 1, s))


@pytest.mark.parametrize("value", [0.0, 3.0, -2.5])
def test_constant_maps_are_not_divided_by_zero(value: float) -> None:
    h = torch.full((1, 128, 4, 4), value)
    assert bool((backbone_gain(h, 1.4, "v2") == 1.0).all())
    found, skip = tapped(SMALL, "v2", "channels").decoding(h, torch.full((1, 128, 4, 4), value))
    assert torch.equal(found, h)
    assert bool(skip.isfinite().all())


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_factors_of_1_are_the_model_itself(version: Version) -> None:
    base = tiny_denoiser()
    assert freeu(base, 1.0, 1.0, 1.0, 1.0, version) is base
    for stages in ("channels", "level"):
        h, skip = maps(1, 128, 4, 4), maps(1, 64, 4, 4)
        same = tapped(SMALL, version, stages, b1=1.0, s1=1.0).decoding(h, skip)  # type: ignore[arg-type]
        assert same[0] is h
        assert same[1] is skip


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_changes_the_new_handle_only(version: Version, dtype: torch.dtype) -> None:
    base = tiny_denoiser()
    base = replace(base, network=base.network.to(dtype))
    x, sigma, said = latent() * 3.0, torch.tensor(2.0, dtype=torch.float64), encoding()
    before = base.denoise(x, sigma, said)
    made = freeu(base, version=version)
    found = made.denoise(x, sigma, said)
    assert bool(found.isfinite().all())
    assert (found - before).abs().max() > 1e-2
    assert torch.equal(base.denoise(x, sigma, said), before)
    assert torch.equal(replace(made, patches=()).denoise(x, sigma, said), before)
    assert torch.equal(made.denoise(x, sigma, said), found)


def test_inputs_are_not_changed_in_place() -> None:
    h, skip = maps(1, 128, 4, 4), maps(1, 64, 4, 4)
    before = h.clone(), skip.clone()
    for version in ("v1", "v2"):
        tapped(SMALL, version, "channels").decoding(h, skip)  # type: ignore[arg-type]
    assert torch.equal(h, before[0])
    assert torch.equal(skip, before[1])


def test_models_without_a_unet_are_refused(model: LoadedCheckpoint) -> None:
    with pytest.raises(InvalidInput, match="no UNet"):
        freeu(model.denoiser)
