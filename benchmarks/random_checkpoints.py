"""Checkpoints of true size with random weights, in the original layouts of single files.

Weights are drawn tensor by tensor and written as they come, so writing needs the memory of the largest one. They are
scaled so that activations keep their size from layer to layer. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from nodes.checkpoints.open_clip import open_clip_sources  # noqa: E402
from nodes.models.clip_text_shapes import clip_text_shapes  # noqa: E402
from nodes.models.configs import (  # noqa: E402
    CLIP_L,
    OPEN_CLIP_BIGG,
    OPEN_CLIP_H,
    SD1,
    SD2,
    SDXL,
    ClipTextConfig,
    LdmAutoencoderConfig,
    UNetConfig,
)
from nodes.models.ldm_autoencoder import LdmAutoencoder  # noqa: E402
from nodes.models.unet_shapes import unet_shapes  # noqa: E402

Shape = tuple[int, ...]
CODES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
GAIN = 0.7
"""Standard deviation of a matrix's weights times the root of how many numbers each output is made of."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a file holds. towers: prefix and shape of each text encoder; those below `model.` lie as in OpenCLIP."""

    unet: UNetConfig
    towers: tuple[tuple[str, ClipTextConfig], ...]


LAYOUTS: Mapping[str, Layout] = {
    "sd15": Layout(unet=SD1, towers=(("cond_stage_model.transformer.", CLIP_L),)),
    "sd21": Layout(unet=SD2, towers=(("cond_stage_model.model.", OPEN_CLIP_H),)),
    "sdxl": Layout(
        unet=SDXL,
        towers=(("conditioner.embedders.0.transformer.", CLIP_L), ("conditioner.embedders.1.model.", OPEN_CLIP_BIGG)),
    ),
}


def layout_shapes(layout: Layout) -> dict[str, Shape]:
    """The shapes of all tensors by their names in the file."""
    found = {f"model.diffusion_model.{name}": shape for name, shape in unet_shapes(layout.unet).items()}
    with torch.device("meta"):
        autoencoder = LdmAutoencoder(LdmAutoencoderConfig())
    found |= {f"first_stage_model.{name}": tuple(each.shape) for name, each in autoencoder.state_dict().items()}
    for prefix, config in layout.towers:
        shapes = clip_text_shapes(config)
        if not prefix.endswith("model."):
            found |= {prefix + name: shape for name, shape in shapes.items()}
            continue
        for name, source in open_clip_sources(config.depth, config.projection is not None).items():
            shape = shapes[name][::-1] if source.transpose else shapes[name]
            count = source.part[1] if source.part else 1
            found[prefix + source.name] = (count * shape[0], *shape[1:])
    return found


def drawn(name: str, shape: Shape, generator: torch.Generator) -> Tensor:
    """One tensor in float32."""
    value = torch.empty(shape)
    if name.endswith(("embedding.weight", "positional_embedding")):
        return value.normal_(std=0.02, generator=generator)
    if len(shape) > 1:
        return value.normal_(std=GAIN / math.prod(shape[1:]) ** 0.5, generator=generator)
    return value.normal_(mean=1.0 if name.endswith("weight") else 0.0, std=0.05, generator=generator)


def pieces(layout: Layout, seed: int) -> Iterator[tuple[str, Tensor]]:
    """All tensors in the order of the file."""
    generator = torch.Generator().manual_seed(seed)
    for name, shape in sorted(layout_shapes(layout).items()):
        yield name, drawn(name, shape, generator)


def write(path: Path, layout: Layout, dtype: str, seed: int = 0) -> Path:
    """The whole file, under its name only once it is complete."""
    wanted: torch.dtype = getattr(torch, dtype)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in sorted(layout_shapes(layout).items()):
        begin, end = end, end + math.prod(shape) * wanted.itemsize
        header[name] = {"dtype": CODES[dtype], "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, value in pieces(layout, seed):
            value.to(wanted).view(torch.uint8).numpy().tofile(file)
    return unfinished.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="the file to write")
    parser.add_argument("--layout", choices=LAYOUTS, default="sd15", help="the model (default: %(default)s)")
    parser.add_argument("--dtype", choices=CODES, default="float32", help="of all tensors (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    path = write(given.path, LAYOUTS[given.layout], given.dtype, given.seed)
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
