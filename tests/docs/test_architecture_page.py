"""docs/architecture.md names every room of the two packages and none that is gone."""

from __future__ import annotations

import re

from .pages import DOCS, ROOT


def test_the_rooms_are_those_on_disk() -> None:
    rows = re.findall(r"^\| (`(?:nodegraph|nodes)/.+?) \|", (DOCS / "architecture.md").read_text("utf-8"), re.MULTILINE)
    named = {name.rstrip("/") for row in rows for name in re.findall(r"`(.+?)`", row)}
    found = [path.relative_to(ROOT).parts[:2] for top in ("nodegraph", "nodes") for path in (ROOT / top).rglob("*.py")]
    assert named == {f"{top}/{room}" for top, room in found if not room.startswith("__")}
