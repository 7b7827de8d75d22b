"""Files: looking for them, and writing them so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


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
    """Write `content` under a temporary name beside `path`, then rename it; True when it is there.

    best_effort: for caches; a folder that cannot be written is then no error.
    """
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError:
        if best_effort:
            return False
        raise
    return True


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` to write piece by piece; it gets that name when all went well, and is gone otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:  # an interrupt leaves nothing behind either
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` to fill; it gets that name when all went well, and is gone otherwise.

    A folder that was there before is moved aside first and removed afterwards.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    new, old = aside / "new", aside / "old"
    try:
        new.mkdir()
        yield new
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
