"""Specs: what can be said of a value before there is one, and of a node's work before it runs. Imports nothing heavy.

A node's spec function takes what is known of the inputs and gives what is known of the outputs. The engine knows no
kind of value; packs bring a `Spec` for each of theirs.
"""

from __future__ import annotations

import sys
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands for what only the run will tell. depends_on: the output that decides it, as "node.output"."""

    depends_on: str

    def __str__(self) -> str:
        return f"depends on {self.depends_on}"


class Spec(ABC):
    """What is known of a value of one wire class. Frozen dataclasses derive from it; `str` says it in a few words.

    Two specs are one value in memory when they are the same object, so a spec function that passes a value on returns
    the spec it was given.

    wire: the id of the wire class, such as "nodes.Image".
    """

    wire: ClassVar[str]

    @classmethod
    @abstractmethod
    def of(cls, value: Any) -> Self:
        """The spec of a value that is there; fields that cannot be read off it take no part in comparisons."""

    @property
    @abstractmethod
    def own(self) -> int:
        """Bytes that the value holds, without those of `parts`."""

    @property
    def parts(self) -> tuple[Spec, ...]:
        """The values that it keeps alive, which others may hold too."""
        return ()

    def agrees(self, found: object) -> bool:
        """Whether what came out, as `of` sees it, is what this spec predicted."""
        return self == found

    @property
    def held(self) -> int:
        """Bytes that the value holds, parts included."""
        return held_by([self])


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What running a node takes.

    working: bytes needed at the worst moment beside the inputs and the outputs. work: floating-point operations, a
    multiplication and its addition being two. seconds: what takes its time on any machine, such as waiting.
    """

    working: int = 0
    work: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """What the header of a model's file says.

    input: the input that names the file. family: what kind of model it is. precision: the dtype of most weights.
    parameters: how many weights. bytes: of the weights in the file.
    """

    input: str
    family: str
    precision: str
    parameters: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a spec function returns.

    outputs: by name a spec, a plain value where it is known already, or an `Unknown` that was given; what is left out
    is known when the node has run. models: what was found in files. asks: the lazy inputs that the node will ask for
    (of a list `name[index]`); None while that is not known.
    """

    outputs: Mapping[str, object] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)
    models: tuple[ModelFacts, ...] = ()
    asks: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecContext:
    """Where the run will compute. device, precision: as in `Context`. threads: of one CPU operation."""

    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1


SpecFunction = Callable[..., Predicted]


def held_by(values: Iterable[object]) -> int:
    """Bytes that values hold together, each spec and part once."""
    return sum(sizes_of(values).values())


def sizes_of(values: Iterable[object]) -> dict[int, int]:
    """The bytes of every spec and part among `values` by its identity; plain values count as Python holds them."""
    sizes: dict[int, int] = {}
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if id(value) in sizes or isinstance(value, Unknown):
            continue
        if isinstance(value, Spec):
            sizes[id(value)] = value.own
            waiting += value.parts
        else:
            sizes[id(value)] = sys.getsizeof(value)
            if isinstance(value, Mapping):
                waiting += value.values()
            elif isinstance(value, list | tuple):
                waiting += value
    return sizes


def annotations_of(function: SpecFunction) -> dict[str, Any]:
    """The annotations of a spec function's parameters.

    Raises NameError, TypeError, SyntaxError or AttributeError where they cannot be resolved.
    """
    return {name: each for name, each in typing.get_type_hints(function).items() if name != "return"}


def admits_unknown(annotation: object) -> bool:
    """Whether a spec function takes `Unknown` for a parameter; for the others it is not called with one."""
    return annotation in (Unknown, object, Any) or any(map(admits_unknown, typing.get_args(annotation)))


def has_unknown(value: object) -> Unknown | None:
    """The first `Unknown` in a value or a list of values."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, list | tuple):
        return next((found for each in value if (found := has_unknown(each))), None)
    return None


def spec_classes(annotation: object) -> list[type[Spec]]:
    """The spec classes that occur in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return [annotation]
    return [found for each in typing.get_args(annotation) for found in spec_classes(each)]
