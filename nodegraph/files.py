"""Files: looking for them, and writing them so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .locking import holding


def is_file(path: Path) -> bool:
    """Whether there is a file at `path`; no for names that the system cannot even look up."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder at `path`; no for names that the system cannot even look up."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


MODEL_INDEX = "model_index.json"
"""The file by which a folder says that it is one model in several files."""

MODEL_CONFIGS = ("config.json", "adapter_config.json")
"""Files that say of the weights beside them what they do not say themselves."""


def is_model_folder(path: Path) -> bool:
    """Whether a folder is one model in several files, which workflows name as they name a file."""
    if not is_folder(path):
        return False
    told = any(is_file(path / name) for name in MODEL_CONFIGS)
    return has_index(path) or (told and any(path.glob("*.safetensors*")))


def has_index(path: Path) -> bool:
    """Whether a folder is a model of several parts, none of which is to be named alone."""
    return is_folder(path) and is_file(path / MODEL_INDEX)


def files_in(folder: Path) -> list[Path]:
    """The files of a model folder in the order of their names; hidden ones are no part of it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts))


def size_of(path: Path) -> int:
    """Bytes of a file or of all files of a model folder."""
    return sum(each.stat().st_size for each in files_in(path)) if path.is_dir() else path.stat().st_size


def write_atomically(path: Path, content: bytes, *, best_effort: bool = False) -> bool:
    """Write `content` under a temporary name beside `path`, then rename it; True when it is there to stay.

    best_effort: for caches; a folder that cannot be written is then no error, and a power cut may take the file.
    """
    try:
        with replacing(path, durable=not best_effort) as file:
            file.write(content)
    except OSError:
        if best_effort:
            return False
        raise
    return True


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file beside `path` to write piece by piece; it gets that name when all went well, and is gone otherwise.

    durable: a power cut afterwards leaves the new content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        descriptor, temporary = _temporary_file(path, held)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(descriptor)
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:  # an interrupt leaves nothing behind either
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    if durable:
        _sync_folder(path.parent)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` to fill; it gets that name when all went well, and is gone otherwise.

    A folder that was there before is moved aside first and removed afterwards.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        aside = _temporary_folder(path, held)
        new, old = aside / "new", aside / "old"
        try:
            new.mkdir()
            yield new
            _sync_tree(new)
            if path.exists():
                path.rename(old)
            try:
                new.rename(path)
            except BaseException:
                if old.exists():
                    old.rename(path)
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    _sync_folder(path.parent)


def remove_leftovers(path: Path) -> int:
    """Remove what killed writers of `path` left beside it, and give their number. What a living one writes stays.

    Where one was killed while it replaced a folder, the old folder comes back first.
    """
    ours = re.compile(re.escape(f".{path.name}-") + "[a-z0-9_]{8}")
    removed = 0
    with contextlib.suppress(OSError):
        for each in [each for each in path.parent.iterdir() if ours.fullmatch(each.name)]:
            with contextlib.suppress(OSError), holding(each, surely=True) as is_left:
                if is_left:
                    _remove(each, path)
                    removed += 1
    return removed


def _remove(leftover: Path, path: Path) -> None:
    if not leftover.is_dir():
        leftover.unlink()
        return
    if (leftover / "old").exists() and not path.exists():
        (leftover / "old").rename(path)
    shutil.rmtree(leftover)


def _temporary_file(path: Path, held: contextlib.ExitStack) -> tuple[int, Path]:
    """A new file beside `path`, open and held."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        if held.enter_context(holding(Path(name))):
            return descriptor, Path(name)
        os.close(descriptor)  # somebody took it for a leftover before it was held


def _temporary_folder(path: Path, held: contextlib.ExitStack) -> Path:
    """A new folder beside `path`, held."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
        if held.enter_context(holding(folder)):
            return folder


def _sync_tree(folder: Path) -> None:
    """Let every file below a folder survive a power cut."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("r+b") as file:
                os.fsync(file.fileno())
        _sync_folder(Path(place))


def _sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power cut, where the system can do so."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
