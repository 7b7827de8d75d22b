"""ControlNets beside a model: the sums of diffusers, identity where nothing is asked for, and when they are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nodegraph import InvalidInput
from nodes.adapters.apply_controlnet import apply_controlnet, controlnet_from_denoiser, load_controlnet
from nodes.adapters.controlnet import ControlNet, ControlPatch, fitted
from nodes.adapters.controlnet_files import controlnet_names
from nodes.checkpoints.load import load_checkpoint
from nodes.checkpoints.unet_names import renamed, unet_modules
from nodes.conditioning.unet import predict_unet, size_vector
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.models import controlnet as networks
from nodes.samplers.ddim import ddim
from nodes.samplers.loop import drive
from nodes.schedules.discrete import discrete_sigmas
from nodes.types import Conditioning, Denoiser, Encoding, Entry, Image, Patch
from nodes.types.models import Window

from ..checkpoints.test_diffusers_folders import Still, pipeline, saved
from ..models.test_unet import diffusers_options
from ..tiny_controlnet import CONFIGS, encoding, hint, latent, tiny_controlnet, tiny_denoiser
from ..tiny_sd import UNET1

pytestmark = pytest.mark.filterwarnings("ignore")


class Recorded:
    """A denoiser whose network's inputs and outputs are kept."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.x, self.time, self.out = torch.zeros(0), torch.zeros(0), torch.zeros(0)

        def predict(network: nn.Module, x: Tensor, time: Tensor, said: Encoding, taps: Any) -> Tensor:
            self.x, self.time, self.out = x, time, predict_unet(network, x, time, said, taps)
            return self.out

        self.denoiser = replace(denoiser, predict=predict)


