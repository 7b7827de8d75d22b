"""Networks with other weights, sharing with the old ones whatever is not changed. The old ones stay as they are."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class Change:
    """What is added to one weight. Methods derive from it."""

    @abstractmethod
    def delta(self, weight: Tensor) -> Tensor:
        """In float32, shaped like the weight."""


class Branch:
    """What is computed beside a layer and added to what it gives. Methods derive from it."""

    @abstractmethod
    def beside(self, layer: nn.Module, x: Tensor) -> Tensor:
        """Shaped like the layer's output for the input x."""


class WithBranches(nn.Module):
    """A layer, and what is computed beside it."""

    def __init__(self, layer: nn.Module, branches: Sequence[Branch]) -> None:
        super().__init__()
        self.layer, self.branches = layer, tuple(branches)

    def forward(self, x: Tensor) -> Tensor:
        """As the layer's; a 1 x 1 convolution also takes (batch, positions, channels)."""
        out: Tensor
        if isinstance(self.layer, nn.Conv2d) and x.ndim == 3:
            out = nn.functional.linear(x, self.layer.weight.flatten(1), self.layer.bias)
        else:
            out = self.layer(x)
        for branch in self.branches:
            out = out + branch.beside(self.layer, x)
        return out


def with_branches(network: nn.Module, branches: Mapping[str, Sequence[Branch]]) -> nn.Module:
    """A network in which the layers of the given names have branches beside them.

    Raises AttributeError for a name that the network does not have.
    """
    made = _sharing(network)
    for name, several in branches.items():
        path, _, leaf = name.rpartition(".")
        made.get_submodule(path)._modules[leaf] = WithBranches(made.get_submodule(name), several)
    return made


def with_changes(network: nn.Module, changes: Mapping[str, Sequence[Change]]) -> nn.Module:
    """A network whose parameters of the given names are larger by their changes.

    The changes of one weight are added up first and then to the weight, in float32, which is rounded once to the
    weight's dtype; so two changes give the same bits in either order. Raises KeyError for a name that the
    network does not have.
    """
    made = _sharing(network)
    for name, several in changes.items():
        path, _, leaf = name.rpartition(".")
        module = made.get_submodule(path)
        weight = module._parameters[leaf]
        if weight is None:
            raise KeyError(name)
        deltas = [change.delta(weight) for change in several]
        merged = (weight.float() + sum(deltas[1:], start=deltas[0])).to(weight.dtype)
        if weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last):
            merged = merged.contiguous(memory_format=torch.channels_last)
        module._parameters[leaf] = nn.Parameter(merged, requires_grad=False)
    return made


def _sharing(module: nn.Module) -> nn.Module:
    """New modules around the same parameters."""
    made = copy.copy(module)
    made._modules = {name: None if each is None else _sharing(each) for name, each in module._modules.items()}
    made._parameters = dict(module._parameters)
    made._buffers = dict(module._buffers)
    return made
