"""Nodes that write several files, and long ones that can be resumed."""

from __future__ import annotations

from pathlib import Path

from nodegraph import Context, Lazy, node

from .numbers import _note


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