class Counted(nn.Module):
    """A ControlNet's network that counts how often it is used."""

    def __init__(self, network: networks.ControlNet) -> None:
        super().__init__()
        self.network, self.config = network, network.config
        self.calls, self.hints = 0, list[Tensor]()

    def read(self, given: Tensor) -> Tensor:
        self.hints.append(given)
        return self.network.read(given)

    def forward(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        return self.network(*arguments, **options)


def counted(seed: int = 7) -> tuple[ControlNet, Counted]:
    network: Any = Counted(tiny_controlnet("1", seed).network)
    return ControlNet(network=network), network


def sigma_at(denoiser: Denoiser, *steps: float) -> Tensor:
    schedule: Any = denoiser.schedule
    levels: Tensor = schedule.level(torch.tensor(steps, dtype=torch.float64))
    return levels


def run(denoiser: Denoiser, version: str = "1", sigma: Tensor | None = None, **size: Any) -> Tensor:
    x = latent(**size)
    sigma = sigma_at(denoiser, 400.0)[0] if sigma is None else sigma
    return denoiser.denoise(x * 3.0, sigma, encoding(version, len(x)))


# against diffusers


def theirs(version: str, denoiser: Denoiser, controls: list[ControlNet]) -> tuple[nn.Module, nn.Module]:
    """UNet and ControlNets of diffusers with the same weights."""
    from diffusers import ControlNetModel, MultiControlNetModel, UNet2DConditionModel

    config = CONFIGS[version]
    options = diffusers_options(config)
    if config.vector_width:
        options["addition_time_embed_dim"] = 256
    up = tuple("CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(config.depths))
    unet = UNet2DConditionModel(out_channels=4, up_block_types=up, sample_size=8, **options).eval()
    names = unet_modules(config)
    load(unet, {renamed(names, name) or "": value for name, value in denoiser.network.state_dict().items()})
    found = []
    for control in controls:
        made = ControlNetModel(conditioning_embedding_out_channels=(16, 32, 96, 256), **options).eval()
        table = controlnet_names(config, "diffusers")
        load(made, {table[name]: value for name, value in control.network.state_dict().items()})
        found.append(made)
    return unet, MultiControlNetModel(found)


def load(module: nn.Module, state: dict[str, Tensor]) -> None:
    shapes = {name: value.shape for name, value in module.state_dict().items()}
    module.load_state_dict({name: value.reshape(shapes[name]) for name, value in state.items()})


def added(version: str, said: Encoding, x: Tensor) -> dict[str, Tensor] | None:
    if said.pooled is None:
        return None
    height, width = (8.0 * side for side in x.shape[2:])
    sizes = torch.tensor([[height, width, 0.0, 0.0, height, width]]).expand(len(x), -1)
    assert size_vector(CONFIGS[version], said, x).shape[1] == CONFIGS[version].vector_width
    return {"text_embeds": said.pooled, "time_ids": sizes}


@pytest.mark.parametrize("version", CONFIGS)
@pytest.mark.parametrize("scales", [(1.0,), (0.7, 1.4)])
def test_the_sum_is_that_of_diffusers(version: str, scales: tuple[float, ...]) -> None:
    base = tiny_denoiser(version)
    controls = [tiny_controlnet(version, 7 + index) for index in range(len(scales))]
    hints = [hint(2, seed=20 + index) for index in range(len(scales))]
    recorded = Recorded(base)
    denoiser = recorded.denoiser
    for control, scale, picture in zip(controls, scales, hints, strict=True):
        denoiser = apply_controlnet(denoiser, control, picture, scale)
    run(denoiser, version, sigma_at(base, 12.0, 731.5))
    unet, multi = theirs(version, base, controls)
    said = encoding(version)
    more = added(version, said, recorded.x)
    with torch.no_grad():
        down, middle = multi(
            recorded.x, recorded.time, said.tokens, [each.pixels for each in hints], list(scales),
            added_cond_kwargs=more, return_dict=False,
        )  # fmt: skip
        wanted = unet(
            recorded.x, recorded.time, said.tokens, added_cond_kwargs=more,
            down_block_additional_residuals=down, mid_block_additional_residual=middle,
        ).sample  # fmt: skip
        plain = unet(recorded.x, recorded.time, said.tokens, added_cond_kwargs=more).sample
    assert (recorded.out - wanted).abs().max() <= 1e-5
    assert (plain - wanted).abs().max() > 0.05


@pytest.mark.parametrize("xl", [False, True])
def test_the_picture_is_that_of_the_pipeline(tmp_path: Path, xl: bool) -> None:
    from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionXLControlNetPipeline

    made = pipeline(xl=xl)
    control = ControlNetModel.from_unet(made.unet, conditioning_channels=3).eval()
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, each in control.named_parameters():
            if "controlnet_" in name:
                each.normal_(std=0.1, generator=generator)
    control.save_pretrained(tmp_path / "control")
    kind = StableDiffusionXLControlNetPipeline if xl else StableDiffusionControlNetPipeline
    parts = dict(made.components) | {"controlnet": control}
    parts = {name: each for name, each in parts.items() if name not in ("image_encoder", "feature_extractor")}
    if not xl:
        parts |= {"feature_extractor": None, "requires_safety_checker": False}
    pipe = kind(**parts)
    pipe.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, 8, 8, generator=generator)
    tokens = [torch.randn(1, 77, 128 if xl else 64, generator=generator) for _ in range(2)]
    pooled = [torch.randn(1, 64, generator=generator) for _ in range(2)]
    options: dict[str, Any] = {"prompt_embeds": tokens[0], "negative_prompt_embeds": tokens[1]}
    if xl:
        options |= {"pooled_prompt_embeds": pooled[0], "negative_pooled_prompt_embeds": pooled[1]}
    picture = hint(1, 64, 64)
    wanted = pipe(
        **options, image=picture.pixels, latents=noise, num_inference_steps=3, guidance_scale=5.0, height=64, width=64,
        controlnet_conditioning_scale=0.8, output_type="latent",
    ).images  # fmt: skip

    def conditioning(index: int) -> Conditioning:
        mask = torch.ones(1, 77, dtype=torch.bool)
        said = Encoding(tokens=tokens[index], mask=mask, pooled=pooled[index] if xl else None)
        return Conditioning(entries=(Entry(encoding=said),))

    model = load_checkpoint(saved(tmp_path / "model", made)).denoiser
    steered = apply_controlnet(model, load_controlnet(tmp_path / "control"), picture, 0.8)
    found = drawn(steered, conditioning(0), conditioning(1), noise)
    assert (found - wanted).abs().max() <= 1e-4 * wanted.abs().max()
    assert (found - drawn(model, conditioning(0), conditioning(1), noise)).abs().max() > 0.01


def drawn(denoiser: Denoiser, positive: Conditioning, negative: Conditioning, noise: Tensor, steps: int = 3) -> Tensor:
    """Of DDIM with guidance."""
    guider = classifier_free_guidance(denoiser, positive, negative, 5.0)
    sigmas = discrete_sigmas(denoiser, steps, "leading", 1.0, 1).values

    class Asked:
        schedule = guider.schedule

        def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
            return guider.denoise(x, sigma)

    sampler = ddim()
    start = noise * (1.0 + sigmas[0] ** 2).sqrt().float()
    return drive(sampler, Asked(), Still(), sampler.init(start, sigmas)).x


# neutral settings


@pytest.mark.parametrize("version", CONFIGS)
def test_a_new_one_changes_nothing_whatever_the_hint(version: str) -> None:
    base = tiny_denoiser(version)
    control = controlnet_from_denoiser(base, seed=3)
    assert not any(each.requires_grad for each in control.network.parameters())
    for picture in (hint(1), hint(2, seed=9), Image(pixels=torch.ones(1, 3, 64, 96))):
        assert torch.equal(run(apply_controlnet(base, control, picture, 3.0), version), run(base, version))


def test_a_new_one_is_a_copy_of_the_encoder() -> None:
    base = tiny_denoiser("2")
    state, copy = base.network.state_dict(), controlnet_from_denoiser(base, seed=3).network.state_dict()
    shared = copy.keys() & state.keys()
    assert len(shared) == len(copy) - 16 - 2 * 7 and all(torch.equal(copy[name], state[name]) for name in shared)
    assert all(copy[name].data_ptr() != state[name].data_ptr() for name in shared)
    assert not any(bool(value.any()) for name, value in copy.items() if "zero_convs" in name or "block_out" in name)
    assert copy["input_hint_block.0.weight"].std() > 0.1
    assert not copy["input_hint_block.14.weight"].any()
    again = controlnet_from_denoiser(base, seed=3).network.state_dict()
    assert all(torch.equal(copy[name], again[name]) for name in copy)
    other = controlnet_from_denoiser(base, seed=4).network.state_dict()
    assert not torch.equal(copy["input_hint_block.0.weight"], other["input_hint_block.0.weight"])


def test_a_new_one_learns_from_its_zeros() -> None:
    """After one step the zero convolutions are not zero, while the copied encoder had no gradient yet; then it has."""
    base = tiny_denoiser("1")
    network = controlnet_from_denoiser(base).network.requires_grad_(True)
    denoiser = apply_controlnet(base, ControlNet(network=network), hint())
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    encoder, norms = network.input_blocks[1][0].in_layers[2].weight, []
    for _ in range(2):
        denoiser.patches[0].guided.clear()  # type: ignore[attr-defined]
        optimiser.zero_grad()
        run(denoiser).square().mean().backward()
        norms.append(float(encoder.grad.abs().sum()))
        optimiser.step()
    assert norms[0] == 0.0 < norms[1]
    assert all(each[0].weight.abs().sum() > 0 for each in network.zero_convs)


def test_strength_0_is_the_model_itself() -> None:
    base = tiny_denoiser()
    control, network = counted()
    assert apply_controlnet(base, control, hint(), 0.0) is base
    assert (network.calls, network.hints) == (0, [])


def test_the_model_before_is_unchanged() -> None:
    base = tiny_denoiser()
    before = run(base)
    steered = run(apply_controlnet(base, tiny_controlnet(), hint()))
    assert not torch.equal(steered, before)
    assert torch.equal(run(base), before)


# sums


def residuals(denoiser: Denoiser, control: ControlNet, picture: Image, strength: float) -> list[Tensor]:
    """What one ControlNet adds, as the taps see it."""
    seen: list[Tensor] = []

    class Seen(ControlPatch):
        def residuals(self, call: Any) -> list[Tensor]:
            seen.extend(super().residuals(call))
            return seen

    [patch] = apply_controlnet(denoiser, control, picture, strength).patches
    assert isinstance(patch, ControlPatch)
    fields = {name: getattr(patch, name) for name in ("control", "hint", "strength", "highest", "lowest")}
    run(denoiser.patch(Seen(**fields, fit="crop", weighting="even")))
    return seen


def test_strength_scales_every_output() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    once, twice = (residuals(base, control, hint(), strength) for strength in (1.0, 2.0))
    assert len(once) == 7
    for one, two in zip(once, twice, strict=True):
        assert one.std() > 0.01
        assert torch.equal(2.0 * one, two)


def test_two_add_up_in_either_order() -> None:
    base, first, second = tiny_denoiser(), tiny_controlnet(), tiny_controlnet(seed=8)
    a, b = hint(), hint(seed=9)
    one_two = run(apply_controlnet(apply_controlnet(base, first, a), second, b, 0.5))
    two_one = run(apply_controlnet(apply_controlnet(base, second, b, 0.5), first, a))
    assert (one_two - two_one).abs().max() <= 1e-5 * one_two.abs().max()
    both = run(apply_controlnet(apply_controlnet(base, first, a, 0.5), first, a, 0.5))
    assert (both - run(apply_controlnet(base, first, a))).abs().max() <= 1e-5 * both.abs().max()


def test_soft_weights_fall_towards_the_finest() -> None:
    [patch] = apply_controlnet(tiny_denoiser(), tiny_controlnet(), hint(), 2.0, weighting="soft").patches
    assert isinstance(patch, ControlPatch)
    assert patch.factors(13) == [2.0 * 0.825 ** (12 - i) for i in range(13)]
    assert replace(patch, weighting="even").factors(3) == [2.0] * 3


def test_only_the_mean_counts_where_the_network_says_so() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    plain, pooled = (residuals(base, each, hint(), 1.0) for each in (control, replace(control, pooled=True)))
    for one, mean in zip(plain, pooled, strict=True):
        assert mean.shape == (2, one.shape[1], 1, 1)
        assert torch.allclose(one.mean((2, 3)), mean[:, :, 0, 0])


# the part of the steps


def guided_run(denoiser: Denoiser, steps: int) -> None:
    said = Conditioning(entries=(Entry(encoding=encoding(batch=1)),))
    other = Conditioning(entries=(Entry(encoding=encoding(batch=1, seed=5)),))
    drawn(denoiser, said, other, latent(1), steps)


@pytest.mark.parametrize(
    ("start", "end", "calls"), [(0.0, 1.0, 10), (0.0, 0.5, 5), (0.5, 1.0, 5), (0.25, 0.75, 5), (0.95, 0.99, 0)]
)
def test_it_is_called_in_its_part_of_the_steps_only(start: float, end: float, calls: int) -> None:
    base = tiny_denoiser()
    control, network = counted()
    guided_run(apply_controlnet(base, control, hint(), start=start, end=end), 10)
    assert network.calls == calls  # levels at the training steps 1, 101, ..., 901 of 1000
    assert len(network.hints) == min(calls, 1)


def test_outside_its_part_nothing_changes() -> None:
    base = tiny_denoiser()
    late = apply_controlnet(base, tiny_controlnet(), hint(), start=0.5)
    early = sigma_at(base, 700.0)[0]
    assert torch.equal(run(late, sigma=early), run(base, sigma=early))
    both = sigma_at(base, 700.0, 300.0)
    found, plain = run(late, sigma=both), run(base, sigma=both)
    assert torch.equal(found[0], plain[0])
    assert not torch.equal(found[1], plain[1])


def test_parts_that_follow_each_other_share_no_level() -> None:
    base = tiny_denoiser()
    first, second = (counted(seed) for seed in (7, 8))
    denoiser = apply_controlnet(base, first[0], hint(), end=0.5)
    denoiser = apply_controlnet(denoiser, second[0], hint(), start=0.5)
    middle = base.schedule.at_progress(0.5)
    for level in (middle * 1.0001, middle, middle * 0.9999):
        run(denoiser, sigma=torch.tensor(level, dtype=torch.float64))
    assert (first[1].calls, second[1].calls) == (1, 2)


def test_parts_that_end_before_they_start_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"it starts at 0\.6"):
        apply_controlnet(tiny_denoiser(), tiny_controlnet(), hint(), start=0.6, end=0.6)


