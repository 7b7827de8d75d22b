"""The catalog: the definitions of all nodes of all packs, without any node code in this process."""

from __future__ import annotations

import difflib
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import __version__
from .definition import NodeDefinition
from .errors import PackError
from .files import write_atomically
from .fingerprint import PackSources, digest_of
from .plugins import MANIFEST, Discovery, Pack, discover
from .settings import Settings

_DESCRIBE_TIMEOUT = 180.0
"""Seconds until a pack whose import hangs is given up."""


class Catalog(Mapping[str, NodeDefinition]):
    """Node definitions by id, parsed when first asked for.

    Behaves as a mapping; `failures` says what could not be loaded, `packs` where node code lies, `code` has a digest of
    the source of each of their modules.
    """

    def __init__(
        self,
        definitions: Iterable[NodeDefinition | Mapping[str, Any]] = (),
        *,
        packs: Iterable[Pack] = (),
        failures: Iterable[PackError] = (),
        code: Mapping[str, str] | None = None,
    ) -> None:
        self.packs = {pack.name: pack for pack in packs}
        self.failures = list(failures)
        self.code = dict(code or {})
        self._parsed: dict[str, NodeDefinition] = {}
        self._raw: dict[str, Mapping[str, Any]] = {}
        self._by_function: dict[tuple[str, str], str] | None = None
        for each in definitions:
            self._add(each)

    def _add(self, each: NodeDefinition | Mapping[str, Any]) -> None:
        name, pack = (each.id, each.pack) if isinstance(each, NodeDefinition) else (each["id"], each["pack"])
        if name in self:
            self.failures.append(PackError(pack, f"its node {name!r} is already declared by another module or pack"))
        elif isinstance(each, NodeDefinition):
            self._parsed[name] = each
        else:
            self._raw[name] = each

    def __getitem__(self, name: str) -> NodeDefinition:
        if name not in self._parsed:
            self._parsed[name] = NodeDefinition.model_validate(self._raw.pop(name))
        return self._parsed[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parsed or name in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._parsed, *self._raw}))

    def __len__(self) -> int:
        return len(self._parsed) + len(self._raw)

    def of_function(self, module: str, function: str) -> NodeDefinition | None:
        """The node that a function of a module declares; None where it declares none that was found."""
        if self._by_function is None:
            parsed = {(each.module, each.function): name for name, each in self._parsed.items()}
            self._by_function = parsed | {(each["module"], each["function"]): name for name, each in self._raw.items()}
        name = self._by_function.get((module, function))
        return self[name] if name is not None else None

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """The ids most like `name`, for a message."""
        return difflib.get_close_matches(name, list(self), n=count, cutoff=0.5)

    def to_json(self) -> str:
        """All definitions as a JSON list, which `from_json` reads in a process without the packs."""
        return json.dumps([self[name].model_dump(mode="json") for name in self], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Catalog:
        """The catalog that `to_json` wrote."""
        return cls(json.loads(text))


@dataclass(slots=True)
class _PackReading:
    definitions: list[dict[str, Any]] = field(default_factory=list)
    failures: list[PackError] = field(default_factory=list)


def load_catalog(settings: Settings) -> Catalog:
    """The definitions of every pack of this installation, from the cache where a pack's sources did not change."""
    cache = settings.cache / "definitions"
    found: Discovery = discover(settings.plugins, cache)
    failures = list(found.failures)
    definitions: list[dict[str, Any]] = []
    code: dict[str, str] = {}
    installed = ""
    for pack in found.packs:
        try:
            digests = PackSources(pack.package, pack.folder).digests()
        except OSError as error:
            failures.append(PackError(pack.name, f"its sources cannot be read: {error}"))
            continue
        code |= digests
        sources_digest = digest_of(digests)
        installed += "" if pack.from_folder else sources_digest
        # a pack from a folder may build on the installed ones, so its definitions are as old as all of them
        reading = _read_pack(pack, sources_digest + (installed if pack.from_folder else ""), cache)
        definitions += reading.definitions
        failures += reading.failures
    return Catalog(definitions, packs=found.packs, failures=failures, code=code)


def _read_pack(pack: Pack, sources_digest: str, cache: Path) -> _PackReading:
    manifest = pack.folder / MANIFEST
    identity = (
        __version__,
        _engine_digest(),
        sys.version,
        pack.name,
        pack.package,
        str(pack.folder),
        sources_digest,
        manifest.read_text("utf-8") if manifest.is_file() else "",
    )
    file = cache / f"{pack.name}-{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]}.json"
    try:
        answer = json.loads(file.read_bytes())
        definitions, failures = answer["definitions"], answer["failures"]
    except (OSError, ValueError, KeyError, TypeError):
        definitions, failures = _describe(pack)
        if not failures:  # a failing pack may work tomorrow without a change of its own
            write_atomically(file, json.dumps({"definitions": definitions, "failures": []}).encode(), best_effort=True)
    return _PackReading(definitions, [PackError(pack.name, reason) for reason in failures])


def _engine_digest() -> str:
    """A digest of the modules that decide what a definition looks like."""
    here = Path(__file__).parent
    names = (
        "definition.py",
        "describe.py",
        "fingerprint.py",
        "declaration.py",
        "spec.py",
        "ports/annotations.py",
        "ports/flow.py",
        "ports/types.py",
        "ports/widgets.py",
        "ports/wire.py",
    )
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in names)).hexdigest()


def _describe(pack: Pack) -> tuple[list[dict[str, Any]], list[str]]:
    """Let a process of its own import the pack and describe it."""
    from .describe import DescribeRequest

    request = DescribeRequest(
        name=pack.name,
        package=pack.package,
        folder=pack.folder,
        manifest=pack.manifest,
        from_folder=pack.from_folder,
        search=sys.path,
    )
    with tempfile.TemporaryDirectory(prefix="nodegraph-describe-") as folder:
        request_file, answer_file = Path(folder, "request.json"), Path(folder, "answer.json")
        request_file.write_text(request.model_dump_json(), "utf-8")
        engine = str(Path(__file__).parent.parent)
        program = (
            f"import sys; sys.path.insert(0, {engine!r}); from nodegraph.describe import main; main(*sys.argv[1:])"
        )
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and program
                [sys.executable, "-c", program, str(request_file), str(answer_file)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_DESCRIBE_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [], [f"importing it took more than {_DESCRIBE_TIMEOUT:.0f} s"]
        try:
            answer = json.loads(answer_file.read_bytes())
        except (OSError, ValueError):
            last = (done.stderr.strip().splitlines() or ["nothing was printed"])[-1]
            return [], [f"importing it ended the process with code {done.returncode}: {last}"]
    return answer["definitions"], answer["failures"]
