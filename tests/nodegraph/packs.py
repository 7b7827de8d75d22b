"""Writing small node packs in tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

NODE = """
from nodegraph import node

@node(category="test")
def {name}(value: int = 0) -> int:
    \"\"\"Give a number back.\"\"\"
    return value
"""


def write_pack(folder: Path, name: str, files: dict[str, str] | str) -> Path:
    """A pack in a plugin folder: a single file, or a folder of files to which an `__init__.py` is added."""
    if isinstance(files, str):
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(files), "utf-8")
        return path
    for relative, text in {"__init__.py": "", **files}.items():
        path = folder / name / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
    return folder / name


def node_source(name: str) -> str:
    """A module with one node of that name."""
    return NODE.format(name=name)