# hints


def test_hints_reach_the_network_as_they_are() -> None:
    base = tiny_denoiser()
    control, network = counted()
    picture = hint()
    before = picture.pixels.clone()
    denoiser = apply_controlnet(base, control, picture)
    run(denoiser)
    run(denoiser)
    [seen] = network.hints  # read once
    assert torch.equal(seen, before)
    assert torch.equal(picture.pixels, before)
    run(apply_controlnet(base, replace(control, bgr=True), picture))
    assert torch.equal(network.hints[-1], before.flip(1))


def test_grey_and_transparent_hints_become_rgb() -> None:
    base = tiny_denoiser()
    control, network = counted()
    grey = torch.rand(1, 1, 64, 96)
    run(apply_controlnet(base, control, Image(pixels=grey)))
    assert torch.equal(network.hints[-1], grey.expand(-1, 3, -1, -1))
    run(apply_controlnet(base, control, Image(pixels=torch.cat([grey] * 3 + [torch.zeros_like(grey)], dim=1))))
    assert bool((network.hints[-1] == 1.0).all())


def test_a_hint_for_each_picture_goes_to_both_branches() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    several = hint(2)
    said, other = encoding(batch=2), encoding(batch=2, seed=5)
    x, sigma = latent(2) * 3.0, sigma_at(base, 400.0)[0]

    def guided(denoiser: Denoiser, items: slice) -> Tensor:
        positive, negative = (Conditioning(entries=(Entry(encoding=each[items]),)) for each in (said, other))
        return classifier_free_guidance(denoiser, positive, negative, 3.0).denoise(x[items], sigma)

    found = guided(apply_controlnet(base, control, several), slice(0, 2))
    for index in (0, 1):
        one = Image(pixels=several.pixels[index : index + 1])
        alone = guided(apply_controlnet(base, control, one), slice(index, index + 1))
        assert (found[index] - alone[0]).abs().max() <= 1e-4
    with pytest.raises(InvalidInput, match="a batch of 2"):
        run(apply_controlnet(base, control, hint(3)))


