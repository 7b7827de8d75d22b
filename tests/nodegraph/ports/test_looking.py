"""What is told of values: plain ones, those that tell of themselves, and never more than a little."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import BaseModel

from nodegraph.ports.flow import Blocked
from nodegraph.ports.glimpse import Chart, Glimpse
from nodegraph.ports.looking import MOST_POINTS, glimpse_of, picture_of
from nodegraph.ports.wire import wire


class Colour(enum.Enum):
    RED = "red"


class Point(BaseModel):
    x: int


@wire(portable=True, id="test.Pair", shown=f"{__name__}:PairShown")
@dataclass(frozen=True)
class Pair:
    count: int


class Twin(Pair):
    """Of a wire class, as methods derive from theirs."""


class PairShown:
    def __init__(self, value: Pair) -> None:
        self.value = value

    def glimpse(self) -> Glimpse:
        return Glimpse(type="Pair", text="two", pictures=self.value.count)

    def picture(self, item: int) -> Image.Image:
        return Image.new("L", (item + 1, 1))


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (3, "int", "3"),
        (True, "bool", "True"),
        (2.5, "float", "2.5"),
        ("one\ntwo", "str", "one"),
        (None, "None", "nothing"),
        (Colour.RED, "Colour", "red"),
        (Path("a/b.png"), "Path", "a/b.png"),
        (Blocked("off"), "Blocked", "there is no value: off"),
        ([1, 2, 3], "list of int", "3 x int: 1; 2; 3"),
        ([], "list", "an empty list"),
        ({"a": 1.5, "b": "x"}, "map", "a: 1.5; b: x"),
        (Point(x=1), "Point", "x=1"),
        (Pair(2), "Pair", "two"),
        (Twin(1), "Pair", "two"),
        (object(), "object", "a object"),
    ],
)
def test_values_are_told(value: object, kind: str, text: str) -> None:
    found = glimpse_of(value)
    assert (found.type, found.text) == (kind, text)
    assert Glimpse.model_validate_json(found.model_dump_json()) == found


def test_the_pictures_of_a_list_are_those_of_its_items() -> None:
    value = [Pair(2), 5, Pair(0), Pair(1)]
    assert glimpse_of(value).pictures == 3
    assert [found.width for item in range(3) if (found := picture_of(value, item))] == [1, 2, 1]
    assert picture_of(value, 3) is None
    assert picture_of(Pair(2), 2) is None
    assert picture_of(Pair(2), -1) is None
    assert picture_of(3, 0) is None


def test_numbers_of_a_list_make_a_chart() -> None:
    found = glimpse_of([1, 3.5, 2])
    assert found.charts[0].y == [1.0, 3.5, 2.0]
    assert (found.numbers["min"], found.numbers["max"]) == (1, 3.5)


def test_what_json_has_no_number_for_is_told_as_text() -> None:
    @wire(portable=True, id="test.Wild")
    @dataclass(frozen=True)
    class Wild:
        def glimpse(self) -> Glimpse:
            chart = Chart(title="c", y=[1.0, math.nan, math.inf, 2.0])
            return Glimpse(type="Wild", text="w" * 10_000, numbers={"a": math.inf, "b": 2}, charts=[chart] * 100)

    found = glimpse_of(Wild())
    assert found.numbers == {"a": "inf", "b": 2}
    assert (found.charts[0].x, found.charts[0].y) == ([0.0, 3.0], [1.0, 2.0])
    assert len(found.text) <= 300
    assert len(found.charts) <= 8


def test_a_long_curve_keeps_its_ends() -> None:
    found = glimpse_of([float(each) for each in range(100_000)]).charts[0]
    assert len(found.y) == MOST_POINTS
    assert (found.y[0], found.y[-1]) == (0.0, 99_999.0)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50_000),
        lambda inner: st.lists(inner, max_size=300) | st.dictionaries(st.text(max_size=1000), inner, max_size=300),
        max_leaves=300,
    )
)
def test_whatever_it_is_little_is_told(value: Any) -> None:
    told = glimpse_of(value).model_dump_json()
    assert len(told) < 500_000
    assert Glimpse.model_validate_json(told) == glimpse_of(value)
