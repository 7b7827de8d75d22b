"""Folders of diffusers: the same pictures as its pipelines make, and what can be wrong with a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodegraph.spec import SpecContext
from nodes.checkpoints import errors, specs
from nodes.checkpoints.load import load_checkpoint
from nodes.checkpoints.unet_names import renamed, unet_modules
from nodes.conditioning.clip import ClipTextEncoder
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.models.unet_shapes import unet_shapes
from nodes.parameterisations import Velocity
from nodes.samplers.ddim import ddim
from nodes.samplers.loop import drive
from nodes.schedules.discrete import discrete_sigmas
from nodes.types import Conditioning, Encoding, Entry

from ..tiny_sd import VERSIONS

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    yield


def pipeline(*, xl: bool = False, prediction: str = "epsilon") -> Any:
    """A tiny pipeline of diffusers with random weights."""
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(0)
    down = ("DownBlock2D", "CrossAttnDownBlock2D") if xl else ("CrossAttnDownBlock2D", "DownBlock2D")
    more: dict[str, Any] = {"attention_head_dim": 8}
    if xl:
        more = {
            "attention_head_dim": (1, 2),
            "use_linear_projection": True,
            "transformer_layers_per_block": (1, 2),
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 64 + 6 * 256,
        }
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(64, 128) if xl else (32, 64),
        down_block_types=down,
        up_block_types=tuple(each.replace("Down", "Up") for each in reversed(down)),
        cross_attention_dim=128 if xl else 64,
        **more,
    )
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 32, 64),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=1,
        scaling_factor=0.13025 if xl else 0.18215,
    )
    clip = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 96}
    text = CLIPTextModel(CLIPTextConfig(**clip))
    second = CLIPTextModelWithProjection(CLIPTextConfig(**clip, hidden_act="gelu", projection_dim=64))
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=True,
        steps_offset=1, prediction_type=prediction,
    )  # fmt: skip
    parts = {"vae": vae, "text_encoder": text, "tokenizer": None, "unet": unet, "scheduler": scheduler}
    if xl:
        found = StableDiffusionXLPipeline(**parts, text_encoder_2=second, tokenizer_2=None)
    else:
        found = StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    found.set_progress_bar_config(disable=True)
    return found


def saved(folder: Path, made: Any) -> Path:
    """The folder that diffusers writes, without tokenizers."""
    names = [
        name for name in ("unet", "vae", "text_encoder", "text_encoder_2") if getattr(made, name, None) is not None
    ]
    index: dict[str, Any] = {"_class_name": type(made).__name__}
    for name in names:
        part = getattr(made, name)
        part.save_pretrained(folder / name)
        index[name] = [type(part).__module__.partition(".")[0], type(part).__name__]
    made.scheduler.save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


class Still:
    """No noise."""

    def __call__(self, step: int, draw: int) -> Tensor:
        raise AssertionError("nothing here draws noise")


@pytest.mark.parametrize("xl", [False, True])
def test_the_picture_is_that_of_the_pipeline(tmp_path: Path, xl: bool) -> None:
    made = pipeline(xl=xl)
    model = load_checkpoint(saved(tmp_path / "model", made))
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(1, 4, 8, 8, generator=generator)
    width = 128 if xl else 64
    tokens = [torch.randn(1, 77, width, generator=generator) for _ in range(2)]
    pooled = [torch.randn(1, 64, generator=generator) for _ in range(2)]
    options: dict[str, Any] = {"prompt_embeds": tokens[0], "negative_prompt_embeds": tokens[1]}
    if xl:
        options |= {"pooled_prompt_embeds": pooled[0], "negative_pooled_prompt_embeds": pooled[1]}
    wanted = made(
        **options, latents=noise, num_inference_steps=4, guidance_scale=5.0, height=64, width=64, output_type="latent"
    ).images

    def conditioning(index: int) -> Conditioning:
        mask = torch.ones(1, 77, dtype=torch.bool)
        encoding = Encoding(tokens=tokens[index], mask=mask, pooled=pooled[index] if xl else None)
        return Conditioning(entries=(Entry(encoding=encoding),))

    guider = classifier_free_guidance(model.denoiser, conditioning(0), conditioning(1), 5.0)
    sigmas = discrete_sigmas(model.denoiser, 4, "leading", 1.0, 1).values

    class Asked:
        schedule = guider.schedule

        def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
            return guider.denoise(x, sigma)

    # diffusers starts from x_T = noise, which in our terms is noise / sqrt(alpha-bar)
    start = noise * (1.0 + sigmas[0] ** 2).sqrt().float()
    sampler = ddim()
    found = drive(sampler, Asked(), Still(), sampler.init(start, sigmas)).x
    assert (found - wanted).abs().max() <= 1e-4 * wanted.abs().max()
    image = model.autoencoder.decode(found)
    theirs = (made.vae.decode(wanted / made.vae.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)
    assert (image - theirs).abs().max() <= 1e-4


@pytest.mark.parametrize("xl", [False, True])
def test_prompts_are_encoded_as_by_the_pipeline(tmp_path: Path, xl: bool) -> None:
    made = pipeline(xl=xl)
    encoder = load_checkpoint(saved(tmp_path / "model", made)).text_encoder
    assert isinstance(encoder, ClipTextEncoder)
    found = encoder.encode(["a red fox, 8k"])
    [chunk] = encoder.chunks("a red fox, 8k")
    with torch.no_grad():
        if xl:
            first = made.text_encoder(torch.tensor([encoder.towers[0].ids(chunk)]), output_hidden_states=True)
            second = made.text_encoder_2(torch.tensor([encoder.towers[1].ids(chunk)]), output_hidden_states=True)
            wanted = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=2)
            assert found.pooled is not None
            assert (found.pooled - second.text_embeds).abs().max() <= 1e-4
        else:
            wanted = made.text_encoder(torch.tensor([encoder.towers[0].ids(chunk)])).last_hidden_state
    assert (found.tokens - wanted).abs().max() <= 1e-4


def test_what_the_scheduler_predicts_is_read(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", pipeline(prediction="v_prediction"))
    assert load_checkpoint(folder).denoiser.parameterisation == Velocity()
    found = specs.load_checkpoint(folder, SpecContext())
    assert found.outputs["denoiser"].prediction == "v"
    assert "diffusers folder" in found.models[0].family


@pytest.mark.parametrize("version", VERSIONS)
def test_names_go_both_ways(version: str) -> None:
    config = VERSIONS[version].unet
    names = unet_modules(config)
    back = {theirs: ours for ours, theirs in names.items()}
    assert len(back) == len(names)
    for name in unet_shapes(config):
        other = renamed(names, name)
        assert other is not None
        assert renamed(back, other) == name


def change_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


BROKEN: dict[str, tuple[Callable[[Path], object], type[errors.CheckpointError], str]] = {
    "another pipeline": (
        lambda f: change_json(f / "model_index.json", unet=["diffusers", "Kandinsky"], _class_name="Other"),
        errors.UnknownFamily, "of the class 'Other'"),
    "no weights": (
        lambda f: (f / "vae" / "diffusion_pytorch_model.safetensors").unlink(), errors.MissingTensors,
        "vae holds no file of weights"),
    "pickles": (
        lambda f: (f / "unet" / "diffusion_pytorch_model.safetensors").rename(f / "unet" / "a.bin"),
        errors.PickleRefused, "unet holds Python pickles"),
    "another schedule": (
        lambda f: change_json(f / "scheduler" / "scheduler_config.json", beta_schedule="linear"), errors.InvalidMatch,
        "beta_schedule 'linear', Stable Diffusion 'scaled_linear'"),
    "another prediction": (
        lambda f: change_json(f / "scheduler" / "scheduler_config.json", prediction_type="sample"),
        errors.InvalidMatch, "prediction type 'sample'"),
    "another scale": (
        lambda f: change_json(f / "vae" / "config.json", scaling_factor=0.5), errors.InvalidMatch, "scaled by 0.5"),
    "no json": (
        lambda f: (f / "model_index.json").write_text("{"), errors.InvalidMatch, "no JSON"),
    "cut off": (
        lambda f: (f / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(
            (f / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()[:-10]),
        errors.TruncatedCheckpoint, "10 of"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_says_what_is_broken(tmp_path: Path, name: str) -> None:
    change, kind, message = BROKEN[name]
    folder = saved(tmp_path / "model", pipeline())
    change(folder)
    with pytest.raises(kind, match=message):
        load_checkpoint(folder)
    with pytest.raises(kind, match=message):
        specs.load_checkpoint(folder, SpecContext())


def test_weights_may_lie_in_shards(tmp_path: Path) -> None:
    made = pipeline()
    folder = saved(tmp_path / "model", made)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    made.unet.save_pretrained(folder / "unet", max_shard_size="500KB")
    assert len(list((folder / "unet").glob("*.safetensors"))) > 1
    state = load_checkpoint(folder).denoiser.network.state_dict()
    assert torch.equal(state["input_blocks.0.0.weight"], made.unet.conv_in.weight)
    assert torch.equal(state["out.2.bias"], made.unet.conv_out.bias)
