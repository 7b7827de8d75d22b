"""Conditionings, guiders, samplers and grids that are not there yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from nodegraph.spec import Spec

from .image import FLOAT32
from .models import DenoiserSpec


@dataclass(frozen=True, kw_only=True)
class ConditioningSpec(Spec):
    """What will be said of a batch of pictures.

    entries: how many things are said. batch: pictures, or 1 for all. length, width: most tokens of an item and numbers
    in one. unconditional: tokens of the encoding of nothing; None where there is none. limited: whether each entry is
    said of a region or of some noise levels only. masks: numbers in the masks of all regions.
    """

    wire: ClassVar[str] = "nodes.Conditioning"

    batch: int
    length: int
    width: int
    entries: int = 1
    unconditional: int | None = None
    limited: bool = False
    masks: int = 0

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its entries."""
        tokens = [entry.encoding.tokens for entry in value.entries]
        nothing = value.unconditional
        return cls(
            batch=len(tokens[0]),
            length=max(int(each.shape[1]) for each in tokens),
            width=int(tokens[0].shape[2]),
            entries=len(value.entries),
            unconditional=None if nothing is None else int(nothing.tokens.shape[1]),
            limited=not any(entry.whole for entry in value.entries),
            masks=sum(entry.mask.numel() for entry in value.entries if entry.mask is not None),
        )

    @property
    def branches(self) -> int:
        """Most items that a network sees for each picture: what is said, and nothing where nothing is."""
        return self.entries + (self.limited and self.unconditional is not None)

    @property
    def longest(self) -> int:
        """Most tokens of these."""
        return max(self.length, self.unconditional or 0) if self.limited else self.length

    def __len__(self) -> int:
        return self.batch

    @property
    def own(self) -> int:
        """Its tokens and masks."""
        tokens = self.entries * self.batch * self.length + (self.unconditional or 0)
        return FLOAT32 * (self.width * tokens + self.masks)

    def __str__(self) -> str:
        count = "1 prompt" if self.batch == 1 else f"{self.batch} prompts"
        if self.entries > 1:
            count = f"{self.entries} entries for {count}"
        return f"{count} of at most {self.length} tokens"


@dataclass(frozen=True, kw_only=True)
class SigmasSpec(Spec):
    """A grid of noise levels. highest: the first one."""

    wire: ClassVar[str] = "nodes.Sigmas"

    steps: int
    highest: float = field(compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its values."""
        return cls(steps=len(value.values) - 1, highest=float(value.values[0]))

    def agrees(self, found: object) -> bool:
        """Rounding aside: the highest level is computed in another way here."""
        return (
            isinstance(found, SigmasSpec) and self == found and math.isclose(self.highest, found.highest, rel_tol=1e-9)
        )

    @property
    def own(self) -> int:
        """Its levels in float64."""
        return 8 * (self.steps + 1)

    def __str__(self) -> str:
        return f"{self.steps} step{'s' if self.steps != 1 else ''} from {self.highest:.4g} to 0"


@dataclass(frozen=True, kw_only=True)
class SamplerSpec(Spec):
    """A way down the grid. evaluations: of the guider, per step."""

    wire: ClassVar[str] = "nodes.Sampler"

    name: str
    evaluations: int = field(default=1, compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its class."""
        return cls(name=type(value).__name__)

    @property
    def own(self) -> int:
        """Its parameters."""
        return 100

    def __str__(self) -> str:
        return f"{self.name}, {self.evaluations} evaluation{'s' if self.evaluations != 1 else ''} a step"


@dataclass(frozen=True, kw_only=True)
class GuiderSpec(Spec):
    """Denoisers and conditionings as one function.

    batch: prompts; 1 fits any number of pictures. branches: items that the network sees per picture. length: tokens of
    each. keeps: the conditionings.
    """

    wire: ClassVar[str] = "nodes.Guider"

    denoiser: DenoiserSpec
    batch: int
    branches: int
    length: int
    keeps: tuple[Spec, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From classifier-free guidance."""
        shared = value.negative is not None and value.negative.entries[0].encoding is value.positive.unconditional
        sides = [value.positive] if value.scale != 0.0 else []
        sides += [value.negative] if value.scale != 1.0 else []
        branches, length = evaluated([ConditioningSpec.of(each) for each in sides], shared=shared)
        return cls(denoiser=DenoiserSpec.of(value.denoiser), batch=value.batch, branches=branches, length=length)

    @property
    def own(self) -> int:
        """Nothing of its own."""
        return 0

    @property
    def parts(self) -> tuple[Spec, ...]:
        """The model and the conditionings."""
        return (self.denoiser, *self.keeps)

    def __str__(self) -> str:
        per = "1 evaluation" if self.branches == 1 else f"{self.branches} evaluations"
        return f"{per} of the model per picture and step, in {self.denoiser.space.name!r}"


def evaluated(sides: Sequence[ConditioningSpec], *, shared: bool) -> tuple[int, int]:
    """How many items a network sees at most for each picture, and of how many tokens, to evaluate some conditionings.

    shared: whether the last one is the encoding of nothing of the first, so that it is evaluated once for both.
    """
    twice = shared and len(sides) > 1 and sides[0].limited
    return sum(each.branches for each in sides) - twice, max(each.longest for each in sides)
