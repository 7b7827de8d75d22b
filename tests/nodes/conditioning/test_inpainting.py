"""Models for inpainting beside diffusers' pipeline, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nodegraph import InvalidInput
from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint
from nodes.conditioning.inpainting import InpaintingPatch, condition_inpainting
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.latents import empty_latent
from nodes.samplers.ddim import ddim
from nodes.samplers.euler import euler
from nodes.samplers.loop import drive
from nodes.samplers.sample import sample
from nodes.schedules.discrete import discrete_sigmas
from nodes.types import Conditioning, Encoding, Entry, Image, Mask
from nodes.types.models import Call, Window

from ..checkpoints.test_diffusers_folders import Still, pipeline, saved
from ..tiny_sd import write_sd

pytestmark = pytest.mark.filterwarnings("ignore")


def hole(batch: int = 1, height: int = 64, width: int = 64) -> Mask:
    values = torch.zeros(batch, 1, height, width)
    values[..., 13:40, 20:60] = 1.0
    values[..., 13:20, 20:60] = 0.4
    return Mask(values=values)


def picture(batch: int = 1, height: int = 64, width: int = 64) -> Image:
    return Image(pixels=torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(4)))


def words(width: int, seed: int) -> Conditioning:
    tokens = torch.randn(1, 77, width, generator=torch.Generator().manual_seed(seed))
    return Conditioning(entries=(Entry(encoding=Encoding(tokens=tokens, mask=torch.ones(1, 77, dtype=torch.bool))),))


@pytest.fixture(scope="module")
def inpainting(tmp_path_factory: pytest.TempPathFactory) -> LoadedCheckpoint:
    return load_checkpoint(write_sd(tmp_path_factory.mktemp("sd") / "model.safetensors", "1 inpainting"))


def inpainting_pipeline() -> Any:
    """A tiny one; its autoencoder's distribution has no spread, so that drawing from it gives the mean."""
    from diffusers import StableDiffusionInpaintPipeline

    parts = pipeline().components
    torch.manual_seed(1)
    old = parts["unet"].conv_in
    parts["unet"].conv_in = nn.Conv2d(9, old.out_channels, 3, padding=1)
    parts["unet"].register_to_config(in_channels=9)
    with torch.no_grad():
        parts["vae"].quant_conv.weight[4:] = 0.0
        parts["vae"].quant_conv.bias[4:] = -30.0
    found = StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False)
    found.set_progress_bar_config(disable=True)
    return found


def test_the_picture_is_that_of_diffusers(tmp_path: Path) -> None:
    made = inpainting_pipeline()
    model = load_checkpoint(saved(tmp_path / "model", made))
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    positive, negative = words(64, 0), words(64, 1)
    wanted = made(
        prompt_embeds=positive.entries[0].encoding.tokens,
        negative_prompt_embeds=negative.entries[0].encoding.tokens,
        image=picture().pixels * 2 - 1, mask_image=hole().values, latents=noise, height=64, width=64,
        strength=1.0, num_inference_steps=4, guidance_scale=5.0, output_type="latent",
    ).images  # fmt: skip

    denoiser = condition_inpainting(model.denoiser, model.autoencoder, picture(), hole())
    guider = classifier_free_guidance(denoiser, positive, negative, 5.0)
    sigmas = discrete_sigmas(denoiser, 4, "leading", 1.0, 1).values

    class Asked:
        schedule = guider.schedule

        def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
            return guider.denoise(x, sigma)

    start = noise * (1.0 + sigmas[0] ** 2).sqrt().float()
    sampler = ddim()
    found = drive(sampler, Asked(), Still(), sampler.init(start, sigmas)).x
    assert (found - wanted).abs().max() <= 1e-4 * max(1.0, float(wanted.abs().max()))


def patch_of(model: LoadedCheckpoint, image: Image, mask: Mask) -> InpaintingPatch:
    [patch] = condition_inpainting(model.denoiser, model.autoencoder, image, mask).patches
    assert isinstance(patch, InpaintingPatch)
    return patch


def call(x: Tensor, window: Window) -> Call:
    encoding = words(64, 0).entries[0].encoding
    return Call(x=x, time=torch.zeros(len(x)), sigma=torch.tensor(1.0).double(), encoding=encoding, window=window)


def test_the_network_sees_mask_and_picture_of_its_window(inpainting: LoadedCheckpoint) -> None:
    patch = patch_of(inpainting, picture(), hole())
    assert patch.mask[0, 0, :, 4].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]  # pixel (8 row, 8 column) of each
    window = Window(top=2, left=4, height=4, width=2, whole_height=8, whole_width=8)
    found = patch.channels(call(torch.zeros(3, 4, 4, 2), window))
    assert torch.equal(found[1], torch.cat([patch.mask, patch.masked], dim=1)[0, :, 2:6, 4:6])


def test_guidance_doubles_what_is_shown(inpainting: LoadedCheckpoint) -> None:
    """Two pictures in one guided batch are what each is alone."""
    model, image, masks = inpainting, picture(2), Mask(values=torch.cat([hole().values, 1 - hole().values]))
    sigmas = discrete_sigmas(model.denoiser, 2)

    def drawn(items: slice) -> Tensor:
        shown = Image(pixels=image.pixels[items]), Mask(values=masks.values[items])
        denoiser = condition_inpainting(model.denoiser, model.autoencoder, *shown)
        guider = classifier_free_guidance(denoiser, words(64, 0), words(64, 1), 3.0)
        latent = empty_latent(denoiser, 64, 64, len(shown[0]))
        return sample(guider, euler(), sigmas, latent, 3).samples

    both = drawn(slice(0, 2))
    torch.testing.assert_close(both[:1], drawn(slice(0, 1)), rtol=1e-4, atol=1e-4)
    assert (both[0] - both[1]).abs().max() > 0.1


def test_what_is_hidden_does_not_count(inpainting: LoadedCheckpoint) -> None:
    other = picture().pixels.clone()
    other[..., 20:40, 20:60] = 0.1
    a, b = patch_of(inpainting, picture(), hole()), patch_of(inpainting, Image(pixels=other), hole())
    assert torch.equal(a.masked, b.masked)


def test_models_and_pictures_that_do_not_fit_are_refused(tmp_path: Path, inpainting: LoadedCheckpoint) -> None:
    with pytest.raises(InvalidInput, match=r"5 further channels.*condition_inpainting"):
        classifier_free_guidance(inpainting.denoiser, words(64, 0), None, 1.0)
    plain = load_checkpoint(write_sd(tmp_path / "plain.safetensors", "1"))
    with pytest.raises(InvalidInput, match="no further channels"):
        condition_inpainting(plain.denoiser, plain.autoencoder, picture(), hole())
    shown = condition_inpainting(inpainting.denoiser, inpainting.autoencoder, picture(), hole())
    with pytest.raises(InvalidInput, match="no further channels"):
        condition_inpainting(shown, inpainting.autoencoder, picture(), hole())
    guider = classifier_free_guidance(shown, words(64, 0), None, 1.0)
    sigmas = discrete_sigmas(shown, 2)
    with pytest.raises(InvalidInput, match=r"10 x 8.*is 8 x 8 as a latent"):
        sample(guider, euler(), sigmas, empty_latent(shown, 80, 64))
