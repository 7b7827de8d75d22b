"""Noticing that something a run depends on has changed, by looking at files again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from ..errors import FileMissing, FileNotAllowed
from ..files import is_folder
from ..fingerprint import PackSources
from ..plugins import MANIFEST, Pack
from .digests import FileIdentity, file_identity
from .resolve import FileResolver

State: TypeAlias = Mapping[str, FileIdentity | None]
"""Which file lies at each place, and in which state; None where there is none."""


def wait_for_change(seen: State, look: Callable[[], State], wait: Callable[[], None]) -> None:
    """Return when what `look` gives is not `seen` any more, and has stayed the same during one `wait`."""
    while (now := look()) == seen:
        wait()
    while True:
        wait()
        if (later := look()) == now:
            return
        now = later


def state_of(paths: Iterable[Path]) -> dict[str, FileIdentity | None]:
    """The state of files and folders."""
    return {str(path): _identity(path) for path in paths}


def state_of_named(names: Iterable[tuple[str, str]], resolver: FileResolver) -> dict[str, FileIdentity | None]:
    """The state of files that a workflow names, by kind and name."""
    found: dict[str, FileIdentity | None] = {}
    for kind, name in names:
        try:
            found[f"{kind}:{name}"] = _identity(resolver.resolve(kind, name))
        except (FileMissing, FileNotAllowed):
            found[f"{kind}:{name}"] = None
    return found


def code_paths(packs: Iterable[Pack], plugins: Iterable[Path]) -> Iterator[Path]:
    """What node definitions are read from: the sources and manifests of packs, and the members of plugin folders."""
    for pack in packs:
        yield from PackSources(pack.package, pack.folder).files.values()
        yield pack.folder / MANIFEST
    for folder in plugins:
        if is_folder(folder):
            yield from (member for member in folder.iterdir() if not member.name.startswith((".", "_")))


def _identity(path: Path) -> FileIdentity | None:
    """The identity of a file; of a folder only which one it is, as its times change with anything in it."""
    try:
        found = file_identity(path)
        return found._replace(size=0, modified=0, changed=0) if path.is_dir() else found
    except (OSError, ValueError):
        return None
