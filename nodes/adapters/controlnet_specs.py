"""What ControlNets will give and cost, and the checks that their nodes share with their specs. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, SpecContext, Unknown

from ..checkpoints.families.stable_diffusion import version
from ..checkpoints.specs import facts, loading
from ..models.configs import UNetConfig
from ..models.costs import Pass
from ..models.unet_costs import controlnet_pass, hint_pass
from ..models.unet_shapes import controlnet_shapes
from ..specs.image import ImageSpec
from ..specs.models import DenoiserSpec, LatentPass, ModelSpec
from .controlnet_files import read_controlnet_file
from .specs import check_unet

Fit = Literal["crop", "stretch", "exact"]
Weighting = Literal["even", "soft"]


@dataclass(frozen=True, kw_only=True)
class ControlNetSpec(ModelSpec):
    """A ControlNet that is not loaded. config: of the UNet that it is for."""

    wire: ClassVar[str] = "nodes.ControlNet"

    config: UNetConfig = field(compare=False)

    @classmethod
    def of(cls, value: Any) -> Self:
        """From its network."""
        config: UNetConfig = value.network.config
        precision = str(next(value.network.parameters()).dtype).removeprefix("torch.")
        return cls(precision=precision, parameters=_parameters(config), config=config)

    def __str__(self) -> str:
        return f"ControlNet for {version(self.config)}, {self._size()}"


def load_controlnet(controlnet: Path, ctx: SpecContext) -> Predicted:
    """The network in the file."""
    file = read_controlnet_file(controlnet)
    family = f"ControlNet for {version(file.config)}"
    spec = ControlNetSpec(
        family=family, precision=ctx.precision, parameters=_parameters(file.config), config=file.config
    )
    header = file.header
    return Predicted({"controlnet": spec}, loading(header), (facts("controlnet", header, family),))


def controlnet_from_denoiser(denoiser: DenoiserSpec, seed: int | Unknown) -> Predicted:
    """A copy of the encoder, and new convolutions."""
    config = check_source(denoiser.config)
    family = f"ControlNet for {version(config)}"
    spec = ControlNetSpec(family=family, precision=denoiser.precision, parameters=_parameters(config), config=config)
    return Predicted({"controlnet": spec})


def apply_controlnet(
    denoiser: DenoiserSpec,
    controlnet: ControlNetSpec,
    hint: ImageSpec,
    strength: float,
    start: float,
    end: float,
    fit: str | Unknown,
    weighting: str | Unknown,
) -> Predicted:
    """The same model; each call costs one of the ControlNet more in its part of the steps, here counted in all."""
    check_fit(denoiser.config, controlnet.config)
    check_part(start, end)
    if strength == 0.0:
        return Predicted({"denoiser": denoiser})
    cost = partial(controlled_pass, denoiser.cost, controlnet.config, end - start)
    given = replace(denoiser, shares=denoiser, cost=cost, keeps=(controlnet, hint))
    once = hint_pass(controlnet.config, hint.batch, hint.height, hint.width)
    return Predicted({"denoiser": given}, Cost(work=once.work))


def controlled_pass(
    base: LatentPass, config: UNetConfig, part: float, batch: int, height: int, width: int, length: int
) -> Pass:
    """A UNet's pass with that of a ControlNet in it. part: of the calls in which it takes part."""
    first, beside = base(batch, height, width, length), controlnet_pass(config, batch, height, width, length)
    return Pass(
        work=first.work + part * beside.work,
        elements=max(first.elements, beside.elements),
        kept=first.kept + beside.kept,
    )


def check_source(config: object) -> UNetConfig:
    """The shape of a UNet that a ControlNet can begin as a copy of; InvalidInput where there is none."""
    found = check_unet(config)
    if found.in_channels != found.out_channels:
        raise InvalidInput(
            "denoiser", version(found), f"its UNet is given {found.in_channels} channels, a ControlNet only the latent",
            "use the model that takes no mask beside the latent",
        )  # fmt: skip
    return found


def check_fit(denoiser: object, control: UNetConfig) -> None:
    """InvalidInput where a ControlNet is for another model than this."""
    unet = check_unet(denoiser)
    if _joints(unet) != _joints(control) or control.in_channels != unet.out_channels:
        ours, theirs = version(unet), version(control)
        same = "" if ours != theirs else " of another shape"
        raise InvalidInput(
            "controlnet", theirs, f"it is for {theirs}{same}, the model is {ours}", "use a ControlNet for this model"
        )


def check_part(start: float, end: float) -> None:
    """InvalidInput where the steps in which a ControlNet takes part end before they begin."""
    if start >= end:
        raise InvalidInput("end", end, f"it starts at {start:g}", "let it end later, or set strength to 0 for none")


def check_size(width: int, height: int, wanted: tuple[int, int]) -> None:
    """InvalidInput where a hint is not of the picture's size. wanted: width and height."""
    if (width, height) != wanted:
        raise InvalidInput(
            "hint", f"{width} x {height}", f"the picture will be {wanted[0]} x {wanted[1]} pixels",
            "make the hint of that size, or let fit be crop or stretch",
        )  # fmt: skip


def check_hints(hints: int, batch: int) -> None:
    """InvalidInput where a batch cannot be shared out among the hints."""
    if batch % hints:
        raise InvalidInput(
            "hint", f"{hints} pictures", f"the model is called with a batch of {batch}",
            "give one hint for all pictures, or one for each",
        )  # fmt: skip


def _joints(config: UNetConfig) -> tuple[object, ...]:
    """What must be equal for outputs to fit: widths of the skips, and what both are told."""
    return (config.channels, config.multipliers, config.res_blocks, config.context_width, config.vector_width)


def _parameters(config: UNetConfig) -> int:
    return sum(math.prod(shape) for shape in controlnet_shapes(config).values())
