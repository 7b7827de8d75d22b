"""Sizes that must fit each other, and colours by name: checks that nodes share with their specs. Imports no torch."""

from __future__ import annotations

from typing import Protocol

from PIL import ImageColor

from nodegraph import InvalidInput


class Sized(Protocol):
    """What pictures, masks and the specs of both have in common."""

    def __len__(self) -> int:
        """Items of the batch."""

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""

    @property
    def width(self) -> int:
        """Pixels from left to right."""


def size_of(item: Sized) -> str:
    """Such as 512 x 256, the width first."""
    return f"{item.width} x {item.height}"


def check_same_size(name: str, item: Sized, other_name: str, other: Sized, remedy: str) -> None:
    """InvalidInput of the input `name` where it is not as wide and high as the other input."""
    if (item.width, item.height) != (other.width, other.height):
        raise InvalidInput(name, size_of(item), f"{other_name} has {size_of(other)} pixels", remedy)


def common_batch(**items: Sized | None) -> int:
    """The number of items of a result: all inputs have so many, or one that stands for all; None is passed over.

    Raises InvalidInput, naming the later of two inputs that do not fit each other.
    """
    counts = {name: len(item) for name, item in items.items() if item is not None}
    largest, owner = 1, ""
    for name, count in counts.items():
        if count == 1:
            continue
        if owner and count != largest:
            raise InvalidInput(
                name, f"{count} items", f"{owner} has {largest}", "give as many, or one that stands for all"
            )
        largest, owner = count, name
    return largest


def parse_colour(name: str, text: str) -> tuple[float, float, float, float]:
    """Red, green, blue and alpha in [0, 1] of a colour written as in CSS, such as #ff8000, #ff800080 or grey."""
    try:
        levels = ImageColor.getrgb(text)
    except ValueError as error:
        raise InvalidInput(name, text, "it is no colour", "write #rrggbb, #rrggbbaa, or a name such as grey") from error
    red, green, blue, *alpha = (level / 255.0 for level in levels)
    return red, green, blue, alpha[0] if alpha else 1.0


def channels_with(channels: int, colour: tuple[float, float, float, float]) -> int:
    """The channels of a picture that also shows a colour: 1, 3 or 4."""
    red, green, blue, alpha = colour
    return max(channels, 4 if alpha < 1.0 else 1 if red == green == blue else 3)
