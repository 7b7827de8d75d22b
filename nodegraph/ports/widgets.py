"""How a value is entered by hand: the widgets that an annotation may ask for, as data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_SEED = 2**53 - 1
"""The largest integer that survives a round trip through a browser's JSON."""


class _Widget(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Slider(_Widget):
    """A number on a slider that moves in steps; the range comes from the field's limits."""

    kind: Literal["slider"] = "slider"
    step: float = 1.0


class Multiline(_Widget):
    """A text over several lines, such as a prompt."""

    kind: Literal["multiline"] = "multiline"
    rows: int = 4


class SeedWidget(_Widget):
    """A seed: fixed, random or counting up."""

    kind: Literal["seed"] = "seed"


Widget = Annotated[Slider | Multiline | SeedWidget, Field(discriminator="kind")]

Seed = Annotated[int, Field(ge=0, le=MAX_SEED), SeedWidget()]
"""An integer in 0..2**53-1 from which noise is drawn."""


class PathOf:
    """Marks `Annotated[Path, PathOf("checkpoint")]`: a file of a kind, named relative to the folders of that kind."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"PathOf({self.kind!r})"
