"""What requests are checked against before they are accepted, without any node code in this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import JsonValue

from ..errors import InvalidWorkflow

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..execution.resolve import FileResolver
    from ..ports.types import PortType
    from ..settings import Settings
    from ..workflow.defects import Defect
    from ..workflow.graph import Graph
    from ..workflow.model import Workflow

Row = Mapping[str, JsonValue]

MOST_DEFECTS = 100
"""Of a batch; the rows after these are not looked at."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Definitions, and the files that workflows may name."""

    catalog: Catalog
    files: FileResolver


class Definitions:
    """The catalog, loaded when it is first needed and again where a workflow does not fit it any more."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: _Known | None = None

    @property
    def count(self) -> int | None:
        """How many nodes are known; None before they are loaded."""
        return len(self._known.catalog) if self._known is not None else None

    def load(self) -> Catalog:
        """The catalog, loaded where it is not yet."""
        return self._load(None).catalog

    def files(self) -> FileResolver:
        """Finds the files that workflows may name."""
        return self._load(None).files

    @property
    def further_kinds(self) -> frozenset[str]:
        """Kinds of files for which the settings name folders, whether or not a node reads them."""
        return frozenset(self._settings.folders)

    def newest(self) -> Catalog:
        """The catalog as the packs are now."""
        known = self._known
        if known is not None and known.catalog.failures and current_code(self._settings) == known.catalog.code:
            return known.catalog  # describing a broken pack again takes seconds and gives nothing new
        return self._load(known).catalog

    def defects(self, document: object, inputs: Row, targets: Collection[str] | None) -> list[Defect]:
        """Everything that keeps a workflow from running with these inputs. Raises WorkflowFormatError."""
        from ..workflow.model import Workflow

        return _defects(Workflow.from_document(document), inputs, targets, self._load(None))

    def check(self, document: object, inputs: Row, targets: Collection[str] | None) -> Workflow:
        """The workflow in a document, if it can run with these inputs.

        Raises WorkflowFormatError, or InvalidWorkflow with every defect, missing files among them.
        """
        return self.check_all(document, [inputs], targets)

    def check_all(self, document: object, rows: Sequence[Row], targets: Collection[str] | None) -> Workflow:
        """The workflow in a document, if it can run with every row of inputs; the defects name the row."""
        from ..workflow.model import Workflow

        workflow = Workflow.from_document(document)
        known = self._load(None)
        defects = _defects_of_rows(workflow, rows, targets, known)
        if defects:  # the packs may have changed since they were read
            newer = self._load(known)
            defects = _defects_of_rows(workflow, rows, targets, newer) if newer is not known else defects
        if defects:
            raise InvalidWorkflow(defects)
        return workflow

    def _load(self, old: _Known | None) -> _Known:
        """What is known; where that is still `old`, what the packs say now."""
        from ..catalog import load_catalog
        from ..execution.resolve import FileResolver

        with self._lock:
            known = self._known
            if known is None or known is old:
                catalog = load_catalog(self._settings)
                if known is None or _told(catalog) != _told(known.catalog):
                    known = _Known(catalog, FileResolver(self._settings, catalog.packs))
                self._known = known
            return known


def current_code(settings: Settings) -> dict[str, str]:
    """A digest of the source of each module of each pack, as they are now."""
    from ..fingerprint import PackSources
    from ..plugins import discover

    code: dict[str, str] = {}
    for pack in discover(settings.plugins, settings.cache / "definitions").packs:
        with contextlib.suppress(OSError):
            code |= PackSources(pack.package, pack.folder).digests()
    return code


def _told(catalog: Catalog) -> tuple[Mapping[str, str], list[str]]:
    """What makes a catalog another one."""
    return catalog.code, [str(each) for each in catalog.failures]


def _defects_of_rows(
    workflow: Workflow, rows: Sequence[Row], targets: Collection[str] | None, known: _Known
) -> list[Defect]:
    found: list[Defect] = []
    simple: dict[frozenset[str], _SimpleRows | None] = {}
    for index, row in enumerate(rows):
        names = frozenset(row)
        like = simple.get(names)
        if like is not None and like.fits(row):
            continue
        defects = _defects(workflow, row, targets, known)
        if not defects and names not in simple:
            simple[names] = _SimpleRows.of(workflow, names, known)
        if len(rows) > 1:
            defects = [replace(each, reason=f"row {index}: {each.reason}") for each in defects]
        found += defects
        if len(found) >= MOST_DEFECTS:
            break
    return found


def _defects(workflow: Workflow, row: Row, targets: Collection[str] | None, known: _Known) -> list[Defect]:
    """Everything that keeps a workflow from running with these inputs."""
    from ..execution.named_files import file_defects
    from ..execution.plan import targets_of
    from ..workflow.inputs import bind_inputs
    from ..workflow.validate import check

    try:
        graph: Graph = check(bind_inputs(workflow, row), known.catalog)
        targets_of(graph, targets)
    except InvalidWorkflow as error:
        return list(error.defects)
    return file_defects(graph, known.files)


class _SimpleRows:
    """Rows that name the same inputs as one that is valid: nothing but the values themselves can be wrong, unless they
    decide about types elsewhere. That makes a hundred thousand rows a matter of seconds.
    """

    def __init__(self, ports: Mapping[str, Sequence[PortType]], known: _Known) -> None:
        self._ports, self._files = ports, known.files
        self._fine: set[tuple[str, type, JsonValue]] = set()

    @classmethod
    def of(cls, workflow: Workflow, names: Iterable[str], known: _Known) -> _SimpleRows | None:
        """None where the value of an input may decide about types elsewhere."""
        from ..ports.types import has_variable
        from ..workflow.inputs import port_at

        ports: dict[str, list[PortType]] = {}
        for name in names:
            places = ports[name] = []
            for place in workflow.inputs[name].to:
                if workflow.nodes[place.rpartition(".")[0]].mode:  # then it may go elsewhere
                    return None
                port = port_at(workflow, known.catalog, place)
                if port is None or has_variable(port.type):  # then its type decides about others
                    return None
                places.append(port.type)
        return cls(ports, known)

    def fits(self, row: Row) -> bool:
        """Whether a row is certainly valid; others are looked at as a whole, which tells why they are not."""
        for name, value in row.items():
            if not isinstance(value, bool | int | float | str):
                return False
            if (name, type(value), value) not in self._fine:
                if not all(self._fits(port, value) for port in self._ports[name]):
                    return False
                self._fine.add((name, type(value), value))
        return True

    def _fits(self, port: PortType, value: bool | float | str) -> bool:
        from ..errors import FileMissing, FileNotAllowed
        from ..execution.keys import written_paths
        from ..ports.literals import problems
        from ..workflow.graph import Written

        if problems(port, value):
            return False
        try:
            for kind, name in written_paths(port, Written(value)):
                self._files.resolve(kind, name)
        except (FileMissing, FileNotAllowed):
            return False
        return True
