"""The model that comes with nodegraph: what is in the file, and that it draws what it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodegraph import Workflow
from nodegraph.execution.events import Event, NodePreview
from nodegraph.execution.run import Runner
from nodes.checkpoints.header import read_header
from nodes.checkpoints.load import load_checkpoint
from nodes.showing.rough import Rough, rough_pixels
from nodes.training.exports import load_matcher

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "nodes" / "bundled" / "icons"

CAPTIONS = [
    "red apple",
    "strawberry",
    "banana",
    "watermelon",
    "pizza",
    "hamburger",
    "birthday cake",
    "doughnut",
    "cat face",
    "dog face",
    "panda",
    "fox",
    "pig face",
    "tiger face",
    "penguin",
    "fish",
    "red heart",
    "star",
    "sun",
    "crescent moon",
    "cloud",
    "umbrella",
    "snowman",
    "christmas tree",
    "house",
    "rocket",
    "taxi",
    "bus",
    "sailboat",
    "balloon",
    "soccer ball",
    "guitar",
    "tomato",
    "carrot",
    "ice cream",
    "cherries",
    "grapes",
    "lemon",
    "frog",
    "lion",
    "octopus",
    "rainbow",
    "fire",
    "key",
    "bell",
    "camera",
    "crown",
    "cactus",
    "mushroom",
    "ghost",
]
"""Fifty things that all five sets show and that were trained on."""


def test_the_family_is_small_enough_to_ship() -> None:
    files = sorted(path.name for path in FOLDER.iterdir())
    assert files == ["icons.safetensors", "icons_matcher.safetensors"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 40_000_000


def test_its_file_says_where_it_comes_from() -> None:
    import json

    about = json.loads(read_header(FOLDER / "icons.safetensors").metadata["nodegraph"])
    licences = {each["set"]: each["licence"] for each in about["training"]["sources"]}
    assert licences == {
        "noto": "Apache-2.0",
        "fluent-emoji": "MIT",
        "fluent-emoji-flat": "MIT",
        "twemoji": "CC-BY-4.0",
        "emojione": "CC-BY-4.0",
    }
    assert about["training"]["denoiser_steps"] > 1_000


def test_it_loads_and_has_a_map_for_previews() -> None:
    parts = load_checkpoint(FOLDER / "icons.safetensors")
    space = parts.autoencoder.space
    assert (space.name, space.channels, space.downscale, len(space.preview)) == ("icons", 4, 4, 5)
    assert load_matcher(FOLDER / "icons_matcher.safetensors").config.embedding == 128


def test_pictures_find_their_prompts_ten_times_as_often_as_chance(runner: Runner) -> None:
    workflow = Workflow.from_document(
        {
            "format": "nodegraph/1",
            "nodes": {
                "model": {"type": "load_checkpoint", "inputs": {"checkpoint": "bundled:icons"}},
                "matcher": {"type": "load_matcher", "inputs": {"checkpoint": "bundled:icons_matcher"}},
                "prompts": {
                    "type": "encode_text",
                    "inputs": {"encoder": {"from": "model.text_encoder"}, "text": CAPTIONS},
                },
                "guidance": {
                    "type": "classifier_free_guidance",
                    "inputs": {
                        "denoiser": {"from": "model.denoiser"},
                        "positive": {"from": "prompts.conditioning"},
                        "scale": 4.0,
                    },
                },
                "sampler": {"type": "euler"},
                "sigmas": {"type": "flow_sigmas", "inputs": {"steps": 12}},
                "empty": {
                    "type": "empty_latent",
                    "inputs": {"model": {"from": "model.denoiser"}, "width": 64, "height": 64},
                },
                "sample": {
                    "type": "sample",
                    "inputs": {
                        "guider": {"from": "guidance.guider"},
                        "sampler": {"from": "sampler.sampler"},
                        "sigmas": {"from": "sigmas.sigmas"},
                        "latent": {"from": "empty.latent"},
                    },
                },
                "decode": {
                    "type": "decode_latent",
                    "inputs": {"autoencoder": {"from": "model.autoencoder"}, "latent": {"from": "sample.latent"}},
                },
                "score": {
                    "type": "score_retrieval",
                    "inputs": {
                        "matcher": {"from": "matcher.matcher"},
                        "image": {"from": "decode.image"},
                        "captions": CAPTIONS,
                    },
                },
            },
            "outputs": {"score": {"from": "score.accuracy"}, "image": {"from": "decode.image"}},
        }
    )
    outputs = runner.run(workflow).outputs
    assert outputs["score"] >= 10 / 50
    assert float(outputs["image"].pixels.std(dim=0).mean()) > 0.1  # not one picture fifty times


@pytest.mark.slow
def test_the_training_workflows_run_from_nothing(runner: Runner) -> None:
    """Real icons, networks at full size, a handful of steps; fetches from the npm registry."""
    icons = Workflow.load(FOLDER.parents[2] / "workflows" / "training" / "icons.json")
    few = {"autoencoder-steps": 30, "steps": 4, "bfloat16": False}
    outputs = runner.run(icons, few).outputs
    assert outputs["psnr"] > 8.0
    parts = load_checkpoint(Path(outputs["file"]))
    assert all(bool(each.isfinite().all()) for each in parts.denoiser.network.state_dict().values())
    matcher = Workflow.load(FOLDER.parents[2] / "workflows" / "training" / "icons_matcher.json")
    assert 0.0 <= runner.run(matcher, {"steps": 3}).outputs["accuracy"] <= 1.0


def test_previews_look_more_and_more_like_the_picture(runner: Runner) -> None:
    """The correlation of pixels between the rough picture after each step and the one that is decoded at the end."""
    previews: list[Tensor] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodePreview):
            assert isinstance(event.value, Rough)
            previews.append(torch.from_numpy(rough_pixels(event.value.samples[0], event.value.space)))

    workflow = Workflow.load(ROOT / "workflows" / "text_to_image.json")
    picture = runner.run(workflow, {"prompt": "dog face", "enlarge": 1, "steps": 10}, on_event=listen).outputs["image"]
    size = tuple(previews[-1].shape[1:])
    small = torch.nn.functional.interpolate(picture.pixels, size=size, mode="area").flatten()
    likeness = [float(torch.corrcoef(torch.stack([each.flatten(), small]))[0, 1]) for each in previews]
    assert len(likeness) == 10
    assert likeness[-1] > 0.9
    assert likeness[-1] > likeness[5] > likeness[0]
