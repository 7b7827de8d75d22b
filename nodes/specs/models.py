"""Models that are not loaded: what headers of files say of them, and what using them will cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Self

from nodegraph.spec import Spec

from ..models.configs import AutoencoderConfig, DiTConfig, LdmAutoencoderConfig, TextConfig, UNetConfig
from ..models.costs import Pass, decoder_pass, dit_pass, encoder_pass, text_pass
from ..models.ldm_autoencoder_costs import ldm_decoder_pass, ldm_encoder_pass
from ..models.unet_costs import unet_pass
from .latent import LatentSpaceSpec

BYTES_OF = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes per number of each dtype that models compute in."""

LatentPass = Callable[[int, int, int, int], Pass]
"""What one call of a denoiser costs: (batch, height, width, tokens of context)."""

PicturePass = Callable[[int, int, int], Pass]
"""What one call of an encoder or decoder costs: (batch, height, width) of what goes in."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """What all models have.

    family: for people. precision: the dtype that the weights have in memory. parameters: how many there are.
    """

    family: str = field(default="", compare=False)
    precision: str
    parameters: int

    @property
    def own(self) -> int:
        """Its weights."""
        return self.parameters * BYTES_OF[self.precision]

    @property
    def item(self) -> int:
        """Bytes of one number while it computes."""
        return BYTES_OF[self.precision]

    def _size(self) -> str:
        return f"{self.parameters / 1e6:.1f} million parameters in {self.precision}"


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """A noise schedule. levels: of every training step, ascending, where it has a table; else none."""

    sigma_min: float
    sigma_max: float
    levels: tuple[float, ...] = ()

    @classmethod
    def of(cls, value: Any) -> Self:
        """From a `NoiseSchedule`."""
        levels = value.levels.tolist() if hasattr(value, "levels") else ()
        return cls(sigma_min=value.sigma_min, sigma_max=value.sigma_max, levels=tuple(levels))

    def close_to(self, other: ScheduleSpec) -> bool:
        """The same but for rounding: tables are computed here in another way than by torch."""
        pairs = zip(
            (self.sigma_min, self.sigma_max, *self.levels),
            (other.sigma_min, other.sigma_max, *other.levels),
            strict=False,
        )
        return len(self.levels) == len(other.levels) and all(math.isclose(a, b, rel_tol=1e-9) for a, b in pairs)


@dataclass(frozen=True, kw_only=True)
class DenoiserSpec(ModelSpec):
    """A denoiser.

    multiple: latent sides must be multiples of it. prediction: what the network predicts, as checkpoints name it; empty
    where that is not known. cost: of one call. config: the shape of its network. beside: channels that patches give it
    beside the latent. shares: the handle whose weights it uses, where it has none of its own. keeps:
    what its patches hold.
    """

    wire: ClassVar[str] = "nodes.Denoiser"

    space: LatentSpaceSpec
    schedule: ScheduleSpec
    multiple: int = 1
    prediction: str = field(default="", compare=False)
    cost: LatentPass = field(compare=False)
    config: object = field(default=None, compare=False)
    beside: int = 0
    shares: DenoiserSpec | None = field(default=None, compare=False)
    keeps: tuple[Spec, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its network and schedule."""
        from ..parameterisations import name_of

        config = getattr(value.network, "config", None)
        cost: LatentPass = lambda *_: Pass()  # noqa: E731
        if isinstance(config, DiTConfig):
            cost = partial(dit_pass, config)
        elif isinstance(config, UNetConfig):
            cost = partial(unet_pass, config)
        return cls(
            precision=_precision(value.network),
            parameters=_count(value.network),
            space=LatentSpaceSpec.of(value.space),
            schedule=ScheduleSpec.of(value.schedule),
            multiple=value.multiple,
            prediction=name_of(value.parameterisation),
            cost=cost,
            config=config,
            beside=sum(patch.beside for patch in value.patches),
        )

    @property
    def lacking(self) -> int:
        """How many channels the network takes that neither the latent nor a patch gives."""
        taken: int = getattr(self.config, "in_channels", self.space.channels)
        return taken - self.space.channels - self.beside

    def agrees(self, found: object) -> bool:
        """Rounding of the levels aside."""
        if not isinstance(found, DenoiserSpec) or not self.schedule.close_to(found.schedule):
            return False
        return self == replace(found, schedule=self.schedule)

    @property
    def own(self) -> int:
        """Its weights, unless they are another's."""
        return super().own if self.shares is None else 0

    @property
    def parts(self) -> tuple[Spec, ...]:
        """Whose weights it uses, and what its patches hold."""
        return (*(() if self.shares is None else (self.shares,)), *self.keeps)

    def __str__(self) -> str:
        return f"denoiser in {self.space.name!r}, {self._size()}"


@dataclass(frozen=True, kw_only=True)
class TextEncoderSpec(ModelSpec):
    """A text encoder.

    width: of a token. length: most tokens of a prompt. tokens: how many tokens each of some texts gets. cost: of one
    call, of (batch, tokens).
    """

    wire: ClassVar[str] = "nodes.TextEncoder"

    width: int
    length: int
    tokens: Callable[[Sequence[str]], list[int]] = field(compare=False)
    cost: Callable[[int, int], Pass] = field(compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """What the encoder says of itself."""
        spec: Self = value.spec()
        return spec

    @classmethod
    def of_transformer(cls, value: Any) -> TextEncoderSpec:
        """Of an encoder whose `network` is a `TextTransformer`."""
        config: TextConfig = value.network.config

        def tokens(texts: Sequence[str]) -> list[int]:
            return [count - lost for count, lost in map(value.dropped, texts)]

        return TextEncoderSpec(
            precision=_precision(value.network),
            parameters=_count(value.network),
            width=config.width,
            length=config.length,
            tokens=tokens,
            cost=partial(text_pass, config),
        )

    def __str__(self) -> str:
        return f"text encoder for {self.length} tokens, {self._size()}"


@dataclass(frozen=True, kw_only=True)
class AutoencoderSpec(ModelSpec):
    """An autoencoder. encode, decode: what one call costs."""

    wire: ClassVar[str] = "nodes.Autoencoder"

    space: LatentSpaceSpec
    encode: PicturePass = field(compare=False)
    decode: PicturePass = field(compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its network."""
        encode, decode = _picture_passes(value.network.config)
        return cls(
            precision=_precision(value.network),
            parameters=_count(value.network),
            space=LatentSpaceSpec.of(value.space),
            encode=encode,
            decode=decode,
        )

    def __str__(self) -> str:
        return f"autoencoder of {self.space.name!r}, {self._size()}"


def _picture_passes(config: AutoencoderConfig | LdmAutoencoderConfig) -> tuple[PicturePass, PicturePass]:
    """Costs of the encoder and the decoder of that shape."""
    if isinstance(config, LdmAutoencoderConfig):
        return partial(ldm_encoder_pass, config), partial(ldm_decoder_pass, config)
    return partial(encoder_pass, config), partial(decoder_pass, config)


def _count(network: Any) -> int:
    return sum(each.numel() for each in network.parameters())


def _precision(network: Any) -> str:
    first = next(network.parameters(), None)
    return "float32" if first is None else str(first.dtype).removeprefix("torch.")
