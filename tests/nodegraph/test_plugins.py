"""Packs that cannot be used are named with a reason, and everything else works."""

from __future__ import annotations

from pathlib import Path

import pytest

import nodegraph.catalog
from nodegraph.catalog import Catalog, load_catalog
from nodegraph.plugins import API_VERSION, discover
from nodegraph.settings import Settings

from .packs import node_source, write_pack

BROKEN = {
    "raises": ("raise RuntimeError('no licence found')", "RuntimeError: no licence found"),
    "exits": ("import sys; sys.exit(5)", "SystemExit: 5"),
    "interrupts": ("raise KeyboardInterrupt", "ended the process with code"),
    "dies": ("import os; os._exit(7)", "ended the process with code 7: nothing was printed"),
    "misspelt": ("def broken(:\n    pass\n", "SyntaxError: invalid syntax"),
    "recurses": ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    "needs": ("import a_package_that_nobody_has", "ModuleNotFoundError: No module named 'a_package_that_nobody_has'"),
    "noise": ("import os; os.write(1, b'\\xff\\xfe'); os.write(2, b'\\xff'); os._exit(1)", "with code 1: \ufffd"),
    "undeclared": (
        "from nodegraph import node\n@node(category='x')\ndef f(a) -> int:\n    'Doc.'\n",
        "a: it has no type",
    ),
}
MANIFESTS = {
    "future": (f"api = [{API_VERSION + 1}, {API_VERSION + 2}]", f"it wants node API {API_VERSION + 1} to"),
    "bad_toml": ("api = [", "pack.toml: "),
    "bad_key": ("numerik = ['torch']", "numerik"),
    "bad_value": ("api = 'new'", "api"),
}


@pytest.fixture(scope="module")
def among_broken(tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path, catalog: Catalog) -> Catalog:
    """The catalog of a plugin folder in which all packs but two are broken."""
    folder = tmp_path_factory.mktemp("plugins")
    for name, (source, _) in BROKEN.items():
        write_pack(folder, name, source)
    for name, (text, _) in MANIFESTS.items():
        write_pack(folder, name, {"__init__.py": node_source("anything"), "pack.toml": text})
    write_pack(folder, "single", node_source("one"))
    write_pack(
        folder,
        "whole",
        {
            "deep/__init__.py": "",
            "deep/place.py": "from ..shared import VALUE\nfrom . import beside\nfrom nodegraph import node\n"
            "@node(category='test')\ndef from_shared(value: int = VALUE + beside.VALUE) -> int:\n    'Doc.'\n    return value\n",
            "deep/beside.py": "VALUE = 30",
            "shared.py": "VALUE = 4",
            "same.py": node_source("twice"),
            "same_again.py": node_source("twice"),
            "bad.py": "import a_package_that_nobody_has\nfrom nodegraph import node\n@node\ndef f(): ...\n",
            "lazy.py": node_source("lazy") + "    from . import misspelt\n",
            "misspelt.py": "def broken(:",
        },
    )
    write_pack(folder, "WrongName", node_source("one"))
    write_pack(folder, "_hidden", "raise AssertionError")
    (folder / "no_pack").mkdir()
    (folder / "notes.txt").write_text("no pack either", "utf-8")
    return load_catalog(Settings(cache=definitions_cache, plugins=[folder, folder / "missing"]))


def reasons(catalog: Catalog, pack: str) -> list[str]:
    return [str(failure) for failure in catalog.failures if failure.pack == pack]


@pytest.mark.parametrize(("pack", "words"), [(name, words) for name, (_, words) in {**BROKEN, **MANIFESTS}.items()])
def test_a_pack_that_cannot_be_used_says_why(among_broken: Catalog, pack: str, words: str) -> None:
    [reason] = reasons(among_broken, pack)
    assert f"the node pack {pack!r} cannot be used: " in reason
    assert words in reason
    assert not [name for name in among_broken if name.startswith(pack + ".")]


def test_the_rest_works(among_broken: Catalog, catalog: Catalog) -> None:
    built_in = {name for name, each in catalog.items() if each.pack in ("nodes", "control")}
    others = set(among_broken) - built_in
    assert built_in
    assert others == {"single.one", "whole.from_shared", "whole.twice"}


def test_modules_of_a_pack_import_each_other_relatively(among_broken: Catalog) -> None:
    assert among_broken["whole.from_shared"].inputs_by_name["value"].default == 34


def test_a_bad_module_costs_only_itself(among_broken: Catalog) -> None:
    found = reasons(among_broken, "whole")
    assert len(found) == 3
    assert any("importing nodegraph_plugins.whole.bad raised ModuleNotFoundError" in each for each in found)
    assert any("nodegraph_plugins.whole.lazy" in each and "SyntaxError" in each for each in found)
    assert any("its node 'whole.twice' is already declared by another module or pack" in each for each in found)


def test_names_that_no_id_can_begin_with_are_refused(among_broken: Catalog) -> None:
    assert "a pack's name is lower-case letters, digits and _" in reasons(among_broken, "WrongName")[0]
    assert {failure.pack for failure in among_broken.failures} == {*BROKEN, *MANIFESTS, "whole", "WrongName"}


def test_a_pack_that_hangs_is_given_up(
    tmp_path: Path, definitions_cache: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodegraph.catalog, "_DESCRIBE_TIMEOUT", 0.5)
    write_pack(tmp_path, "hangs", "import time\ntime.sleep(3600)")
    found = load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path]))
    assert "importing it took more than" in reasons(found, "hangs")[0]
    assert set(found) == {name for name, each in catalog.items() if each.pack in ("nodes", "control")}


def test_of_two_nodes_with_one_id_the_first_stays(tmp_path: Path, definitions_cache: Path, catalog: Catalog) -> None:
    for name in ("early", "late"):
        write_pack(tmp_path, name, {"__init__.py": node_source("the_node"), "pack.toml": "prefix = 'shared.'"})
    found = load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path]))
    assert found["shared.the_node"].pack == "early"
    assert "its node 'shared.the_node' is already declared" in reasons(found, "late")[0]


def test_of_two_packs_with_one_name_the_first_stays(tmp_path: Path) -> None:
    first, second = write_pack(tmp_path / "a", "pack", {}), write_pack(tmp_path / "b", "pack", {})
    found = discover([tmp_path / "a", tmp_path / "b"])
    assert [pack.folder for pack in found.packs if pack.name == "pack"] == [first]
    assert f"{second} has the name of {first}" in str(found.failures[0])


def test_a_plugin_cannot_shadow_what_is_installed(tmp_path: Path, definitions_cache: Path, catalog: Catalog) -> None:
    write_pack(tmp_path, "json", node_source("one"))
    found = load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path]))
    assert (found["json.one"].module, found.failures) == ("nodegraph_plugins.json", [])


def test_sources_that_cannot_be_read_cost_only_their_pack(
    tmp_path: Path, definitions_cache: Path, catalog: Catalog
) -> None:
    loop = write_pack(tmp_path, "looped", {"fine.py": node_source("one")}) / "loop.py"
    loop.symlink_to(loop)
    dangling = write_pack(tmp_path, "dangling", {"fine.py": node_source("one")})
    (dangling / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (dangling / "folder.py").mkdir()
    found = load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path]))
    assert {"looped.one", "dangling.one"} <= set(found)
    assert found.failures == []