def test_hints_of_another_size() -> None:
    base = tiny_denoiser()
    control, network = counted()
    wide = hint(1, 32, 96)
    with pytest.raises(InvalidInput, match=r"96 x 32.*96 x 64 pixels"):
        run(apply_controlnet(base, control, wide, fit="exact"))
    assert network.hints == []
    for fit in ("crop", "stretch"):
        run(apply_controlnet(base, control, wide, fit=fit))  # type: ignore[arg-type]
        assert network.hints[-1].shape == (1, 3, 64, 96)
    ramp = torch.linspace(0, 1, 60).expand(1, 3, 20, 60)
    cut = fitted(ramp, 20, 20, "crop")
    assert torch.allclose(cut, ramp[:, :, :, 20:40], atol=1e-6)
    squeezed = fitted(ramp, 20, 20, "stretch")
    assert squeezed[..., 0].max() < 0.05 and squeezed[..., -1].min() > 0.95
    assert fitted(ramp, 60, 20, "exact") is ramp


def test_another_size_of_the_picture_reads_the_hint_anew() -> None:
    base = tiny_denoiser()
    control, network = counted()
    denoiser = apply_controlnet(base, control, hint())
    run(denoiser)
    run(denoiser, height=4, width=4)
    assert [tuple(each.shape[2:]) for each in network.hints] == [(64, 96), (32, 32)]


