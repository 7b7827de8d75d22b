"""Saved workflows: files in a folder, the same that `nodegraph run` runs, each with its older versions.

A version is named by a number that only grows. The file itself is the newest one; a change that another program made
to it becomes a version of its own before anything is written over it, so nothing that ever lay there is lost. Where the
process is killed while it saves, the file is the old or the new one, and what is missing among the versions is added
the next time.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from ..errors import WorkflowFormatError, shorten
from ..files import remove_leftovers, write_atomically
from .defects import (
    BadWorkflowName,
    NotWritten,
    TooLarge,
    UnknownVersion,
    UnknownWorkflow,
    WorkflowChanged,
    WorkflowExists,
    not_written,
)
from .inside import open_inside
from .schemas_workflows import SavedWorkflow, WorkflowEntry, WorkflowVersion
from .workflow_names import check_name
from .workflow_versions import Stamp, Versions

SUFFIX = ".json"
MOST_LISTED = 5000


@dataclass(frozen=True, slots=True)
class _Current:
    """The file of a workflow as it is now. version: its number. is_kept: whether it is among the versions already."""

    version: int
    stamp: Stamp
    content: bytes
    is_kept: bool


class WorkflowStore:
    """The workflows in a folder, for many threads and processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions = Versions(folder)
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[Stamp, WorkflowEntry]] = {}

    def entries(self) -> list[WorkflowEntry]:
        """All workflows, the newest first; those whose files are broken say so."""
        seen: dict[str, tuple[Stamp, WorkflowEntry]] = {}
        for path in self._files():
            name = path.relative_to(self._folder).as_posix().removesuffix(SUFFIX)
            with contextlib.suppress(OSError):  # it was removed meanwhile
                stamp = Stamp.of(path.stat())
                before = self._seen.get(name)
                seen[name] = before if before is not None and before[0] == stamp else (stamp, self._entry(name, stamp))
        self._seen = seen
        return sorted((each for _, each in seen.values()), key=lambda each: (-each.saved.timestamp(), each.name))

    def load(self, name: str) -> SavedWorkflow:
        """A workflow. Raises UnknownWorkflow, BadWorkflowName or WorkflowFormatError."""
        check_name(name)
        with self._lock:
            current = self._current(name)
            if current is not None and not current.is_kept:  # or another process is about to keep it
                with contextlib.suppress(OSError, NotWritten), self._versions.writing():
                    current = self._kept(name)
        if current is None:
            raise _unknown(name)
        return _saved(name, current.version, current.stamp, current.content)

    def save(self, name: str, document: Mapping[str, JsonValue], base: int | None) -> WorkflowEntry:
        """Write a workflow; one that says what the file says already changes nothing.

        base: the version that the sender had loaded; None for a new one. Raises WorkflowChanged where that is not the
        version now, BadWorkflowName, WorkflowFormatError, TooLarge or NotWritten.
        """
        from ..workflow.model import MAX_FILE_BYTES, Workflow

        content = Workflow.from_document(document).to_json().encode()
        if len(content) > MAX_FILE_BYTES:
            raise TooLarge(f"the workflow's file would have {len(content):,} bytes; it may have {MAX_FILE_BYTES:,}")
        path = self._path(name)
        with self._writing(name):
            current = self._kept(name)
            if current is None or current.content != content:
                version = current.version if current is not None else None
                if base != version:
                    raise WorkflowChanged(name, base, version)
                write_atomically(path, content)
                remove_leftovers(path)
                current = self._kept(name)
            assert current is not None, name
            return self._entry(name, current.stamp)

    def rename(self, name: str, to: str) -> WorkflowEntry:
        """Give a workflow another name. Raises UnknownWorkflow, WorkflowExists, BadWorkflowName or NotWritten."""
        path, target = self._path(name), self._path(to)
        with self._writing(name):
            current = self._kept(name)
            if current is None:
                raise _unknown(name)
            if os.path.lexists(target):
                raise WorkflowExists(f"there is a workflow {to!r} already; choose another name")
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
            self._versions.move(name, to)
            return self._entry(to, current.stamp)

    def delete(self, name: str) -> WorkflowEntry:
        """Remove a workflow's file; its versions stay. Raises UnknownWorkflow, BadWorkflowName or NotWritten."""
        path = self._path(name)
        with self._writing(name):
            current = self._kept(name)
            if current is None:
                raise _unknown(name)
            entry = self._entry(name, current.stamp)
            path.unlink()
            return entry

    def versions(self, name: str) -> list[WorkflowVersion]:
        """The versions that are kept, the newest first. Raises UnknownWorkflow or BadWorkflowName."""
        with contextlib.suppress(UnknownWorkflow, WorkflowFormatError):
            self.load(name)  # so that a change by another program is one of them
        found = self._versions.of(check_name(name))
        if not found:
            raise _unknown(name)
        kept = [WorkflowVersion(version=key, saved=each.saved, bytes=each.bytes) for key, each in found.items()]
        return kept[::-1]

    def load_version(self, name: str, number: int) -> SavedWorkflow:
        """A version. Raises UnknownVersion, BadWorkflowName or WorkflowFormatError."""
        found = self._read(self._versions.path(check_name(name), number))
        if found is None:
            raise UnknownVersion(f"no version {number} of the workflow {shorten(name)} is kept")
        return _saved(name, number, *found)

    def _files(self) -> Iterator[Path]:
        """The files that may be workflows; nothing hidden, and no folder that is a link."""
        count = 0
        for place, folders, names in os.walk(self._folder):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for each in sorted(names):
                if each.endswith(SUFFIX) and not each.startswith(".") and count < MOST_LISTED:
                    count += 1
                    yield Path(place, each)

    def _entry(self, name: str, stamp: Stamp) -> WorkflowEntry:
        """A workflow as it is listed, whatever its file holds. stamp: of the file, should it not be readable."""
        from ..workflow.model import Workflow

        version, title, description, inputs, error = 0, "", "", 0, ""
        try:
            current = self._current(check_name(name))
            if current is None:
                error = "its file cannot be read, or is a link that leaves the folder"
            else:
                version, stamp = current.version, current.stamp
                workflow = Workflow.parse(current.content, source=name)
                title, description, inputs = workflow.title, workflow.description, len(workflow.inputs)
        except (WorkflowFormatError, BadWorkflowName) as wrong:
            error = str(wrong)
        return WorkflowEntry(
            name=name.encode(errors="replace").decode(),
            title=title,
            description=description,
            version=version,
            saved=stamp.saved,
            bytes=stamp.bytes,
            inputs=inputs,
            error=error,
        )

    def _path(self, name: str) -> Path:
        """Where a workflow lies, or would lie. Raises BadWorkflowName where a link would lead out of the folder."""
        path = self._folder / (check_name(name) + SUFFIX)
        if not path.parent.resolve().is_relative_to(self._folder.resolve()):
            raise BadWorkflowName(f"a workflow cannot have the name {shorten(name)}: its folder is a link to elsewhere")
        return path

    def _read(self, path: Path) -> tuple[Stamp, bytes] | None:
        """A file's content. Raises WorkflowFormatError where it is too large to be a workflow."""
        from ..workflow.model import MAX_FILE_BYTES

        file = open_inside(self._folder, path)
        if file is None:
            return None
        with file:
            content = file.read(MAX_FILE_BYTES + 1)
            stamp = Stamp.of(os.fstat(file.fileno()))
        if len(content) > MAX_FILE_BYTES:
            raise WorkflowFormatError(f"its file has {stamp.bytes:,} bytes; a workflow has at most {MAX_FILE_BYTES:,}")
        return stamp, content

    def _current(self, name: str) -> _Current | None:
        """The file as it is now; None where there is none."""
        found = self._read(self._folder / (name + SUFFIX))
        if found is None:
            return None
        stamp, content = found
        kept = self._versions.of(name)
        last = max(kept, default=0)
        same = last > 0 and (kept[last] == stamp or self._says(name, last, content))
        return _Current(last if same else last + 1, stamp, content, same)

    def _says(self, name: str, number: int, content: bytes) -> bool:
        with contextlib.suppress(WorkflowFormatError):
            found = self._read(self._versions.path(name, number))
            return found is not None and found[1] == content
        return False

    def _kept(self, name: str) -> _Current | None:
        """The file as it is now, after it was put among the versions. Only while nobody else writes."""
        current = self._current(name)
        if current is not None and not current.is_kept:
            self._versions.keep(name, current.version, current.content, current.stamp)
        return current

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        try:
            with self._lock, self._versions.writing():
                yield
        except OSError as error:
            raise not_written(f"the workflow {shorten(name)}", "of workflows", error) from error


def _saved(name: str, version: int, stamp: Stamp, content: bytes) -> SavedWorkflow:
    """A version with its document. Raises WorkflowFormatError."""
    from ..workflow.model import Workflow

    document = Workflow.parse(content, source=f"the workflow {shorten(name)}").to_document()
    return SavedWorkflow(name=name, version=version, saved=stamp.saved, workflow=document)


def _unknown(name: str) -> UnknownWorkflow:
    return UnknownWorkflow(f"there is no workflow {shorten(name)}")
