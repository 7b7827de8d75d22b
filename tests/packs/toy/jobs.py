"""Nodes that write several files, and long ones that can be resumed."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from pathlib import Path

from nodegraph import Context, Lazy, node

from .numbers import Number, _note


@node(category="toy", effect=True, output="files")
def write_texts(texts: list[str], last: Lazy[str], ctx: Context, name: str = "part") -> list[str]:
    """Write texts into a file each; the last is asked for when the first targets are known."""
    _note("write_texts")
    paths = [ctx.output_file(f"{name}-{number}", ".txt") for number in range(len(texts))]
    texts = [*texts, last()]
    paths.append(ctx.output_file(f"{name}-last", ".txt"))
    for path, text in zip(paths, texts, strict=True):
        Path(path).write_text(text, "utf-8")
    return [str(path) for path in paths]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How far `counts` is."""

    done: int
    total: float


def _count(number: float, steps: int, ctx: Context) -> Number:
    state = ctx.resumed()
    done, total = (state.done, state.total) if isinstance(state, Counted) else (0, 0.0)
    for index in range(done, steps):
        _note("count")
        reached = Counted(done=index + 1, total=total + number * index)
        ctx.checkpoint(lambda reached=reached: reached)
        total = reached.total
        ctx.progress(reached.done, steps)
    return Number(value=total)


@node(category="toy")
def counts(number: float, steps: int = 5, *, ctx: Context) -> Number:
    """Add up number times 0, 1, 2 and so on, in steps that can be resumed."""
    return _count(number, steps, ctx)


@node(category="toy", cache="never")
def counts_anew(number: float, steps: int = 5, *, ctx: Context) -> Number:
    """The same, never cached."""
    return _count(number, steps, ctx)


@node(category="toy/bad")
def offers_a_resident(number: float, *, ctx: Context) -> Number:
    """Offer a state that cannot be kept."""
    for index in range(3):
        ctx.checkpoint(threading.Lock)
        ctx.progress(index + 1, 3)
    return Number(value=number)


_DRAWN = itertools.count(1)


@node(category="toy", cache="never")
def drawn() -> float:
    """Another number at every call."""
    _note("drawn")
    return float(next(_DRAWN))
