"""Reading the pages in docs/: sections, tables, examples."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def sections(page: Path) -> dict[str, str]:
    """The text below each heading of level 2, by heading without backticks."""
    parts = re.split(r"^## (.+)\n", page.read_text("utf-8"), flags=re.MULTILINE)
    return {"": parts[0], **{name.replace("`", ""): text for name, text in zip(parts[1::2], parts[2::2], strict=True)}}


def first_column(text: str, heading: str) -> list[str]:
    """What stands between backticks in the first column of the table with that heading."""
    found = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)*)", text, re.MULTILINE)
    return re.findall(r"^\| `([^`]+)`", found[1], re.MULTILINE) if found else []


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
