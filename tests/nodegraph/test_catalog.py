"""The catalog remembers definitions by what a pack contains, and starts no process for what it knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph.catalog import Catalog, load_catalog
from nodegraph.settings import Settings

from .packs import node_source, write_pack

COUNTING = """
import os
from pathlib import Path
with Path(os.environ["IMPORTS"]).open("a") as file:
    file.write(__name__ + "\\n")
"""

Load = Callable[[], Catalog]


@pytest.fixture
def load(tmp_path: Path, definitions_cache: Path, catalog: Catalog) -> Load:
    """Loads the catalog of the test's own plugin folder; the built-in nodes are remembered already."""
    return lambda: load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path / "plugins"]))


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the pack was imported so far."""
    log = tmp_path / "imports.log"
    monkeypatch.setenv("IMPORTS", str(log))
    return lambda: len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    files = {"__init__.py": COUNTING, "one.py": node_source("one"), "two.py": node_source("two"), "notes.txt": "a"}
    return write_pack(tmp_path / "plugins", "pack", files)


def test_an_unchanged_pack_is_not_imported_again(load: Load, imports: Callable[[], int], pack: Path) -> None:
    first = load()
    assert imports() == 1
    assert {"pack.one", "pack.two"} <= set(first)
    (pack / "notes.txt").write_text("not code")
    (pack / "__init__.py").touch()
    again = load()
    assert imports() == 1
    assert again.to_json() == first.to_json()


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("one.py", node_source("one_renamed"), {"pack.one_renamed", "pack.two"}),
        ("three.py", node_source("three"), {"pack.one", "pack.two", "pack.three"}),
        ("sub/four.py", node_source("four"), {"pack.one", "pack.two", "pack.four"}),
        ("pack.toml", "prefix = 'mine.'", {"mine.one", "mine.two"}),
        ("two.py", None, {"pack.one"}),
    ],
)
def test_a_changed_pack_is_described_anew(
    load: Load, imports: Callable[[], int], pack: Path, file: str, text: str | None, found: set[str]
) -> None:
    load()
    (pack / file).parent.mkdir(exist_ok=True)
    if text is None:
        (pack / file).unlink()
    else:
        (pack / file).write_text(text, "utf-8")
    catalog = load()
    assert imports() == 2
    assert {name for name, each in catalog.items() if each.pack == "pack"} == found
    assert catalog.failures == []


def test_a_failing_pack_is_tried_again(load: Load, imports: Callable[[], int], tmp_path: Path) -> None:
    write_pack(tmp_path / "plugins", "pack", COUNTING + "raise RuntimeError\n")
    assert len(load().failures) == len(load().failures) == 1
    assert imports() == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"definitions": [{"id": 1'])
def test_a_damaged_memory_is_written_anew(
    load: Load, imports: Callable[[], int], pack: Path, definitions_cache: Path, damage: str
) -> None:
    known = set((definitions_cache / "definitions").iterdir())
    whole = load().to_json()
    for file in set((definitions_cache / "definitions").iterdir()) - known:
        file.write_text(damage)
    assert load().to_json() == whole
    assert load().to_json() == whole
    assert imports() == 2


def test_a_memory_that_cannot_be_written_costs_only_time(
    tmp_path: Path, imports: Callable[[], int], pack: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    found = load_catalog(Settings(cache=tmp_path / "cache", plugins=[tmp_path / "plugins"]))
    assert {"pack.one", "pack.two"} <= set(found)
    assert found.failures == []


def test_what_a_pack_prints_does_not_matter(load: Load, tmp_path: Path) -> None:
    noise = "import sys\nprint('hello')\nsys.stderr.write('x' * 10**6)\nsys.stdout.buffer.write(b'\\xff\\n')\n"
    write_pack(tmp_path / "plugins", "loud", noise + node_source("one"))
    assert "loud.one" in load()


def test_the_packs_code_is_not_in_this_process(load: Load, pack: Path) -> None:
    import sys

    before = {*sys.modules}
    load()
    assert not [name for name in {*sys.modules} - before if name.startswith("nodegraph_plugins.pack")]


def test_json_says_everything(catalog: Catalog) -> None:
    again = Catalog.from_json(catalog.to_json())
    assert dict(again) == dict(catalog)
    assert again.to_json() == catalog.to_json()
    assert list(again) == sorted(catalog)


def test_near_names_are_offered(catalog: Catalog) -> None:
    assert catalog.nearest("numbr")[0] == "number"
    assert catalog.nearest("zzzzzz") == []
    assert catalog.get("numbr") is None
    with pytest.raises(KeyError):
        catalog["numbr"]
