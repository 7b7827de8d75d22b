"""Specs of the built-in nodes: every node has one, it needs no torch, and it says what the node then does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow

from nodegraph import InvalidInput
from nodegraph.catalog import Catalog
from nodegraph.spec import Predicted, SpecContext
from nodegraph.testing import check_node, local_context
from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint
from nodes.conditioning.text import encode_text
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.latents import empty_latent
from nodes.models import costs
from nodes.models.autoencoder_kl import AutoencoderKL
from nodes.models.configs import AutoencoderConfig, DiTConfig, MatcherConfig, TextConfig
from nodes.models.dit import DiT
from nodes.models.image_text_matcher import ImageTextMatcher
from nodes.models.text_transformer import TextTransformer
from nodes.samplers.euler import euler
from nodes.schedules.flow import flow_sigmas
from nodes.schedules.noise import DiscreteVP, alpha_bar_table
from nodes.training.datasets import encode_dataset, train_tokenizer
from nodes.training.exports import save_matcher
from nodes.training.trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher
from nodes.training.trainers import train_autoencoder, train_denoiser, train_matcher
from nodes.types import Image, Latent, LatentSpace

from .cases import Case, cases
from .training.test_training import toy_data
from .training.test_training_nodes import AUTOENCODER, DENOISER, MATCHER

NOT_CALLED = {"icon_dataset"}
"""Fetches its pictures from a registry."""


class Values:
    """One value of each kind, made when first asked for."""

    def __init__(self, folder: Path, model: LoadedCheckpoint, checkpoint: Path) -> None:
        self.folder, self.model, self.checkpoint = folder, model, checkpoint

    def ctx(self, name: str) -> Any:
        return local_context(self.folder / name)

    @property
    def image(self) -> Image:
        return Image(pixels=torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0)))

    @property
    def glass(self) -> Image:
        return Image(pixels=torch.rand(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)))

    @property
    def other_space(self) -> LatentSpace:
        return replace(self.model.denoiser.space, name="other")

    @property
    def latent(self) -> Latent:
        return empty_latent(self.model.denoiser, 16, 16, 2)

    def prompt(self, text: str | list[str] = "a cat") -> Any:
        return encode_text(self.model.text_encoder, text)

    def guider(self, scale: float = 3.0, text: str | list[str] = "a cat") -> Any:
        return classifier_free_guidance(self.model.denoiser, self.prompt(text), None, scale)

    @property
    def table(self) -> Any:
        return replace(self.model.denoiser, schedule=DiscreteVP(alpha_bar=alpha_bar_table("linear", 100)))

    @property
    def tokenizer(self) -> str:
        return train_tokenizer(toy_data(), 150)

    @property
    def autoencoder(self) -> TrainedAutoencoder:
        return train_autoencoder(toy_data(), self.ctx("a"), steps=1, **AUTOENCODER)

    @property
    def latents(self) -> LatentData:
        return encode_dataset(self.autoencoder, toy_data(), self.ctx("e"))

    @property
    def denoiser(self) -> TrainedDenoiser:
        return train_denoiser(self.latents, self.tokenizer, self.ctx("d"), steps=1, **DENOISER)

    @property
    def matcher(self) -> TrainedMatcher:
        return train_matcher(toy_data(), self.tokenizer, self.ctx("m"), steps=1, **MATCHER)

    def picture(self, name: str, picture: Pillow.Image, **options: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, **options)
        return path

    def turned(self) -> Path:
        exif = Pillow.Exif()
        exif[0x0112] = 6
        return self.picture("turned.jpg", Pillow.new("RGB", (20, 10)), exif=exif)

    def moving(self) -> Path:
        return self.picture(
            "moving.gif", Pillow.new("RGB", (6, 4)), save_all=True, append_images=[Pillow.new("RGB", (6, 4), "red")]
        )

    def text_file(self) -> Path:
        path = self.folder / "words.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("words")
        return path

    def matcher_file(self) -> Path:
        return Path(save_matcher(self.matcher, self.ctx("saved")))


ACCEPTED: list[Case] = [
    ("empty_latent", lambda v: {"model": v.model.denoiser, "width": 24, "height": 16, "batch": 3}),
    ("empty_latent", lambda v: {"model": v.model.autoencoder, "width": 12, "height": 16}),
    ("empty_latent", lambda v: {"model": v.model.denoiser.space, "width": 4, "height": 8}),
    ("encode_image", lambda v: {"autoencoder": v.model.autoencoder, "image": v.image}),
    ("encode_image", lambda v: {"autoencoder": v.model.autoencoder, "image": v.glass}),
    ("decode_latent", lambda v: {"autoencoder": v.model.autoencoder, "latent": v.latent}),
    ("load_checkpoint", lambda v: {"checkpoint": v.checkpoint}),
    ("encode_text", lambda v: {"encoder": v.model.text_encoder, "text": "a red apple"}),
    ("encode_text", lambda v: {"encoder": v.model.text_encoder, "text": ["", "cat " * 40, "the blue sea"]}),
    ("classifier_free_guidance", lambda v: {"denoiser": v.model.denoiser, "positive": v.prompt(), "scale": 1.0}),
    ("classifier_free_guidance", lambda v: {"denoiser": v.model.denoiser, "positive": v.prompt(["a", "b"])}),
    (
        "classifier_free_guidance",
        lambda v: {"denoiser": v.model.denoiser, "positive": v.prompt(), "negative": v.prompt("a dog"), "scale": 0.0},
    ),
    ("flow_sigmas", lambda v: {"steps": 7, "shift": 3.0, "denoise": 0.6}),
    ("karras_sigmas", lambda v: {"denoiser": v.model.denoiser, "steps": 5, "denoise": 0.5}),
    ("karras_sigmas", lambda v: {"denoiser": v.model.denoiser, "steps": 1, "sigma_min": 0.1, "sigma_max": 0.9}),
    *[
        ("discrete_sigmas", lambda v, spacing=spacing: {"denoiser": v.table, "steps": 7, "spacing": spacing})  # type: ignore[misc]
        for spacing in ("trailing", "leading", "linspace")
    ],
    ("euler", lambda v: {}),
    ("ddim", lambda v: {"eta": 0.5}),
    (
        "sample",
        lambda v: {"guider": v.guider(), "sampler": euler(), "sigmas": flow_sigmas(2), "latent": v.latent, "seed": 1},
    ),
    (
        "sample",
        lambda v: {
            "guider": v.guider(text=["a", "b", "c"]),
            "sampler": euler(),
            "sigmas": flow_sigmas(2),
            "latent": empty_latent(v.model.denoiser, 16, 8),
        },
    ),
    ("load_image", lambda v: {"file": v.turned()}),
    ("load_image", lambda v: {"file": v.moving(), "channels": "rgba", "frames": "all"}),
    ("load_image", lambda v: {"file": v.moving(), "channels": "grey"}),
    ("resize_image", lambda v: {"image": v.image, "width": 10, "height": 7}),
    ("scale_image", lambda v: {"image": v.glass, "factor": 1.7}),
    ("batch_images", lambda v: {"images": [v.image, v.image]}),
    ("batch_images", lambda v: {"images": [v.image, Image(pixels=torch.zeros(3, 4, v.image.height, v.image.width))]}),
    ("image_grid", lambda v: {"image": v.image, "gap": 3}),
    ("image_grid", lambda v: {"image": v.image, "columns": 1, "captions": ["one", "two"], "caption_height": 9}),
    ("save_image", lambda v: {"image": v.glass, "name": "glass"}),
    ("split_dataset", lambda v: {"pictures": toy_data()}),
    ("dataset_pictures", lambda v: {"pictures": toy_data(), "count": 4}),
    ("train_tokenizer", lambda v: {"pictures": toy_data(), "vocabulary": 150, "length": 9}),
    ("encode_dataset", lambda v: {"autoencoder": v.autoencoder, "pictures": toy_data()}),
    ("train_autoencoder", lambda v: {"pictures": toy_data(), "steps": 1, **AUTOENCODER}),
    ("train_denoiser", lambda v: {"latents": v.latents, "tokenizer": v.tokenizer, "steps": 1, **DENOISER}),
    ("train_matcher", lambda v: {"pictures": toy_data(), "tokenizer": v.tokenizer, "steps": 1, **MATCHER}),
    (
        "save_text_to_image",
        lambda v: {"denoiser": v.denoiser, "autoencoder": v.autoencoder, "latents": v.latents},
    ),
    ("save_matcher", lambda v: {"matcher": v.matcher}),
    ("load_matcher", lambda v: {"checkpoint": v.matcher_file()}),
    ("score_autoencoder", lambda v: {"autoencoder": v.autoencoder, "pictures": toy_data()}),
    ("score_retrieval", lambda v: {"matcher": v.matcher, "image": v.image, "captions": ["a", "b"], "among": 2}),
    *cases("ACCEPTED"),
]

REFUSED: list[Case] = [
    ("empty_latent", lambda v: {"model": v.model.denoiser, "width": 25}),
    ("encode_image", lambda v: {"autoencoder": v.model.autoencoder, "image": Image(pixels=torch.zeros(1, 3, 6, 8))}),
    (
        "decode_latent",
        lambda v: {"autoencoder": v.model.autoencoder, "latent": replace(v.latent, space=v.other_space)},
    ),
    ("encode_text", lambda v: {"encoder": v.model.text_encoder, "text": []}),
    (
        "classifier_free_guidance",
        lambda v: {"denoiser": v.model.denoiser, "positive": replace(v.prompt(), unconditional=None)},
    ),
    (
        "classifier_free_guidance",
        lambda v: {"denoiser": v.model.denoiser, "positive": v.prompt(["a", "b"]), "negative": v.prompt(["a"] * 3)},
    ),
    ("karras_sigmas", lambda v: {"denoiser": v.model.denoiser, "sigma_min": 2.0}),
    ("discrete_sigmas", lambda v: {"denoiser": v.model.denoiser}),
    ("discrete_sigmas", lambda v: {"denoiser": v.table, "steps": 60, "denoise": 0.5}),
    (
        "sample",
        lambda v: {
            "guider": v.guider(),
            "sampler": euler(),
            "sigmas": flow_sigmas(2),
            "latent": replace(v.latent, space=v.other_space),
        },
    ),
    (
        "sample",
        lambda v: {
            "guider": v.guider(text=["a", "b", "c"]),
            "sampler": euler(),
            "sigmas": flow_sigmas(2),
            "latent": v.latent,
        },
    ),
    (
        "sample",
        lambda v: {
            "guider": v.guider(),
            "sampler": euler(),
            "sigmas": flow_sigmas(2),
            "latent": empty_latent(v.model.autoencoder, 12, 8),
        },
    ),
    ("load_image", lambda v: {"file": v.text_file()}),
    ("scale_image", lambda v: {"image": Image(pixels=torch.zeros(1, 1, 1, 600)), "factor": 60.0}),
    ("batch_images", lambda v: {"images": [v.image, Image(pixels=torch.zeros(1, 3, 2, 2))]}),
    ("image_grid", lambda v: {"image": v.image, "captions": ["one"]}),
    ("save_image", lambda v: {"image": v.glass, "format": "jpeg"}),
    ("train_denoiser", lambda v: {"latents": v.latents, "tokenizer": v.tokenizer, "width": 18, "heads": 4}),
    ("train_autoencoder", lambda v: {"pictures": toy_data(), "batch": 100}),
    ("load_matcher", lambda v: {"checkpoint": v.checkpoint}),
    ("score_retrieval", lambda v: {"matcher": v.matcher, "image": v.image, "captions": ["a", "b", "c"]}),
    ("score_retrieval", lambda v: {"matcher": v.matcher, "image": v.image, "captions": ["a", "b"], "among": 3}),
    *cases("REFUSED"),
]


@pytest.fixture
def values(tmp_path: Path, model: LoadedCheckpoint, tiny_checkpoint: Path) -> Values:
    return Values(tmp_path / "values", model, tiny_checkpoint)


def function(catalog: Catalog, name: str) -> Callable[..., Any]:
    definition = catalog[name]
    found: Callable[..., Any] = getattr(import_module(definition.module), definition.function)
    return found


@pytest.mark.parametrize("case", ACCEPTED, ids=[name for name, _ in ACCEPTED])
def test_a_spec_says_what_the_node_gives(catalog: Catalog, values: Values, tmp_path: Path, case: Case) -> None:
    name, inputs = case
    check_node(function(catalog, name), tmp_path, **inputs(values))


@pytest.mark.parametrize("case", REFUSED, ids=[name for name, _ in REFUSED])
def test_a_spec_refuses_what_the_node_refuses(catalog: Catalog, values: Values, tmp_path: Path, case: Case) -> None:
    name, inputs = case
    with pytest.raises(InvalidInput):
        check_node(function(catalog, name), tmp_path, **inputs(values))


def test_every_node_declares_a_spec_and_is_compared_with_it(catalog: Catalog) -> None:
    assert [each.id for each in catalog.values() if each.pack in ("nodes", "control") and not each.spec] == []
    own = {each.id: each for each in catalog.values() if each.pack == "nodes"}
    assert own.keys() - NOT_CALLED == {name for name, _ in ACCEPTED}


def test_specs_import_no_torch(catalog: Catalog) -> None:
    modules = {each.spec.partition(":")[0] for each in catalog.values() if each.pack == "nodes"}
    program = f"import sys, importlib\nfor name in {sorted(modules)!r}: importlib.import_module(name)\n"
    program += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_the_data_set_promises_is_what_its_page_says() -> None:
    from nodes.training.datasets import icon_dataset
    from nodes.training.specs import ICONS

    assert f"{ICONS:,} pictures" in (icon_dataset.__doc__ or "")


@pytest.mark.parametrize(
    ("network", "config", "counted"),
    [
        (DiT, DiTConfig(width=32, depth=3, heads=4, context_width=16, mlp_ratio=3), costs.dit_parameters),
        (TextTransformer, TextConfig(vocabulary=50, width=16, depth=2), costs.text_parameters),
        (
            AutoencoderKL,
            AutoencoderConfig(widths=(8, 16, 24), encoder_blocks=(1, 2, 1), decoder_blocks=(2, 1, 1)),
            costs.autoencoder_parameters,
        ),
        (ImageTextMatcher, MatcherConfig(widths=(8, 16), blocks=(1, 2)), costs.matcher_parameters),
    ],
)
def test_parameters_are_counted_right(network: Any, config: Any, counted: Callable[[Any], int]) -> None:
    assert sum(each.numel() for each in network(config).parameters()) == counted(config)


def test_the_work_of_a_pass_is_what_torch_counts() -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    dit = DiTConfig(width=32, depth=2, heads=4, context_width=16)
    images = AutoencoderConfig(widths=(8, 16), encoder_blocks=(1, 2), decoder_blocks=(2, 1))
    network, autoencoder = DiT(dit).eval(), AutoencoderKL(images).eval()
    calls: list[tuple[Callable[[], object], float]] = [
        (
            lambda: network(torch.zeros(3, 4, 16, 16), torch.zeros(3), torch.zeros(3, 5, 16)),
            costs.dit_pass(dit, 3, 16, 16, 5).work,
        ),
        (lambda: autoencoder.encode(torch.zeros(2, 3, 32, 32)), costs.encoder_pass(images, 2, 32, 32).work),
        (lambda: autoencoder.decode(torch.zeros(2, 4, 8, 8)), costs.decoder_pass(images, 2, 8, 8).work),
    ]
    for call, predicted in calls:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            call()
        assert predicted == pytest.approx(counter.get_total_flops(), rel=0.1)


def test_a_checkpoint_tells_family_and_precision(tiny_checkpoint: Path) -> None:
    from nodes.checkpoints.specs import load_checkpoint as spec

    found: Predicted = spec(tiny_checkpoint, SpecContext(precision="bfloat16"))
    [facts] = found.models
    assert (facts.family, facts.precision) == ("nodegraph text-to-image (flow DiT)", "float16")
    assert facts.bytes == 2 * facts.parameters
    assert "in bfloat16" in str(found.outputs["denoiser"])
    assert load_checkpoint(tiny_checkpoint).denoiser.space.name == "icons"
