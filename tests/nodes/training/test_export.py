"""The packed family: keys, precision, metadata, and that its weights are the models'."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from nodes.bundled.export import export_family, export_matcher, family_metadata, half
from nodes.models.autoencoder_kl import AutoencoderKL
from nodes.models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from nodes.models.image_text_matcher import ImageTextMatcher
from nodes.training.denoiser import TextToLatent

TEXT = TextConfig(vocabulary=20, length=6, width=16, depth=1, heads=2)


def test_a_family_is_one_file_of_halves_with_what_shapes_cannot_tell(tmp_path: Path) -> None:
    model = TextToLatent(DiTConfig(width=16, depth=2, heads=2, context_width=16), TEXT)
    autoencoder = AutoencoderKL(
        AutoencoderConfig(widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1, 1), groups=4)
    )
    metadata = family_metadata(
        model, autoencoder, tokenizer="{}", shift=[0.0] * 4, scale=[1.0] * 4, image_size=64, training={"steps": 3}
    )
    export_family(tmp_path / "family.safetensors", model, autoencoder, metadata)
    with safe_open(tmp_path / "family.safetensors", "pt") as file:
        found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        assert json.loads(file.metadata()["nodegraph"]) == metadata
    assert {value.dtype for value in found.values()} == {torch.float16}
    assert {key.partition(".")[0] for key in found} == {"denoiser", "text_encoder", "autoencoder"}
    assert metadata["latent"] == {"channels": 4, "downscale": 4, "shift": [0.0] * 4, "scale": [1.0] * 4, "preview": []}
    for key, value in model.state_dict().items():
        torch.testing.assert_close(found[key].float(), value, rtol=1e-3, atol=1e-6)
    assert torch.equal(found["autoencoder.decoder.conv_out.bias"], autoencoder.decoder.conv_out.bias.detach().half())


def test_a_matcher_carries_its_tokenizer(tmp_path: Path) -> None:
    model = ImageTextMatcher(MatcherConfig(widths=(8, 16), blocks=(1, 1), groups=4, embedding=12, text=TEXT))
    export_matcher(tmp_path / "matcher.safetensors", model, tokenizer="{}", training={})
    with safe_open(tmp_path / "matcher.safetensors", "pt") as file:
        assert set(file.keys()) == set(model.state_dict())
        assert json.loads(file.metadata()["nodegraph"])["tokenizer"] == "{}"


def test_weights_beyond_half_precision_are_refused() -> None:
    layer = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(layer.weight, 1e6)
    with pytest.raises(OverflowError, match="weight"):
        half(layer)
