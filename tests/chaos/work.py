"""The jobs of the chaos test: fast graphs, and pictures of the bundled model in four steps."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

FLOW = Path(__file__).parents[2] / "workflows" / "text_to_image.json"
PROMPTS = ("a cat", "a red apple", "a star", "a dog face", "a blue car", "a house")


def fast(number: int) -> dict[str, Any]:
    """A graph without torch: small and large results in the cache, a shared one, and two files."""

    def link(source: str) -> dict[str, str]:
        return {"from": source}

    nodes = {
        "one": ("rogue.good", {"number": number}),
        "shared": ("rogue.good", {"number": number % 5}),
        "sum": ("rogue.add_all", {"numbers": [link("one.value"), link("shared.value")]}),
        "long": ("rogue.long_text", {"text": f"text {number} "}),
        "save": ("rogue.write_text", {"text": link("long.value"), "name": f"fast-{number:04d}"}),
        "small": ("rogue.write_text", {"text": f"small {number}", "name": f"small-{number:04d}"}),
    }
    document = {
        "format": "nodegraph/1",
        "nodes": {name: {"type": kind, "inputs": values} for name, (kind, values) in nodes.items()},
        "outputs": {"sum": link("sum.value"), "file": link("save.value")},
    }
    return {"workflow": document, "client_key": f"fast {number}", "label": f"fast {number}"}


def picture(number: int, chance: random.Random) -> dict[str, Any]:
    """A picture in four steps, by a sampler that draws noise or keeps a history."""
    document = json.loads(FLOW.read_text())
    document["nodes"]["sampler"] = {"type": chance.choice(["euler", "dpmpp_2m", "heun"]), "inputs": {}}
    document["nodes"]["save"]["inputs"]["name"] = f"picture-{number:04d}"
    inputs = {"prompt": chance.choice(PROMPTS), "steps": 4, "seed": number}
    return {"workflow": document, "inputs": inputs, "client_key": f"picture {number}", "label": f"picture {number}"}


def make(count: int, seed: int, pictures: float) -> list[dict[str, Any]]:
    """Requests, the same for the same seed. pictures: the share of them that are pictures."""
    chance = random.Random(seed)
    return [
        {**(picture(number, chance) if chance.random() < pictures else fast(number)), "attempts": 1_000_000}
        for number in range(count)
    ]