def test_a_window_gets_its_part_of_the_hint() -> None:
    base, (control, network) = tiny_denoiser(), counted()
    denoiser = apply_controlnet(base, control, hint())
    window = Window(top=2, left=4, height=4, width=8, whole_height=8, whole_width=12)
    x, sigma, said = latent() * 3.0, sigma_at(base, 400.0)[0], encoding()
    found = denoiser.denoise(window.cut(x), sigma, said, window)
    assert [tuple(each.shape[2:]) for each in network.hints] == [(64, 96)]
    [patch] = denoiser.patches
    assert isinstance(patch, ControlPatch)
    part = patch.guided[64, 96][:, :, 2:6, 4:12].expand(2, -1, -1, -1)

    class Elsewhere(Counted):
        def read(self, given: Tensor) -> Tensor:
            return part[:1]

    other: Any = Elsewhere(network.network)
    alone = apply_controlnet(base, ControlNet(network=other), hint(1, 32, 64))
    assert torch.equal(found, alone.denoise(window.cut(x), sigma, said))


# models


def test_it_computes_in_its_own_dtype_and_adds_in_the_models() -> None:
    base, control = tiny_denoiser(), tiny_controlnet()
    half = replace(base, network=tiny_denoiser().network.to(torch.bfloat16))
    coarse = ControlNet(network=tiny_controlnet().network.to(torch.bfloat16))
    wanted = run(apply_controlnet(base, control, hint()))
    plain = run(base)
    for model, handle in ((half, coarse), (half, control), (base, coarse)):
        found = run(apply_controlnet(model, handle, hint()))
        assert found.dtype is torch.float32
        assert (found - wanted).abs().mean() < 0.1 * (plain - wanted).abs().mean()


def test_an_inpainting_model_takes_the_controlnet_of_its_version() -> None:
    inpainting = tiny_denoiser(config=replace(UNET1, in_channels=9))

    class Beside(Patch):
        def channels(self, call: Any) -> Tensor:
            return torch.zeros_like(call.x[:, :1]).expand(-1, 5, -1, -1)

    masked = inpainting.patch(Beside())
    assert not torch.equal(run(apply_controlnet(masked, tiny_controlnet(), hint())), run(masked))
    with pytest.raises(InvalidInput, match="9 channels"):
        controlnet_from_denoiser(inpainting)


def test_another_version_is_refused_by_both_names() -> None:
    with pytest.raises(InvalidInput, match=r"it is for Stable Diffusion of context width 128.*context width 64"):
        apply_controlnet(tiny_denoiser("1"), tiny_controlnet("XL"), hint())
    with pytest.raises(InvalidInput, match="of another shape"):
        apply_controlnet(tiny_denoiser("1"), tiny_controlnet("2"), hint())


@pytest.fixture(autouse=True)
def without_gradients(request: pytest.FixtureRequest) -> Iterator[None]:
    """As nodes run, but for the test that trains."""
    with torch.set_grad_enabled("learns" in request.node.name):
        yield
