"""From the file names in a workflow to files, inside the folders of their kind and nowhere else."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from pathlib import Path

from ..errors import FileMissing, FileNotAllowed, shorten
from ..files import files_in, has_index, is_file, is_folder, is_model_folder
from ..plugins import Pack
from ..settings import Settings

BUNDLED = "bundled:"


class FileResolver:
    """Finds the file that a name of a kind stands for.

    A name is relative to one of the folders of its kind, or `bundled:name` for a file that comes with a pack.
    """

    def __init__(self, settings: Settings, packs: Mapping[str, Pack]) -> None:
        self._settings, self._packs = settings, packs

    def resolve(self, kind: str, name: str) -> Path:
        """The absolute path of an existing file, or of a folder that is one model.

        Raises FileNotAllowed when the name leaves its folder (also through a link), FileMissing with near names when
        there is none.
        """
        if name.startswith(BUNDLED):
            return self._bundled(kind, name.removeprefix(BUNDLED))
        if Path(name).is_absolute() or ".." in Path(name).parts:  # whether such a file exists is nobody's business
            raise FileNotAllowed(f"the {kind} {shorten(name)} lies outside its folders; name a file inside one of them")
        for folder in self._settings.folders_of(kind):
            path = folder / name
            several = is_model_folder(path)
            if not several and not is_file(path):
                continue
            real = path.resolve()
            inside = [real, *(each.resolve() for each in files_in(path))] if several else [real]
            if not all(each.is_relative_to(folder.resolve()) for each in inside):
                raise FileNotAllowed(
                    f"the {kind} {name!r} lies outside {folder}; put the file into one of the {kind} folders"
                )
            return real
        folders = ", ".join(map(str, self._settings.folders_of(kind)))
        near = difflib.get_close_matches(name, self.names(kind), n=3)
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"put it into one of the {kind} folders: {folders}"
        )
        raise FileMissing(f"there is no {kind} {shorten(name)}; {hint}")

    def names(self, kind: str, limit: int = 2000) -> list[str]:
        """The names of the files of a kind that a workflow may use, bundled ones first."""
        bundled = [BUNDLED + name for pack in self._packs.values() for name in pack.manifest.bundled.get(kind, {})]
        found = (
            path.relative_to(folder).as_posix()
            for folder in self._settings.folders_of(kind)
            if is_folder(folder)
            for path in sorted(folder.rglob("*"))
            if _is_offered(path, folder)
        )
        return [*bundled, *itertools.islice(found, limit)]

    def _bundled(self, kind: str, name: str) -> Path:
        for pack in self._packs.values():
            relative = pack.manifest.bundled.get(kind, {}).get(name)
            if relative is not None:
                path = (pack.folder / relative).resolve()
                if not path.is_file():
                    raise FileMissing(
                        f"the pack {pack.name!r} should bring the {kind} {name!r}; reinstall it ({path} is missing)"
                    )
                return path
        offered = [each for each in self.names(kind) if each.startswith(BUNDLED)]
        raise FileMissing(f"no pack brings the {kind} {shorten(name)}; there are {', '.join(offered) or 'none'}")


def _is_offered(path: Path, folder: Path) -> bool:
    """A file that is no part of a model with an index, or a model folder as a whole."""
    if path.name.startswith("."):
        return False
    above = itertools.takewhile(lambda each: each != folder, path.parents)
    return (path.is_file() or is_model_folder(path)) and not any(has_index(each) for each in above)
