"""Low-rank changes of weights. Hu et al. 2021 (LoRA); LoCon: Yeh et al. 2023, section 3.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nodegraph import wire

from ..models.patching import Branch, Change
from ..types import Patch
from .lora_files import Layer, LoraFile

Mode = Literal["merge", "runtime"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LowRank(Change, Branch):
    """strength alpha / rank up @ mid @ down. down: (r, in) or (r, in, k, k). up: (out, r) or (out, r, 1, 1). mid:
    (r, r, k, k), the core of a Tucker decomposition. scale: strength alpha / rank."""

    down: Float[Tensor, "rank ..."]
    up: Float[Tensor, "out ..."]
    mid: Float[Tensor, "rank ..."] | None
    scale: float

    def delta(self, weight: Tensor) -> Tensor:
        """Eq. 3 of the paper, as one matrix or kernel."""
        up, down = (each.to(weight.device, torch.float32).flatten(1) for each in (self.up, self.down))
        if self.mid is None:
            product = up @ down
        else:
            core = self.mid.to(weight.device, torch.float32)
            product = torch.einsum("or,rskl,si->oikl", up, core, down)
        return self.scale * product.reshape(weight.shape)

    def beside(self, layer: nn.Module, x: Tensor) -> Tensor:
        """What the layer's output is larger by, computed from its input in the input's dtype."""
        down, up = self.down.to(x.device, x.dtype), self.up.to(x.device, x.dtype)
        if not isinstance(layer, nn.Conv2d) or x.ndim == 3:
            return self.scale * F.linear(F.linear(x, down.flatten(1)), up.flatten(1))
        side = layer.kernel_size[0]
        if self.mid is None:
            h = F.conv2d(x, down.reshape(len(down), -1, side, side), stride=layer.stride, padding=_sides(layer))
        else:
            h = F.conv2d(x, down.reshape(len(down), -1, 1, 1))
            h = F.conv2d(h, self.mid.to(x.device, x.dtype), stride=layer.stride, padding=_sides(layer))
        return self.scale * F.conv2d(h, up.reshape(len(up), -1, 1, 1))


def _sides(layer: nn.Conv2d) -> tuple[int, int]:
    padding = layer.padding
    assert isinstance(padding, tuple)
    return padding[0], padding[1]


@wire(portable=False, shown="nodes.showing.models:LoraShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class Lora:
    """Low-rank changes for the layers of a model, as a file holds them.

    file: what the file says of itself. tensors: the factors by their names in the file, float32 on the CPU.
    """

    file: LoraFile
    tensors: Mapping[str, Tensor]

    def low_rank(self, layer: Layer, strength: float) -> LowRank:
        """The change of one layer. An alpha that is missing or 0 counts as the rank, as for kohya's scripts."""
        alpha = (float(self.tensors[layer.alpha]) if layer.alpha else 0.0) or float(layer.rank)
        return LowRank(
            down=self.tensors[layer.down],
            up=self.tensors[layer.up],
            mid=self.tensors[layer.mid] if layer.mid else None,
            scale=strength * (alpha / layer.rank if layer.scale is None else layer.scale),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class LoraPatch(Patch):
    """A LoRA on a network.

    layers: the change of each weight, by the weight's name. mode: merge adds them to the weights once; runtime computes
    them beside the layers, which costs time in each step but loses nothing where weights are coarse (bfloat16).
    """

    layers: Mapping[str, LowRank]
    mode: Mode = "merge"

    def changes(self) -> Mapping[str, Sequence[Change]]:
        """Of the weights, where they are merged."""
        return {name: (change,) for name, change in self.layers.items()} if self.mode == "merge" else {}

    def branches(self) -> Mapping[str, Sequence[Branch]]:
        """Beside the layers, where they are not."""
        if self.mode == "merge":
            return {}
        return {name.removesuffix(".weight"): (change,) for name, change in self.layers.items()}
