"""The shape of a Stable Diffusion UNet, read off the shapes of its tensors in either layout. Imports no torch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

from ..models.configs import UNetConfig
from .sources import Source
from .unet_names import renamed

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


def unet_config(shapes: Shapes) -> UNetConfig:
    """Of the original layout, without a prefix; also of a ControlNet, which has the same encoder.

    Raises ValueError where the shapes are those of no such network.
    """
    channels, in_channels = _first(shapes, "input_blocks.0.0.weight")
    widths: list[list[int]] = [[]]
    depths: list[list[int]] = [[]]
    for block in itertools.count(1):
        out = shapes.get(f"input_blocks.{block}.0.out_layers.3.weight")
        if out is not None:
            widths[-1].append(out[0])
            depths[-1].append(_depth(shapes, f"input_blocks.{block}.1."))
        elif f"input_blocks.{block}.0.op.weight" in shapes:
            widths.append([])
            depths.append([])
        else:
            break
    return _config(
        shapes, channels, in_channels, widths, depths,
        middle_depth=_depth(shapes, "middle_block.1."), out="out.2.weight", vector="label_emb.0.0.weight",
    )  # fmt: skip


def diffusers_unet_config(shapes: Shapes) -> UNetConfig:
    """Of the layout of diffusers."""
    channels, in_channels = _first(shapes, "conv_in.weight")
    widths, depths = [], []
    for level in itertools.takewhile(
        lambda level: f"down_blocks.{level}.resnets.0.conv1.weight" in shapes, itertools.count()
    ):
        name = f"down_blocks.{level}."
        count = _count(lambda index, name=name: f"{name}resnets.{index}.conv1.weight" in shapes)  # type: ignore[misc]
        widths.append([shapes[f"{name}resnets.{index}.conv1.weight"][0] for index in range(count)])
        depths.append([_depth(shapes, f"{name}attentions.{index}.") for index in range(count)])
    return _config(
        shapes, channels, in_channels, widths, depths,
        middle_depth=_depth(shapes, "mid_block.attentions.0."),
        out="conv_out.weight", vector="add_embedding.linear_1.weight",
    )  # fmt: skip


def renamed_sources(names: Mapping[str, str], wanted: Mapping[str, Shape], stored: Shapes) -> dict[str, Source]:
    """Where the tensors of a network lie in a file of diffusers.

    names: of modules, here and there. wanted: shapes of the network's tensors. stored: shapes in the file; 1 x 1
    convolutions and matrices stand for each other. Other shapes are left for loading to refuse.
    """
    found = {}
    for name, shape in wanted.items():
        other = renamed(names, name) or name
        there = stored.get(other, shape)
        flat = there != shape and math.prod(there) == math.prod(shape)
        found[name] = Source(other, shape=shape if flat else None)
    return found


def _config(
    shapes: Shapes,
    channels: int,
    in_channels: int,
    widths: list[list[int]],
    depths: list[list[int]],
    *,
    middle_depth: int,
    out: str,
    vector: str,
) -> UNetConfig:
    counts = {len(each) for each in widths}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"its levels have {sorted(counts)} residual blocks, not the same number each")
    for values in (*widths, *depths):
        if len(set(values)) != 1:
            raise ValueError(f"the blocks of one level differ: {values}")
    if any(each[0] % channels for each in widths):
        raise ValueError(f"its widths {[each[0] for each in widths]} are no multiples of {channels}")
    contexts = {shape[1] for name, shape in shapes.items() if name.endswith("attn2.to_k.weight") and len(shape) == 2}
    if len(contexts) != 1:
        raise ValueError(f"it attends to texts of the widths {sorted(contexts)}, not of one width")
    linear = any(name.endswith("proj_in.weight") and len(shape) == 2 for name, shape in shapes.items())
    return UNetConfig(
        in_channels=in_channels,
        out_channels=shapes[out][0] if out in shapes else 4,
        channels=channels,
        multipliers=tuple(each[0] // channels for each in widths),
        res_blocks=counts.pop(),
        depths=tuple(each[0] for each in depths),
        middle_depth=middle_depth,
        heads=0 if linear else 8,  # shapes do not tell; version 1 has eight, the later ones a width of 64 each
        context_width=contexts.pop(),
        vector_width=shapes[vector][1] if vector in shapes else 0,
        linear_projections=linear,
    )


def _first(shapes: Shapes, name: str) -> tuple[int, int]:
    shape = shapes.get(name, ())
    if len(shape) != 4 or 0 in shape:
        raise ValueError(f"{name} has the shape {list(shape)}")
    return shape[0], shape[1]


def _depth(shapes: Shapes, prefix: str) -> int:
    """How many transformer blocks there are."""
    return _count(lambda index: f"{prefix}transformer_blocks.{index}.norm1.weight" in shapes)


def _count(there: Callable[[int], bool]) -> int:
    return next(index for index in itertools.count() if not there(index))
