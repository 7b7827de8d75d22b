"""Discovery of node packs: entry points of the group `nodegraph.nodes`, and the members of plugin folders.

Finding a pack imports none of its code. `nodes/`, the library that comes with nodegraph, enters through the same door.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import PackError
from .files import is_folder, write_atomically

GROUP = "nodegraph.nodes"
API_VERSION = 1
MANIFEST = "pack.toml"
PLUGIN_PACKAGE = "nodegraph_plugins"
"""Members of plugin folders are imported below this name, so that they can shadow nothing."""


class Manifest(BaseModel):
    """A pack's `pack.toml`; every field may be left out.

    api: the lowest and highest version of the node API it works with.
    numeric: packages whose version changes its results; a change makes cached results stale.
    prefix: what the ids of its nodes begin with; by default the pack's name and a dot.
    bundled: files that come with the pack, per kind and name, relative to its folder; workflows say `bundled:name`.
    templates: those of its workflows that are shown first, in this order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    api: tuple[int, int] = (API_VERSION, API_VERSION)
    numeric: tuple[str, ...] = ("numpy", "torch", "PIL")
    prefix: str | None = None
    bundled: dict[str, dict[str, str]] = Field(default_factory=dict)
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """A node pack that was found.

    name: unique among the packs. package: the dotted name it is imported under. folder: its folder or its single file.
    from_folder: whether it lies in a plugin folder and needs `make_importable` to be found.
    """

    name: str
    package: str
    folder: Path
    manifest: Manifest
    from_folder: bool = False

    @property
    def prefix(self) -> str:
        """What the ids of its nodes begin with."""
        return f"{self.name}." if self.manifest.prefix is None else self.manifest.prefix


@dataclass(frozen=True, slots=True)
class Discovery:
    """The packs found, and what is wrong with those that cannot be used."""

    packs: tuple[Pack, ...]
    failures: tuple[PackError, ...]


def discover(plugin_folders: Iterable[Path], cache: Path | None = None) -> Discovery:
    """All packs of this installation and of `plugin_folders`, by name; the first of two with one name stays.

    cache: a folder in which the entry points are remembered as long as `sys.path` does not change.
    """
    packs: dict[str, Pack] = {}
    failures: list[PackError] = []
    for found in (*_installed(cache), *_in_folders(plugin_folders)):
        if isinstance(found, PackError):
            failures.append(found)
        elif found.name in packs:
            failures.append(PackError(found.name, f"{found.folder} has the name of {packs[found.name].folder}"))
        elif not found.manifest.api[0] <= API_VERSION <= found.manifest.api[1]:
            low, high = found.manifest.api
            failures.append(PackError(found.name, f"it wants node API {low} to {high}; this is {API_VERSION}"))
        else:
            packs[found.name] = found
    return Discovery(tuple(packs.values()), tuple(failures))


def make_importable(pack: Pack) -> None:
    """Let `import_module` find the modules of a pack from a plugin folder; runs none of its code."""
    if not pack.from_folder:
        return
    package = sys.modules.get(PLUGIN_PACKAGE)
    if package is None:
        package = importlib.util.module_from_spec(ModuleSpec(PLUGIN_PACKAGE, None, is_package=True))
        sys.modules[PLUGIN_PACKAGE] = package
    place = str(pack.folder.parent)
    if place not in package.__path__:
        package.__path__.append(place)
        importlib.invalidate_caches()


def _installed(cache: Path | None) -> Iterator[Pack | PackError]:
    for name, package in sorted(_entry_points(cache).items()):
        try:
            spec = importlib.util.find_spec(package)
        except (ImportError, ValueError) as error:
            yield PackError(name, f"its package {package!r} cannot be found: {error}")
            continue
        if spec is None or spec.origin is None:
            yield PackError(name, f"its package {package!r} cannot be found; reinstall it")
            continue
        origin = Path(spec.origin)
        yield _pack(name, package, origin.parent if origin.name == "__init__.py" else origin, from_folder=False)


def _entry_points(cache: Path | None) -> dict[str, str]:
    """Name and package of each entry point; asking `importlib.metadata` costs a tenth of a second, hence the memory."""
    stamp = {path: Path(path).stat().st_mtime_ns for path in sys.path if path and Path(path).is_dir()}
    file = cache / "entry_points.json" if cache else None
    if file is not None:
        try:
            remembered = json.loads(file.read_text("utf-8"))
            if remembered["stamp"] == stamp:
                return dict(remembered["packs"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
    from importlib.metadata import entry_points

    packs = {point.name: point.module for point in entry_points(group=GROUP)}
    if file is not None:
        write_atomically(file, json.dumps({"stamp": stamp, "packs": packs}).encode(), best_effort=True)
    return packs


def _in_folders(folders: Iterable[Path]) -> Iterator[Pack | PackError]:
    for folder in folders:
        if not is_folder(folder):
            continue
        for member in sorted(folder.iterdir()):
            name = member.stem
            is_pack = (member.is_dir() and (member / "__init__.py").is_file()) or member.suffix == ".py"
            if not is_pack or member.name.startswith((".", "_")):
                continue
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                yield PackError(name, f"{member}: a pack's name is lower-case letters, digits and _")
                continue
            yield _pack(name, f"{PLUGIN_PACKAGE}.{name}", member, from_folder=True)


def _pack(name: str, package: str, folder: Path, *, from_folder: bool) -> Pack | PackError:
    path = folder / MANIFEST
    try:
        values = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
        manifest = Manifest.model_validate(values)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        return PackError(name, f"{path}: {error}")
    return Pack(name=name, package=package, folder=folder, manifest=manifest, from_folder=from_folder)
