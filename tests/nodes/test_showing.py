"""Every wire type tells of itself, in numbers that are right, and pictures where there is something to see."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import nodes
from nodegraph.ports.looking import bare, glimpse_of, picture_of
from nodegraph.ports.wire import wire_class
from nodes.adapters.apply_lora import load_lora
from nodes.adapters.freeu import FreeU
from nodes.checkpoints.load import LoadedCheckpoint
from nodes.guidance.classifier_free import classifier_free_guidance
from nodes.samplers.euler import euler
from nodes.samplers.euler_ancestral import EulerAncestral
from nodes.schedules.flow import flow_sigmas
from nodes.showing.words import class_words, in_words, parameters
from nodes.training.icon_data import IconData, IconEntry
from nodes.training.trained import LatentData, TrainedAutoencoder, TrainedDenoiser, TrainedMatcher
from nodes.types import Conditioning, Encoding, Entry, Image, Latent, LatentSpace, Mask

from . import tiny_lora
from .tiny_controlnet import tiny_controlnet
from .tiny_sd import UNET1, UNet, random_network

SPACE = LatentSpace(
    name="test",
    channels=2,
    downscale=8,
    scale=(1.0, 1.0),
    shift=(0.0, 0.0),
    preview=((0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.5, 0.5, 0.5)),
)
ENTRIES = (IconEntry(name="cat", style="flat", captions=("cat",)), IconEntry(name="dog", style="round", captions=()))


def encoding(items: int = 1) -> Encoding:
    mask = torch.tensor([[True, True, False]]).expand(items, -1)
    return Encoding(tokens=torch.ones(items, 3, 4), mask=mask, pooled=torch.ones(items, 5))


def conditioning() -> Conditioning:
    masked = Entry(encoding=encoding(2), mask=torch.ones(2, 1, 6, 8), strength=0.5, start=0.2)
    return Conditioning(entries=(Entry(encoding=encoding(2), area=(0.0, 0.0, 0.5, 1.0)), masked))


def trained(kind: type) -> Any:
    weights = {"weight": torch.zeros(1000, 3)}
    values = dict.fromkeys(kind.__dataclass_fields__) | {"weights": weights, "steps": 7}  # type: ignore[attr-defined]
    return kind(**values)


def latent_data() -> LatentData:
    return LatentData(
        latents=torch.randn(2, 2, 4, 4),
        shift=(0.0, 0.0),
        scale=(1.0, 1.0),
        preview=SPACE.preview,
        image_size=32,
        entries=ENTRIES,
        sources=(),
    )


def lora(folder: Path) -> Any:
    unet = random_network(UNet(UNET1), 1)
    factors = tiny_lora.factors(unet, tiny_lora.attention)
    return load_lora(tiny_lora.write(folder / "a.safetensors", tiny_lora.kohya("lora_unet_", factors)))


def values(model: LoadedCheckpoint, folder: Path) -> Iterator[object]:
    """One of every wire type."""
    yield Image(pixels=torch.rand(2, 3, 10, 20))
    yield Mask(values=torch.full((1, 1, 10, 20), 0.25))
    yield SPACE
    yield Latent(samples=torch.randn(3, 2, 5, 7), space=SPACE)
    yield conditioning()
    yield flow_sigmas(20)
    yield euler()
    yield model.denoiser
    yield model.text_encoder
    yield model.autoencoder
    yield classifier_free_guidance(model.denoiser, conditioning(), conditioning(), 3.0)
    yield lora(folder)
    yield tiny_controlnet()
    yield IconData(pixels=torch.zeros(2, 8, 8, 3, dtype=torch.uint8), entries=ENTRIES, sources=())
    yield latent_data()
    for kind in (TrainedAutoencoder, TrainedDenoiser, TrainedMatcher):
        yield trained(kind)


def wire_classes() -> set[type]:
    """All of the diffusion nodes."""
    found = set()
    for module in pkgutil.walk_packages(nodes.__path__, "nodes."):
        for each in vars(importlib.import_module(module.name)).values():
            if wire_class(each) is not None and each.__module__.startswith("nodes."):
                found.add(each)
    return found


def test_every_wire_type_tells_of_itself(model: LoadedCheckpoint, tmp_path: Path) -> None:
    told = set()
    for value in values(model, tmp_path):
        glimpse = glimpse_of(value)
        told |= {each for each in type(value).__mro__ if wire_class(each) is not None}
        assert glimpse.text != bare(value).text, value
        assert glimpse.numbers, value
        assert type(glimpse).model_validate_json(glimpse.model_dump_json()) == glimpse
        for item in range(glimpse.pictures):
            assert picture_of(value, item) is not None
        assert picture_of(value, glimpse.pictures) is None
    assert told == wire_classes()


def test_pictures_are_those_of_the_value() -> None:
    pixels = torch.zeros(2, 4, 3, 2)
    pixels[1, :, 2, 1] = torch.tensor([1.0, 0.5, 0.0, 1.0])
    image = Image(pixels=pixels)
    found = picture_of(image, 1)
    assert found is not None
    assert (found.mode, found.size, found.getpixel((1, 2))) == ("RGBA", (2, 3), (255, 128, 0, 255))
    assert glimpse_of(image).text == "2 pictures of 2 x 3 pixels, RGBA"
    grey = picture_of(Mask(values=torch.full((1, 1, 4, 4), 0.25)), 0)
    assert grey is not None
    assert (grey.mode, grey.getpixel((0, 0))) == ("L", 64)


def test_a_latent_is_seen_through_its_space() -> None:
    samples = torch.zeros(1, 2, 5, 7)
    samples[:, 0] = 1.0
    value = Latent(samples=samples, space=SPACE)
    found = picture_of(value, 0)
    assert found is not None
    assert (found.size, found.getpixel((0, 0))) == ((7, 5), (255, 128, 128))
    told = glimpse_of(value)
    assert told.text == "1 latent of 2 x 5 x 7 in 'test', for 56 x 40 pixels"
    assert (told.numbers["mean"], told.numbers["channel 0"]) == (0.5, "1 ± 0")


def test_a_curve_of_noise_levels() -> None:
    told = glimpse_of(flow_sigmas(20))
    assert told.text == "20 steps from 1 to 0"
    assert told.charts[0].y[0] == 1.0
    assert (len(told.charts[0].y), told.charts[0].y[-1]) == (21, 0.0)


def test_a_conditioning_tells_where_and_when_its_entries_count() -> None:
    told = glimpse_of(conditioning())
    assert told.text == "2 entries of 2 tokens, 4 wide for each of 2 pictures"
    assert told.pictures == 2
    assert told.value == [
        {
            "tokens": 2,
            "strength": 1.0,
            "area": {"top": 0.0, "left": 0.0, "bottom": 0.5, "right": 1.0},
            "alone": False,
        },
        {"tokens": 2, "strength": 0.5, "mask": "8 x 6, mean 1", "start": 0.2, "end": 1.0},
    ]


def test_a_model_tells_its_size_and_what_was_changed(model: LoadedCheckpoint) -> None:
    patch = FreeU(b1=1.3, b2=1.4, s1=0.9, s2=0.2, version="2", stages="level", width=8, blocks=1)
    told = glimpse_of(model.denoiser.patch(patch))
    assert told.numbers["parameters"] == sum(each.numel() for each in model.denoiser.network.parameters())
    assert (told.numbers["dtype"], told.numbers["predicts"], told.numbers["patches"]) == ("float32", "flow", 1)
    assert "changed by FreeU (b1 1.3, b2 1.4" in told.text


def test_words() -> None:
    assert class_words(EulerAncestral()) == "Euler ancestral"
    assert in_words(euler(s_churn=2.0)).startswith("Euler (s_churn 2.0, ")
    assert [parameters(each) for each in (12, 1500, 13_724_944, 2_600_000_000)] == [
        "12 parameters",
        "1.5 k parameters",
        "13.7 M parameters",
        "2.6 G parameters",
    ]
