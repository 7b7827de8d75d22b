"""What a value shows of itself: a line, numbers, charts and pictures, for people who look into a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, JsonValue

if TYPE_CHECKING:
    from PIL.Image import Image

Number: TypeAlias = float | int | str
"""As it is to be read: a text also for what JSON has no number for, such as infinity."""


class Chart(BaseModel):
    """A curve. x: where each point is; None counts them from 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    y: list[float]
    x: list[float] | None = None
    x_title: str = ""
    y_title: str = ""


class Glimpse(BaseModel):
    """What is told of a value. Small, whatever the value is.

    type: what it is, such as "Image". text: one line. pictures: how many items can be shown as pictures. numbers: by
    what they mean. value: a plain value itself, cut where it is long.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    text: str
    pictures: int = 0
    numbers: dict[str, Number] = Field(default_factory=dict)
    charts: list[Chart] = Field(default_factory=list)
    value: JsonValue = None


@runtime_checkable
class Glimpsed(Protocol):
    """A value that tells of itself; wire classes may."""

    def glimpse(self) -> Glimpse:
        """What is told of it."""


@runtime_checkable
class Pictured(Protocol):
    """A value that shows itself; wire classes may, and what a node gives to `Context.preview`."""

    def picture(self, item: int) -> Image:
        """One of its items, from 0, as a picture."""
