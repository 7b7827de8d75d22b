"""The language of prompts, and how they are cut into chunks: pure functions. Imports no torch.

`(word)` weighs 1.1, `(word:1.3)` 1.3, `[word]` 1 / 1.1; brackets nest and multiply. A backslash before a bracket or a
backslash makes it text. `BREAK` begins a new chunk. Brackets without a partner are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .clip_tokens import ClipTokenizer

Weighting = Literal["comfyui", "a1111", "none"]
"""What weights do. comfyui: z = empty + w (z - empty), where empty is what the empty prompt has at that position.
a1111: z = w z, then the chunk is scaled so that its mean is what it was. none: nothing.
"""

CHUNK = 75
"""Tokens of a chunk between its start and its end token."""

WHOLE = 8
"""Words of fewer tokens are not cut by the end of a chunk."""

STEP = 1.1
MOST_WEIGHT = 100.0
"""Weights are kept within plus and minus this."""

_MARK = re.compile(r"\\[()\[\]\\]|[(\[\]]|(?::\s*(?P<weight>[+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*)?\)")
_BREAK = re.compile(r"(?<!\w)BREAK(?!\w)")


class Span(NamedTuple):
    """Text of one weight."""

    text: str
    weight: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """A prompt that was read. sections: spans between BREAKs. unmatched: positions of brackets without a partner."""

    sections: tuple[tuple[Span, ...], ...]
    unmatched: tuple[int, ...]


class Vector(NamedTuple):
    """One of the vectors that a learned word stands for."""

    word: str
    row: int


Slot = int | Vector
"""What stands at a position of a chunk: the id of a token, or a vector."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """At most 75 slots with their weights; start, end and padding are not among them."""

    slots: tuple[Slot, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def weighted(self) -> bool:
        """Whether any weight is other than 1."""
        return any(weight != 1.0 for weight in self.weights)


EMPTY = Chunk()


def parse(text: str) -> Prompt:
    """Read a prompt, in time that grows as its length."""
    marks = list(_MARK.finditer(text))
    opening, closing, unmatched = _match_brackets(marks)
    spans: list[Span] = []
    weights, literal, reached = [1.0], list[str](), 0
    for mark in marks:
        literal.append(text[reached : mark.start()])
        reached = mark.end()
        if mark.start() in opening or mark.start() in closing:
            spans.append(Span("".join(literal), weights[-1]))
            literal = []
        if mark.start() in opening:
            weight = weights[-1] * opening[mark.start()]
            weights.append(min(max(weight, -MOST_WEIGHT), MOST_WEIGHT))
        elif mark.start() in closing:
            weights.pop()
        else:
            literal.append(mark[0].removeprefix("\\"))
    spans.append(Span("".join([*literal, text[reached:]]), weights[-1]))
    return Prompt(sections=_sections(spans), unmatched=unmatched)


def _match_brackets(marks: Iterable[re.Match[str]]) -> tuple[dict[int, float], set[int], tuple[int, ...]]:
    """The factors of opening brackets and the closing ones, by where they begin in the text; and those without partner.

    A closing bracket belongs to the last opening one of its kind; what is open between them has no partner.
    """
    opening: dict[int, float] = {}
    closing: set[int] = set()
    unmatched: list[int] = []
    waiting: list[tuple[str, int]] = []
    counts = {"(": 0, "[": 0}
    for mark in marks:
        sign = mark[0][-1]
        if mark[0].startswith("\\"):
            continue
        if sign in counts:
            waiting.append((sign, mark.start()))
            counts[sign] += 1
            continue
        partner = "(" if sign == ")" else "["
        if not counts[partner]:
            unmatched.append(mark.end() - 1)
            continue
        while waiting[-1][0] != partner:
            other, place = waiting.pop()
            counts[other] -= 1
            unmatched.append(place)
        _, place = waiting.pop()
        counts[partner] -= 1
        closing.add(mark.start())
        opening[place] = 1.0 / STEP if sign == "]" else float(mark["weight"] or STEP)
    unmatched += [place for _, place in waiting]
    return opening, closing, tuple(sorted(unmatched))


def _sections(spans: Iterable[Span]) -> tuple[tuple[Span, ...], ...]:
    """Spans cut at every BREAK, without those that are blank; nothing after the last BREAK is no section."""
    sections: list[list[Span]] = [[]]
    for text, weight in spans:
        for index, part in enumerate(_BREAK.split(text)):
            if index:
                sections.append([])
            if part.strip(" \t\r\n"):
                sections[-1].append(Span(part, weight))
    if len(sections) > 1 and not sections[-1]:
        sections.pop()
    return tuple(map(tuple, sections))


def chunks(text: str, tokenizer: ClipTokenizer, learned: Mapping[str, int]) -> tuple[Chunk, ...]:
    """A prompt as at least one chunk.

    learned: how many vectors each learned word (in lower case) stands for. A section fills chunk after chunk; a word
    that the rest of a chunk cannot hold goes to the next one, unless it has 8 tokens or more.
    """
    finder = Finder.of(learned)
    found: list[Chunk] = []
    for section in parse(text).sections:
        slots, weights = list[Slot](), list[float]()
        words = ((word, weight) for part, weight in section for word in _words(part, tokenizer, finder, learned))
        for word, weight in words:
            while word:
                room = CHUNK - len(slots)
                if len(word) > room and (len(word) < WHOLE or not room):
                    found.append(Chunk(slots=tuple(slots), weights=tuple(weights)))
                    slots, weights, room = [], [], CHUNK
                slots += word[:room]
                weights += [weight] * len(word[:room])
                word = word[room:]
        found.append(Chunk(slots=tuple(slots), weights=tuple(weights)))
    return tuple(found)


def unknown_words(text: str, learned: Iterable[str]) -> list[str]:
    """What is written `embedding:...` and was not learned."""
    rest = Finder.of(learned).pattern.sub("", text)
    return list(dict.fromkeys(re.findall(r"embedding:([^\s,:()\[\]]+)", rest)))


def network_tags(text: str) -> list[str]:
    """What other programs take for a change to the model, such as `<lora:name:0.8>`; here it is text."""
    return list(dict.fromkeys(re.findall(r"<(?:lora|lyco|hypernet):[^<>]*>", text, re.IGNORECASE)))


class Finder(NamedTuple):
    """Finds learned words where they stand alone, the longest first, in any case, with or without `embedding:`.

    pattern: its n-th group is the n-th of the `words`.
    """

    pattern: re.Pattern[str]
    words: tuple[str, ...]

    @classmethod
    def of(cls, learned: Iterable[str]) -> Finder:
        """For these words; for none of them a pattern that matches nothing."""
        words = tuple(sorted(learned, key=len, reverse=True))
        either = "|".join(f"({re.escape(word)})" for word in words) or "(?!)"
        return cls(re.compile(rf"(?<![\w-])(?:embedding:)?(?:{either})(?![\w-])", re.IGNORECASE), words)


def _words(text: str, tokenizer: ClipTokenizer, finder: Finder, learned: Mapping[str, int]) -> Iterable[list[Slot]]:
    """The words of a text, each as what stands for it."""
    reached = 0
    for match in finder.pattern.finditer(text):
        for ids in tokenizer.words(text[reached : match.start()]):
            yield [*ids]
        word = finder.words[(match.lastindex or 1) - 1]
        yield [Vector(word, row) for row in range(learned[word])]
        reached = match.end()
    for ids in tokenizer.words(text[reached:]):
        yield [*ids]
