"""Looking into any value: what wire types tell of themselves, and what is told of all others. Nothing told is large."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, JsonValue

from .flow import Blocked
from .glimpse import Chart, Glimpse, Glimpsed, Number, Pictured
from .wire import wire_class

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_TEXT = 10_000
MOST_LINE = 300
MOST_ITEMS = 100
MOST_POINTS = 500
MOST_CHARTS = 8
DEEPEST = 6


def glimpse_of(value: object) -> Glimpse:
    """What is told of a value."""
    return bounded(_glimpse(value))


def picture_of(value: object, item: int) -> Image | None:
    """One of a value's pictures, counted from 0; None where it has none of that number."""
    if isinstance(value, list | tuple):
        for each in value[:MOST_ITEMS]:
            count = _glimpse(each).pictures
            if item < count:
                return picture_of(each, item)
            item -= count
        return None
    shown = shower_of(value)
    if not isinstance(shown, Pictured) or not 0 <= item < _glimpse(value).pictures:
        return None
    return shown.picture(item)


def shower_of(value: object) -> object:
    """What shows a value: itself, or what its wire class names."""
    if isinstance(value, Glimpsed | Pictured):
        return value
    for each in type(value).__mro__:
        if (note := wire_class(each)) is not None and note.shown:
            module, _, name = note.shown.partition(":")
            return getattr(import_module(module), name)(value)
    return value


def _glimpse(value: object) -> Glimpse:
    match value:
        case Blocked(reason=reason):
            return Glimpse(type="Blocked", text=f"there is no value: {reason}")
        case None:
            return Glimpse(type="None", text="nothing")
        case enum.Enum():
            return Glimpse(type=type(value).__name__, text=str(value.value), value=plain(value.value))
        case bool() | int() | float():
            return Glimpse(type=type(value).__name__, text=str(value), value=plain(value))
        case str():
            lines = value.count("\n") + 1
            numbers: dict[str, Number] = {"characters": len(value), "lines": lines}
            return Glimpse(type="str", text=value.partition("\n")[0], numbers=numbers, value=plain(value))
        case Path():
            return Glimpse(type="Path", text=str(value), value=str(value))
        case list() | tuple():
            return _of_list(value)
        case dict():
            return _of_map(value)
    shown = shower_of(value)
    return shown.glimpse() if isinstance(shown, Glimpsed) else bare(value)


def bare(value: object) -> Glimpse:
    """What is told of a value that tells nothing of itself."""
    if isinstance(value, BaseModel):
        return Glimpse(type=type(value).__name__, text=str(value), value=plain(value.model_dump(mode="json")))
    return Glimpse(type=type(value).__name__, text=f"a {type(value).__name__}")


def _of_list(value: Sequence[object]) -> Glimpse:
    found = [_glimpse(each) for each in value[:MOST_ITEMS]]
    kinds = " or ".join(dict.fromkeys(each.type for each in found))
    text = f"{len(value)} x {kinds}" if found else "an empty list"
    if found:
        text += ": " + "; ".join(each.text for each in found[:5]) + ("; ..." if len(value) > 5 else "")
    numbers: dict[str, Number] = {"items": len(value)}
    charts = []
    plain_numbers = [each for each in value if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(value) > 1 and len(plain_numbers) == len(value):
        numbers |= {"min": min(plain_numbers), "max": max(plain_numbers)}
        charts = [Chart(title="Values", y=list(map(float, plain_numbers)), x_title="item")]
    pictures = sum(each.pictures for each in found)
    return Glimpse(
        type=f"list of {kinds}" if kinds else "list",
        text=text,
        pictures=pictures,
        numbers=numbers,
        charts=charts,
        value=plain(value),
    )


def _of_map(value: Mapping[str, object]) -> Glimpse:
    found = {str(name): _glimpse(each) for name, each in list(value.items())[:MOST_ITEMS]}
    numbers: dict[str, Number] = {"items": len(value)}
    numbers |= {name: each for name, each in value.items() if isinstance(each, int | float)}
    text = "; ".join(f"{name}: {each.text}" for name, each in list(found.items())[:5])
    return Glimpse(type="map", text=text or "an empty map", numbers=numbers, value=plain(value))


def plain(value: object, depth: int = 0) -> JsonValue:
    """A value as JSON, cut where it is long; wire types by their names."""
    match value:
        case enum.Enum():
            return plain(value.value, depth)
        case None | bool():
            return value
        case int():
            return value if abs(value) < 2**53 else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return value if len(value) <= MOST_TEXT else value[:MOST_TEXT] + "..."
        case list() | tuple() if depth < DEEPEST:
            return [plain(each, depth + 1) for each in value[: MOST_ITEMS >> depth]]
        case dict() if depth < DEEPEST:
            return {str(name)[:MOST_LINE]: plain(each, depth + 1) for name, each in _first(value, MOST_ITEMS >> depth)}
    return f"<{type(value).__name__}>"


def _first(value: Mapping[Any, object], count: int) -> Iterator[tuple[Any, object]]:
    for index, each in enumerate(value.items()):
        if index >= count:
            return
        yield each


def bounded(glimpse: Glimpse) -> Glimpse:
    """The same, cut where it is large; numbers that JSON does not have are told as texts."""
    value = plain(glimpse.value)
    while value is not None and len(_text(value)) > 4 * MOST_TEXT:
        value = value[: len(value) // 2] if isinstance(value, list | str) and len(value) > 1 else None
    return glimpse.model_copy(
        update={
            "type": glimpse.type[:MOST_LINE],
            "text": cut(glimpse.text),
            "numbers": {cut(name): _number(each) for name, each in list(glimpse.numbers.items())[:MOST_ITEMS]},
            "charts": [thinned(each) for each in glimpse.charts[:MOST_CHARTS]],
            "value": value,
        }
    )


def cut(text: str, most: int = MOST_LINE) -> str:
    """A line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def thinned(chart: Chart) -> Chart:
    """A chart of fewer points, all of which can be drawn."""
    x = chart.x if chart.x is not None else list(map(float, range(len(chart.y))))
    points = [(a, b) for a, b in zip(x, chart.y, strict=False) if math.isfinite(a) and math.isfinite(b)]
    if len(points) > MOST_POINTS:
        last = len(points) - 1
        points = [points[round(index * last / (MOST_POINTS - 1))] for index in range(MOST_POINTS)]
    counted = chart.x is None and len(points) == len(chart.y)
    return chart.model_copy(update={"x": None if counted else [a for a, _ in points], "y": [b for _, b in points]})


def _number(value: Number) -> Number:
    found = plain(value)
    return cut(found) if isinstance(found, str) else found if isinstance(found, int | float) else str(found)


def _text(value: JsonValue) -> str:
    import json

    return json.dumps(value)
