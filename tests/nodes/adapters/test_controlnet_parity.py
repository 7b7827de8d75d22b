"""ControlNets against diffusers: the sums of one and of several, and the pictures of its pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nodes.adapters.apply_controlnet import apply_controlnet, load_controlnet
from nodes.adapters.controlnet import ControlNet
from nodes.adapters.controlnet_files import controlnet_names
from nodes.checkpoints.load import load_checkpoint
from nodes.checkpoints.unet_names import renamed, unet_modules
from nodes.conditioning.unet import size_vector
from nodes.types import Conditioning, Denoiser, Encoding, Entry

from ..checkpoints.test_diffusers_folders import pipeline, saved
from ..models.test_unet import diffusers_options
from ..tiny_controlnet import (
    CONFIGS,
    Recorded,
    denoised,
    drawn,
    encoding,
    hint,
    sigma_at,
    tiny_controlnet,
    tiny_denoiser,
)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


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
    denoised(denoiser, version, sigma_at(base, 12.0, 731.5))
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
