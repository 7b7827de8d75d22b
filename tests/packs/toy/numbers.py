"""Nodes on plain numbers and texts, which note every call in a file so that tests can count runs."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, Field

from nodegraph import Blocked, Context, InvalidInput, Lazy, PathOf, Seed, Slider, Workflow, node, wire

T = TypeVar("T")


@wire(portable=True, id="toy.Number")
@dataclass(frozen=True, kw_only=True)
class Number:
    """A number on a wire."""

    value: float


@wire(portable=True, id="toy.SmallNumber")
@dataclass(frozen=True, kw_only=True)
class SmallNumber(Number):
    """A number below ten."""


@wire(portable=False, id="toy.Machine")
@dataclass(frozen=True)
class Machine:
    """A resident value."""

    factor: float


class Rounding(Enum):
    """How to round."""

    UP = "up"
    DOWN = "down"


class Box(BaseModel):
    """A rectangle."""

    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)] = 1
    label: str = ""


class Split(NamedTuple):
    """Two parts."""

    whole: int
    rest: float


def _note(name: str) -> None:
    log = os.environ.get("TOY_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(name + "\n")


@node(category="toy")
def number(value: Annotated[float, Field(ge=-1000, le=1000), Slider(step=0.5)] = 0.0) -> Number:
    """Make a number.

    value: the number.
    """
    _note("number")
    return Number(value=value)


@node(category="toy")
def small_number(value: Annotated[int, Field(ge=0, lt=10)] = 1) -> SmallNumber:
    """Make a small number."""
    _note("small_number")
    return SmallNumber(value=float(value))


@node(category="toy")
def add(a: Number, b: Number) -> Number:
    """Add two numbers."""
    _note("add")
    return Number(value=a.value + b.value)


@node(category="toy")
def total(numbers: list[Number]) -> Number:
    """Add many numbers."""
    _note("total")
    return Number(value=sum(each.value for each in numbers))


@node(category="toy")
def split(number: Number) -> Split:
    """Divide a number into its whole part and the rest."""
    _note("split")
    return Split(int(number.value), number.value - int(number.value))


@node(category="toy")
def scaled(value: float, times: int = 1, mode: Literal["plain", "negated"] = "plain") -> float:
    """Multiply."""
    _note("scaled")
    return value * times * (-1 if mode == "negated" else 1)


@node(category="toy", output="text")
def join(texts: list[str], separator: str = ", ", last: str | None = None) -> str:
    """Join texts."""
    _note("join")
    return separator.join([*texts, *([last] if last is not None else [])])


@node(category="toy")
def first(items: list[T]) -> T:
    """The first of many."""
    return items[0]


@node(category="toy")
def either(a: T, b: T, take_a: bool = True) -> T:
    """One of two values of one type."""
    return a if take_a else b


@node(category="toy")
def rounded(number: Number, how: Rounding = Rounding.DOWN) -> int:
    """Round."""
    from math import ceil, floor

    return ceil(number.value) if how is Rounding.UP else floor(number.value)


@node(category="toy", output="area")
def area(box: Box, scale: int | float = 1) -> float:
    """Area of a box."""
    return float(box.width * box.height * scale)


@node(category="toy", output="text")
def read_text(file: Annotated[Path, PathOf("note")], seed: Seed = 0) -> str:
    """Read a file."""
    _note("read_text")
    return file.read_text("utf-8")


@node(category="toy")
def machine(factor: float = 2.0) -> Machine:
    """Make a machine."""
    _note("machine")
    return Machine(factor)


@node(category="toy")
def use_machine(machine: Machine, number: Number) -> Number:
    """Let a machine work."""
    _note("use_machine")
    return Number(value=machine.factor * number.value)


@node(category="toy", effect=True, output="file")
def write_number(number: Number, ctx: Context) -> Annotated[Path, PathOf("note")]:
    """Write a number into a file."""
    _note("write_number")
    path = ctx.output_file("number", ".txt")
    path.write_text(str(number.value), "utf-8")
    return path


@node(category="toy", effect=True, output="file")
def write_text(text: str, ctx: Context, name: str = "text") -> Annotated[Path, PathOf("note")]:
    """Write a text into a file."""
    _note("write_text")
    path = ctx.output_file(name, ".txt")
    path.write_text(text, "utf-8")
    return path


@node(category="toy", cache="never")
def process_id() -> int:
    """The id of this process."""
    _note("process_id")
    return os.getpid()


@node(category="toy")
def steps(number: Number, count: int = 5, wait: float = 0.0, *, ctx: Context) -> Number:
    """Take steps, reporting each."""
    _note("steps")
    for index in range(count):
        ctx.progress(index, count)
        _note("step")
        time.sleep(wait)
    ctx.progress(count, count)
    return number


_MEETING = threading.Barrier(2)
"""Two nodes that run at once get through it; one alone fails after a while."""


@node(category="toy", lane="io")
def meets(number: float) -> Number:
    """Wait for another node that waits."""
    _MEETING.wait(timeout=30)
    return Number(value=number)


@node(category="toy")
def meets_on_device(number: float) -> Number:
    """Wait for another node that waits."""
    _MEETING.wait(timeout=30)
    return Number(value=number)


@node(category="toy", lane="io")
def waits(number: float) -> float:
    """Give a number back, in a thread."""
    return number


@node(category="toy", lane="cpu")
def picture_like(number: float) -> Number:
    """Need no other device than the CPU."""
    return Number(value=number)


@node(category="toy", lane="cpu")
def meets_on_cpu(number: float) -> Number:
    """Wait for another node that waits."""
    _MEETING.wait(timeout=30)
    return Number(value=number)


@node(category="toy")
async def meets_async(number: float) -> Number:
    """Wait for another node that waits."""
    await asyncio.to_thread(_MEETING.wait, 30)
    return Number(value=number)


@node(category="toy")
async def sleeps_async(seconds: float) -> float:
    """Sleep."""
    await asyncio.sleep(seconds)
    return seconds


@node(category="toy/bad")
async def fails_async(number: float) -> Number:
    """Raise."""
    raise RuntimeError(f"cannot work with {number}")


@node(category="toy/bad")
def fails(number: Number) -> Number:
    """Raise."""
    raise RuntimeError(f"cannot work with {number.value}")


@node(category="toy/bad")
def refuses(number: Number) -> Number:
    """Refuse a value."""
    raise InvalidInput("number", number.value, "it is odd", "give an even one")


@node(category="toy/bad")
def lies(number: Number) -> Number:
    """Return something else than declared."""
    return str(number.value)  # type: ignore[return-value]


@node(category="toy/bad")
def leaves(number: Number) -> Number:
    """Exit the process."""
    raise SystemExit(3)


@node(category="toy/bad")
def mutates(numbers: list[int]) -> int:
    """Change what it was given."""
    numbers.append(0)
    return len(numbers)


@node(category="toy")
def lazy_pair(take_b: bool, a: Lazy[Number], b: Lazy[Number], c: Lazy[Number] | None = None) -> Number:
    """Ask for a, then perhaps for b, and for c only when a is above ten."""
    _note("lazy_pair")
    value = a().value + (b().value if take_b else 0)
    return Number(value=value + (c().value if c is not None and value > 10 else 0))


@node(category="toy")
def evens_only(number: Number) -> Number | Blocked:
    """Block odd numbers."""
    _note("evens_only")
    return Blocked(f"{number.value:g} is odd") if number.value % 2 else number


@node(category="toy")
def is_blocked(number: Number | Blocked) -> bool:
    """Whether nothing arrives."""
    return isinstance(number, Blocked)


@node(category="toy")
def added_often(number: Number, times: int = 2) -> Number | Workflow:
    """A chain of additions of a number to itself, as a workflow; no addition gives the number back."""
    _note("added_often")
    if times == 0:
        return number
    nodes: dict[str, Any] = {"sum": {"type": "add", "inputs": {}}}
    if times > 1:
        nodes["rest"] = {"type": "added_often", "inputs": {"number": {"from": "sum.number"}, "times": times - 1}}
    end = "rest" if times > 1 else "sum"
    return Workflow.from_document(
        {
            "format": "nodegraph/1",
            "nodes": nodes,
            "inputs": {"number": {"to": ["sum.a", "sum.b"]}},
            "outputs": {"number": {"from": f"{end}.number"}},
        }
    )


@node(category="toy")
def by_workflow(a: float, b: float, how: Literal["+", "-", "min", "max"] = "+") -> float | Workflow:
    """Calculate, by a workflow that does it; two numbers that are the same need none."""
    _note("by_workflow")
    if a == b and how in ("min", "max"):
        return a
    return Workflow.from_document(
        {
            "format": "nodegraph/1",
            "nodes": {
                "first": {"type": "graph", "graph": "calculation", "inputs": {"how": how}},
                "same": {"type": "scaled", "inputs": {"value": {"from": "first.value"}}},
            },
            "graphs": {
                "calculation": {
                    "nodes": {"calculate": {"type": "calculate", "inputs": {"how": "+"}}},
                    "inputs": {name: {"to": [f"calculate.{name}"]} for name in ("a", "b", "how")},
                    "outputs": {"value": {"from": "calculate.value"}},
                }
            },
            "inputs": {name: {"to": [f"first.{name}"]} for name in ("a", "b")},
            "outputs": {"value": {"from": "same.value"}},
        }
    )


@node(category="toy/bad")
def blocks_undeclared(number: Number) -> Number:
    """Block without saying so."""
    return Blocked("no reason")  # type: ignore[return-value]


@node(category="toy/bad")
def expands_for_ever(number: Number) -> Number | Workflow:
    """A workflow that holds this node again."""
    return Workflow.from_document(
        {
            "format": "nodegraph/1",
            "nodes": {"again": {"type": "expands_for_ever", "inputs": {}}},
            "inputs": {"number": {"to": ["again.number"]}},
            "outputs": {"number": {"from": "again.number"}},
        }
    )


@node(category="toy/bad")
def expands_badly(number: Number) -> Number | Workflow:
    """A workflow with two defects."""
    return Workflow.from_document(
        {"format": "nodegraph/1", "nodes": {"x": {"type": "ad", "inputs": {}}, "y": {"type": "add"}}}
    )


@node(category="toy/bad")
def prints(text: str) -> str:
    """Print."""
    print(text)
    return text


@node(category="toy/bad")
def forks(number: Number) -> Number:
    """Leave a child process behind that goes on as if it were the run."""
    os.fork()
    return number
