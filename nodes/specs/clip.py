"""CLIP text encoders that are not loaded. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

from nodegraph.spec import Spec

from ..conditioning.clip_tokens import ClipTokenizer
from ..conditioning.prompts import Weighting, chunks
from ..models.configs import CLIP_END, ClipTextConfig
from ..models.costs import Pass, clip_text_parameters, clip_text_pass
from .models import BYTES_OF, TextEncoderSpec

BATCH = 32
"""Chunks that go through a network at once."""


@dataclass(frozen=True, kw_only=True)
class ClipTowerSpec:
    """A tower, with the fields of `nodes.conditioning.clip.ClipTower`."""

    config: ClipTextConfig
    pad: int = CLIP_END
    layer: int = 1
    final_norm: bool = True
    absent: int = 0


@dataclass(frozen=True, kw_only=True)
class ClipTextEncoderSpec(TextEncoderSpec):
    """A CLIP text encoder; make it with `made`.

    towers: what it consists of. weighting: what weights in prompts do. learned: the words that stand for vectors in
    lower case, and for how many. shares: the encoder whose weights it uses, where it was derived from one.
    extra: bytes of vectors that it adds to these.
    """

    towers: tuple[ClipTowerSpec, ...]
    weighting: Weighting = "comfyui"
    learned: Mapping[str, int]
    shares: Spec | None = field(default=None, compare=False)
    extra: int = field(default=0, compare=False)

    @classmethod
    def made(
        cls,
        towers: tuple[ClipTowerSpec, ...],
        precision: str,
        *,
        weighting: Weighting = "comfyui",
        learned: Mapping[str, int] | None = None,
        family: str = "",
        shares: Spec | None = None,
        extra: int = 0,
    ) -> Self:
        """From what cannot be derived."""
        words = dict(learned or {})
        return cls(
            family=family,
            precision=precision,
            parameters=sum(clip_text_parameters(tower.config) for tower in towers),
            width=sum(tower.config.width for tower in towers),
            length=towers[0].config.length,
            tokens=_counter(towers[0].config.length, words),
            cost=partial(_cost, tuple(tower.config for tower in towers)),
            towers=towers,
            weighting=weighting,
            learned=words,
            shares=shares,
            extra=extra,
        )

    def derived(
        self,
        *,
        towers: tuple[ClipTowerSpec, ...] | None = None,
        weighting: Weighting | None = None,
        learned: Mapping[str, int] | None = None,
        extra: int = 0,
    ) -> ClipTextEncoderSpec:
        """Another encoder with the same weights."""
        return ClipTextEncoderSpec.made(
            towers or self.towers,
            self.precision,
            weighting=weighting or self.weighting,
            learned={**self.learned, **(learned or {})},
            family=self.family,
            shares=self.shares or self,
            extra=extra + (self.extra if self.shares else 0),
        )

    @property
    def own(self) -> int:
        """Its weights, unless another has them."""
        return self.extra + (0 if self.shares else self.parameters * BYTES_OF[self.precision])

    @property
    def parts(self) -> tuple[Spec, ...]:
        """The encoder whose weights it uses."""
        return (self.shares,) if self.shares else ()

    def __str__(self) -> str:
        return f"CLIP text encoder ({len(self.towers)} towers, chunks of {self.length} tokens), {self._size()}"


def _counter(length: int, learned: Mapping[str, int]) -> Callable[[Sequence[str]], list[int]]:
    """How many tokens each of some texts gets: whole chunks."""
    tokenizer = ClipTokenizer()
    return lambda texts: [length * len(chunks(text, tokenizer, learned)) for text in texts]


def _cost(configs: tuple[ClipTextConfig, ...], batch: int, length: int) -> Pass:
    """All towers, one after the other, on all chunks and the empty one, in batches."""
    count = batch * max(1, length // configs[0].length) + 1
    passes = [clip_text_pass(config, count) for config in configs]
    once = [clip_text_pass(config, min(count, BATCH)) for config in configs]
    return Pass(
        work=sum(each.work for each in passes),
        elements=max(each.elements for each in once),
        kept=sum(each.kept for each in passes),
    )


def tower_of(value: Any) -> ClipTowerSpec:
    """From a `ClipTower`."""
    return ClipTowerSpec(
        config=value.network.config,
        pad=value.pad,
        layer=value.layer,
        final_norm=value.final_norm,
        absent=value.absent,
    )


def with_layer(towers: tuple[ClipTowerSpec, ...], layers: int) -> tuple[ClipTowerSpec, ...]:
    """The towers, giving the `layers`-th layer from the end."""
    return tuple(replace(tower, layer=layers) for tower in towers)
