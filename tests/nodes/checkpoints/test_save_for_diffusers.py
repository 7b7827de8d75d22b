"""Written folders are read by diffusers and transformers, and give the same as here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from nodegraph import InvalidInput
from nodes.conditioning.clip import ClipTextEncoder
from nodes.conditioning.clip_options import clip_skip
from nodes.conditioning.unet import told

from ..tiny_sd import VERSIONS
from .test_save import model_of, written

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    yield


@pytest.mark.parametrize("version", VERSIONS)
def test_diffusers_reads_the_folder(tmp_path: Path, version: str) -> None:
    from diffusers import AutoencoderKL, UNet2DConditionModel

    model = model_of(tmp_path, version)
    folder = written(tmp_path / "a", model, "diffusers")
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    config = VERSIONS[version].unet
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, config.in_channels, 8, 8, generator=generator)
    encoding = model.text_encoder.encode(["a fox", "a dog"])
    context, _, vector = told(config, encoding, x)
    time = torch.tensor([3.0, 700.0])
    more: dict[str, Any] = {}
    if vector is not None:
        assert encoding.pooled is not None
        width = encoding.pooled.shape[1]
        sizes = (config.vector_width - width) // 256
        ids = torch.tensor([[64.0, 64.0, 0.0, 0.0, *([6.0] if sizes == 5 else [64.0, 64.0])]]).expand(2, -1)
        more = {"added_cond_kwargs": {"text_embeds": encoding.pooled, "time_ids": ids}}
    with torch.no_grad():
        theirs = unet(x, time, context, **more).sample
        ours = model.denoiser.predict(model.denoiser.network, x, time, encoding, None)
    assert (ours - theirs).abs().max() <= 1e-4
    vae = AutoencoderKL.from_pretrained(folder / "vae")
    z = torch.randn(1, 4, 4, 4, generator=generator)
    with torch.no_grad():
        image = (vae.decode(z / vae.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)
    assert (image - model.autoencoder.decode(z)).abs().max() <= 1e-4


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("skip", [None, 1, 2])
def test_transformers_reads_the_text_encoders(tmp_path: Path, version: str, skip: int | None) -> None:
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    model = model_of(tmp_path, version)
    encoder = model.text_encoder if skip is None else clip_skip(model.text_encoder, skip)
    assert isinstance(encoder, ClipTextEncoder)
    xl = "XL" in version
    if xl and skip == 1:
        with pytest.raises(InvalidInput, match=r"gives layer 1 from the end.*single_file"):
            written(tmp_path / "a", model._replace(text_encoder=encoder), "diffusers")
        return
    folder = written(tmp_path / "a", model._replace(text_encoder=encoder), "diffusers")
    [chunk] = encoder.chunks("a red fox")
    hidden, pooled = [], []
    for name in ("text_encoder", "text_encoder_2"):
        if not (folder / name).is_dir():
            continue
        kind = CLIPTextModelWithProjection if name == "text_encoder_2" else CLIPTextModel
        network = kind.from_pretrained(folder / name)
        ids = torch.tensor([encoder.towers[len(hidden)].ids(chunk)])
        with torch.no_grad():
            out = network(ids, output_hidden_states=True)
        hidden.append(out.hidden_states[-2] if xl else out.last_hidden_state)
        pooled.append(getattr(out, "text_embeds", None))
    found = encoder.encode(["a red fox"])
    assert (found.tokens - torch.cat(hidden, dim=2)).abs().max() <= 1e-4
    if xl:
        assert found.pooled is not None
        assert (found.pooled - pooled[-1]).abs().max() <= 1e-4


@pytest.mark.parametrize("version", ["1", "2", "XL", "XL refiner"])
def test_the_folder_is_a_whole_pipeline(tmp_path: Path, version: str) -> None:
    from diffusers import DiffusionPipeline

    model = model_of(tmp_path, version)
    made = DiffusionPipeline.from_pretrained(written(tmp_path / "a", model, "diffusers"))
    prompt = "A red Fox's 12 tails, (émigré) in 日本"
    encoder = model.text_encoder
    assert isinstance(encoder, ClipTextEncoder)
    found = encoder.encode([prompt.replace("(", r"\(").replace(")", r"\)")])
    if "XL" in version:
        tokens, _, pooled, _ = made.encode_prompt(prompt, do_classifier_free_guidance=False)
        assert (found.pooled - pooled).abs().max() <= 1e-4
    else:
        tokens, _ = made.encode_prompt(prompt, "cpu", 1, False)
    assert (found.tokens - tokens).abs().max() <= 1e-4
    assert made.scheduler.config.prediction_type == "epsilon"
