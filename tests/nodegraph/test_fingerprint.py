"""Code fingerprints: they follow what a module imports, however it is spelt, and nothing else."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.catalog import Catalog, load_catalog
from nodegraph.fingerprint import PackSources
from nodegraph.settings import Settings

from .packs import node_source, write_pack

MODULES = ("m0", "m1", "m2", "sub.m3", "sub.m4")
SPELLINGS = ("absolute", "from absolute", "relative", "inside a function", "of a name", "when checking types")


def import_of(target: str, importer: str, spelling: str) -> str:
    """A line that imports one module of the pack `p` into another."""
    parent, _, name = target.rpartition(".")
    up = "." * (importer.count(".") + 1)
    match spelling:
        case "absolute":
            return f"import p.{target}"
        case "from absolute":
            return f"from p{'.' + parent if parent else ''} import {name}"
        case "relative":
            return f"from {up}{parent} import {name}"
        case "inside a function":
            return f"def f():\n    from {up}{parent} import {name}"
        case "of a name":
            return f"from {up}{target} import something as other"
        case _:
            return f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.{target}"


def reachable(start: str, wires: set[tuple[str, str]]) -> set[str]:
    """What importing a module of `p` may execute: itself, what it imports, and the packages around all of these."""
    found, waiting = {""}, [start]
    while waiting:
        name = waiting.pop()
        found |= {name, name.rpartition(".")[0]}
        waiting += [target for source, target in wires if source == name and target not in found]
    return found


@settings(max_examples=40, deadline=None)
@given(
    wires=st.dictionaries(
        st.sampled_from([pair for pair in product(MODULES, MODULES) if pair[0] != pair[1]]),
        st.sampled_from(SPELLINGS),
        max_size=7,
    )
)
def test_a_fingerprint_changes_exactly_with_what_may_be_executed(wires: dict[tuple[str, str], str]) -> None:
    with TemporaryDirectory() as folder:
        files = {f"{name.replace('.', '/')}.py": f"NAME = {name!r}\n" for name in MODULES} | {"sub/__init__.py": ""}
        for (source, target), spelling in wires.items():
            files[f"{source.replace('.', '/')}.py"] += import_of(target, source, spelling) + "\n"
        pack = write_pack(Path(folder), "p", files)
        expected = reachable("m0", set(wires))
        before = PackSources("p", pack).closure("p.m0").digest
        for changed in (*MODULES, "", "sub"):
            path = pack / f"{changed.replace('.', '/')}.py" if changed in MODULES else pack / changed / "__init__.py"
            text = path.read_text()
            path.write_text(text + "# changed\n")
            after = PackSources("p", pack).closure("p.m0").digest
            path.write_text(text)
            assert (after != before) == (changed in expected), changed


def test_a_fingerprint_does_not_depend_on_where_the_pack_lies(tmp_path: Path) -> None:
    files = {"a.py": "from . import b", "b.py": "B = 1"}
    digests = {
        PackSources("p", write_pack(tmp_path / place, "p", files)).closure("p.a").digest for place in ("here", "there")
    }
    assert len(digests) == 1


def test_packages_from_outside_are_named_by_their_top(tmp_path: Path) -> None:
    files = {
        "a.py": "import torch.nn.functional as F\nfrom . import b\nfrom .. import sibling",
        "b.py": "def f():\n    from PIL.Image import open",
        "c.py": "import numpy",
    }
    found = PackSources("group.p", write_pack(tmp_path, "p", files)).closure("group.p.a")
    assert {"torch", "PIL"} <= found.external
    assert "numpy" not in found.external


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("used.py", {"pack.one"}),
        ("one.py", {"pack.one"}),
        ("unused.py", set()),
        ("two.py", {"pack.two"}),
        ("__init__.py", {"pack.one", "pack.two"}),
    ],
)
def test_an_edit_makes_stale_what_may_execute_it(
    tmp_path: Path, definitions_cache: Path, catalog: Catalog, changed: str, stale: set[str]
) -> None:
    files = {
        "one.py": node_source("one") + "    from .used import helper\n",
        "two.py": node_source("two"),
        "used.py": "def helper(): ...",
        "unused.py": "",
    }
    pack = write_pack(tmp_path, "pack", files)
    where = Settings(cache=definitions_cache, plugins=[tmp_path])
    before = {name: each.fingerprint for name, each in load_catalog(where).items()}
    with (pack / changed).open("a") as file:
        file.write("\n# changed\n")
    after = {name: each.fingerprint for name, each in load_catalog(where).items()}
    assert {name for name in after if after[name] != before[name]} == stale
    assert all(before.values())
