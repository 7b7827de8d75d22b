"""The model files that workflows may name, with what their headers say, which is remembered until a file changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileMissing, FileNotAllowed
from ..files import files_in, write_atomically
from .adviser import NoAdvice
from .defects import WrongRequest
from .schemas_models import ModelEntry

if TYPE_CHECKING:
    from ..catalog import Catalog
    from .adviser import Adviser
    from .definitions import Definitions

PICTURES = "image"
"""A kind of file that is no model."""

AT_ONCE = 50
"""Files that the adviser is asked about in one question."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _File:
    """A file. identity: changes with it; "" where it cannot be used, which `error` says why."""

    kind: str
    name: str
    bytes: int = 0
    identity: str = ""
    error: str = ""


class ModelFiles:
    """Lists model files. Their headers are read by the adviser's process, each of them once."""

    def __init__(self, definitions: Definitions, adviser: Adviser, cache: Path) -> None:
        self._definitions, self._adviser = definitions, adviser
        self._memory = cache / "models.json"
        self._lock = threading.Lock()
        self._code = ""
        self._known: dict[str, Facts] = {}

    def entries(self, kind: str | None) -> list[ModelEntry]:
        """All model files, or those of a kind. Raises WrongRequest where no node reads such a kind."""
        catalog = self._definitions.load()
        kinds = self._kinds(catalog)
        if kind is not None and kind not in kinds:
            reason = f"there is no kind {kind!r}; there are {', '.join(kinds)}"
            raise WrongRequest("the query:", [{"code": "bad_field", "input": "kind", "reason": reason}])
        found = [each for of in ([kind] if kind else kinds) for each in self._files(of)]
        with self._lock:
            self._recall(catalog)
            new = [each for each in found if each.identity and each.identity not in self._known]
            for start in range(0, len(new), AT_ONCE):
                self._learn(new[start : start + AT_ONCE])
            if new:
                document = json.dumps({"code": self._code, "files": self._known})
                write_atomically(self._memory, document.encode(), best_effort=True)
            return [self._entry(each) for each in found]

    def _kinds(self, catalog: Catalog) -> list[str]:
        from ..ports.types import path_kinds

        used = {kind for each in catalog.values() for port in each.inputs for kind in path_kinds(port.type)}
        return sorted((used | self._definitions.further_kinds) - {PICTURES})

    def _files(self, kind: str) -> Iterator[_File]:
        files = self._definitions.files()
        for name in files.names(kind):
            try:
                path = files.resolve(kind, name)
                stats = [each.stat() for each in (files_in(path) if path.is_dir() else [path])]
            except (FileMissing, FileNotAllowed) as error:
                yield _File(kind, name, error=str(error))
            except OSError as error:
                yield _File(kind, name, error=f"it cannot be read: {error.strerror}")
            else:
                size, newest = sum(each.st_size for each in stats), max(each.st_mtime_ns for each in stats)
                yield _File(kind, name, size, f"{kind}:{path}:{size}:{newest}")

    def _recall(self, catalog: Catalog) -> None:
        """What was learned before, unless the packs that told it have changed."""
        code = hashlib.sha256(json.dumps(catalog.code, sort_keys=True).encode()).hexdigest()
        if code == self._code:
            return
        self._code, self._known = code, {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            remembered = json.loads(self._memory.read_bytes())
            if remembered["code"] == code:
                self._known = dict(remembered["files"])

    def _learn(self, files: Sequence[_File]) -> None:
        """Ask about files; about each alone where one of them ends the process that is asked."""
        try:
            facts = self._adviser.models([(each.kind, each.name) for each in files])
        except NoAdvice as error:
            if len(files) == 1:
                self._known[files[0].identity] = {"family": "", "precision": "", "error": str(error)}
                return
            for each in files:
                self._learn([each])
        else:
            self._known.update((each.identity, found) for each, found in zip(files, facts, strict=True))

    def _entry(self, file: _File) -> ModelEntry:
        facts = self._known.get(file.identity, {"family": "", "precision": "", "error": file.error})
        return ModelEntry(kind=file.kind, name=file.name, bytes=file.bytes, **facts)
