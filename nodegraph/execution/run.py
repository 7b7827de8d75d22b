"""Running a workflow: from the file's model to results, in this process."""

from __future__ import annotations

import contextlib
import functools
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import JsonValue

from .. import __version__
from ..catalog import Catalog, load_catalog
from ..collecting import collection_paused
from ..devices.policy import DevicePolicy, device_policy
from ..errors import (
    Cancelled,
    FileMissing,
    FileNotAllowed,
    FileNotImported,
    InvalidWorkflow,
    NodeFailed,
    NodegraphError,
    StaleValue,
    shorten,
)
from ..files import is_file, is_folder, is_model_folder, write_atomically
from ..plugins import discover
from ..settings import Settings, load_settings
from ..workflow.defects import Defect
from ..workflow.graph import Graph, GraphNode
from ..workflow.inputs import bind_inputs
from ..workflow.model import Workflow
from ..workflow.validate import check, check_expansion
from .cancel import CancelToken
from .checkpoints import Checkpoints
from .context import Surroundings
from .contexts import TargetJournal
from .digests import FileDigests
from .events import Event, EventStream, Listener, NodeFile, RunFinished
from .executor import Executor
from .keys import FileDigest, KeyMaker, no_trace, package_version
from .late_keys import LateKeys, trace_of
from .machinery import Machinery
from .named_files import file_defects, named_files
from .naming import name_fields
from .opening import open_store
from .plan import Plan, make_plan, targets_of
from .reloading import drop_changed, forget_compiled, holds_code_of
from .resolve import FileResolver
from .results import holds_resident
from .store import ResultStore


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run gave.

    outputs: the values of the declared outputs, by name. ran, cached: names of nodes. keys: of all nodes. files: what
    was written into the output folder, in order.
    """

    outputs: Mapping[str, Any]
    ran: tuple[str, ...]
    cached: tuple[str, ...]
    keys: Mapping[str, str]
    seconds: float
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is planned but not started.

    workflow: with all values written in. keys: makes those that are known only while it runs.
    """

    workflow: Workflow
    plan: Plan
    keys: KeyMaker

    @property
    def files(self) -> Mapping[tuple[str, str], str]:
        """The content digests of the files that are read, by kind and name, as far as they are known."""
        return self.keys.files


class Runner:
    """Runs workflows one after the other and keeps what is worth keeping in between: catalog, results, digests.

    A context manager; `close` writes what is still buffered.
    """

    def __init__(
        self, settings: Settings | None = None, *, catalog: Catalog | None = None, store: ResultStore | None = None
    ) -> None:
        self.settings = settings if settings is not None else load_settings()
        self.catalog = catalog if catalog is not None else load_catalog(self.settings)
        self.policy: DevicePolicy = device_policy(self.settings)
        self.files = FileResolver(self.settings, self.catalog.packs)
        self.digests = FileDigests(self.settings.cache)
        self.store = store if store is not None else open_store(self.settings, self.digests)
        self.checkpoints = Checkpoints(self.settings.state / "checkpoints", self.settings.checkpoint_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is buffered and let go of the cache."""
        self.store.close()
        self.digests.close()

    def reload(self) -> frozenset[str]:
        """Read the node packs anew: the next run imports what has changed since, and whatever imports that.

        Gives the names of the modules that were dropped. Everything else stays warm: other modules, their resident
        results, and stored results, since keys contain the code. Not while a run is under way.
        """
        before = self.catalog.code
        forget_compiled(before, discover(self.settings.plugins).packs)
        self.catalog = load_catalog(self.settings)
        self.files = FileResolver(self.settings, self.catalog.packs)
        dropped = drop_changed(before, self.catalog.code, self.catalog.packs.values())
        if dropped:
            self.store.memory.forget_if(lambda outputs: holds_code_of(outputs, dropped))
        return dropped

    @collection_paused()
    def prepare(
        self,
        workflow: Workflow,
        inputs: Mapping[str, JsonValue] | None = None,
        *,
        targets: Iterable[str] | None = None,
        use_cache: bool = True,
        token: str | None = None,
    ) -> Prepared:
        """Validate and plan without running; `token` as in `run`.

        Raises InvalidWorkflow with every defect, files that are missing or not allowed included.
        """
        bound = bind_inputs(workflow, inputs or {})
        graph = check(bound, self.catalog)
        wanted = targets_of(graph, targets)
        if defects := self.file_defects(graph):
            raise InvalidWorkflow(defects)
        return Prepared(bound, *self.planned(graph, wanted, self._digest, use_cache=use_cache, token=token))

    def planned(
        self,
        graph: Graph,
        targets: Iterable[str],
        digest_of: FileDigest,
        *,
        use_cache: bool,
        token: str | None = None,
    ) -> tuple[Plan, KeyMaker]:
        """The plan of a run of `targets`, and what makes the keys that are known only while it runs."""
        asked = functools.partial(trace_of, self.store) if use_cache else no_trace
        nonce = secrets.token_hex(16) if token is None else sha256(token.encode()).hexdigest()
        maker = KeyMaker(digest_of, self.policy, nonce, asked)
        stored = self.store.contains_many if use_cache else _nothing_stored
        return make_plan(graph, maker.keys(graph), targets, stored, resumes=token is not None), maker

    def files_named(self, workflow: Workflow) -> list[tuple[str, str]]:
        """Kind and name of every file that a workflow names; they need not exist. Raises InvalidWorkflow."""
        found = ((kind, name) for _, _, kind, name in named_files(check(workflow, self.catalog)))
        return list(dict.fromkeys(found))

    def run(
        self,
        workflow: Workflow,
        inputs: Mapping[str, JsonValue] | None = None,
        *,
        targets: Iterable[str] | None = None,
        on_event: Listener | None = None,
        cancel: CancelToken | None = None,
        use_cache: bool = True,
        check_purity: bool = False,
        fields: Mapping[str, JsonValue] | None = None,
        token: str | None = None,
        journal: TargetJournal | None = None,
    ) -> RunResult:
        """Run what the outputs and effects of `workflow` (or `targets`, names of nodes) need.

        inputs: values of the declared workflow inputs. use_cache=False neither reads nor writes stored results, nor
        checkpoints of long nodes.
        fields: more that names of output files may mention, such as the number of a batch's row. token: the same for
        runs of which a later one takes the place of an earlier, so that it finds what was stored, also of nodes that
        are never cached otherwise; any text, by default unlike for every run. journal: where such runs write their
        files.
        Raises InvalidWorkflow before anything runs, NodeFailed or Cancelled afterwards. Where a node failed since a
        model lost its file, no model is kept for the next run.
        """
        started = time.perf_counter()
        prepared = self.prepare(workflow, inputs, targets=targets, use_cache=use_cache, token=token)
        plan = prepared.plan
        files: list[Path] = []

        def listen(event: Event) -> None:
            if isinstance(event, NodeFile):
                files.append(event.path)
            if on_event is not None:
                on_event(event)

        events = EventStream(listen)
        cancel = cancel or CancelToken()
        store = self.store if use_cache else None
        machinery = Machinery(
            store=store,
            packs=self.catalog.packs,
            resolve=self.files.resolve,
            surroundings=self._surroundings(prepared, cancel, fields or {}),
            events=events,
            cancel=cancel,
            keys=LateKeys(prepared.keys, plan.graph.nodes, plan.keys, store),
            expand=self._expanded,
            threads=self.policy.threads,
            journal=journal,
            checkpoints=self.checkpoints,
            check_purity=check_purity,
        )
        executor = Executor(plan, machinery)
        with _finishing(events, executor, started), self._forgetting_stale():
            results = executor.run()
        links = plan.graph.outputs
        outputs = {name: results[link.node][link.output] for name, link in links.items() if link.node in results}
        seconds = time.perf_counter() - started
        return RunResult(outputs, tuple(executor.ran), tuple(executor.cached), plan.keys, seconds, tuple(files))

    @contextlib.contextmanager
    def _forgetting_stale(self) -> Iterator[None]:
        """Keep no model for the next run where a node failed since one lost its file."""
        try:
            yield
        except NodeFailed as failure:
            if isinstance(failure.__cause__, StaleValue):
                self.store.memory.forget_if(holds_resident)
            raise

    def import_file(self, kind: str, path: Path) -> str:
        """A name under which a workflow may use a file that lies anywhere.

        A picture is copied into the input folder under its content digest; other kinds must lie in a folder of theirs.
        Raises FileMissing, FileNotAllowed or FileNotImported.
        """
        if not is_file(path) and not is_model_folder(path):
            raise FileMissing(f"there is no file {shorten(str(path))} to use as {kind}")
        for folder in self.settings.folders_of(kind):
            if is_folder(folder) and path.resolve().is_relative_to(folder.resolve()):
                return path.resolve().relative_to(folder.resolve()).as_posix()
        if kind != "image" or is_folder(path):
            places = ", ".join(map(str, self.settings.folders_of(kind)))
            raise FileNotAllowed(
                f"{path} lies in none of the {kind} folders ({places}); move it there or add its folder to the settings"
            )
        try:
            content = path.read_bytes()
            name = f"{sha256(content).hexdigest()[:16]}-{_ending(path.name)}"
            target = self.settings.input / name
            if not target.is_file():
                write_atomically(target, content)
        except OSError as error:
            raise FileNotImported(
                f"{path} could not be copied into the input folder {self.settings.input}: {error.strerror or error}; "
                "free some space or set another input folder"
            ) from error
        return name

    def _digest(self, kind: str, name: str) -> str:
        path = self.files.resolve(kind, name)
        try:
            return self.digests.digest(path)
        except OSError as error:
            raise FileMissing(f"the {kind} {name!r} cannot be read: {error.strerror or error}") from error

    def _expanded(self, workflow: Workflow, node: GraphNode) -> Graph:
        """The graph of a workflow that a node gave to take its place; raises InvalidWorkflow."""
        graph = check_expansion(workflow, node.definition, node.sources.keys(), self.catalog)
        if defects := self.file_defects(graph):
            raise InvalidWorkflow(defects)
        return graph

    def file_defects(self, graph: Graph) -> list[Defect]:
        """The files that a graph names and that are missing or not allowed."""
        return file_defects(graph, self.files)

    def _surroundings(self, prepared: Prepared, cancel: CancelToken, fields: Mapping[str, JsonValue]) -> Surroundings:
        workflow = prepared.workflow

        def provenance() -> Mapping[str, JsonValue]:
            packages = {package for node in prepared.plan.graph.all_nodes() for package in node.definition.numeric}
            return {
                "nodegraph": __version__,
                "workflow": workflow.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                | {"format": workflow.format},
                "files": {f"{kind}/{name}": digest for (kind, name), digest in sorted(prepared.files.items())},
                "versions": {package: package_version(package) for package in sorted(packages)},
                "computed_on": self.policy.text,
                **({"fields": dict(fields)} if fields else {}),
            }

        return Surroundings(
            device=self.policy.device,
            precision=self.policy.precision,
            output_folder=self.settings.output,
            state_folder=self.settings.state,
            provenance=provenance,
            fields=lambda: name_fields(workflow, prepared.plan.graph, fields),
            on_progress=lambda _: None,
            on_preview=lambda _: None,
            on_log=lambda _: None,
            on_file=lambda _: None,
            cancel=cancel,
        )


def run(
    workflow: Workflow | Path | str,
    inputs: Mapping[str, JsonValue] | None = None,
    *,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    use_cache: bool = True,
) -> RunResult:
    """Run a workflow, or the workflow in a file, once.

    For several runs in one process use `Runner`, which keeps models warm.
    """
    loaded = workflow if isinstance(workflow, Workflow) else Workflow.load(workflow)
    with Runner(settings) as runner:
        return runner.run(loaded, inputs, on_event=on_event, use_cache=use_cache)


@contextlib.contextmanager
def _finishing(events: EventStream, executor: Executor, started: float) -> Iterator[None]:
    """Say how the run ended, whichever way it does."""

    def finished(status: str) -> None:
        seconds = time.perf_counter() - started
        events.emit(RunFinished(status=status, seconds=seconds, kept=executor.kept))  # type: ignore[arg-type]

    try:
        yield
    except (Cancelled, KeyboardInterrupt):
        finished("cancelled")
        raise
    except NodegraphError:
        finished("failed")
        raise
    finished("done")


def _ending(name: str, limit: int = 100) -> str:
    """The last `limit` bytes of a file's name, the suffix among them."""
    return name.encode(errors="replace")[-limit:].decode(errors="ignore")


def _nothing_stored(keys: Collection[str]) -> set[str]:
    """The stored results of a run that uses no cache."""
    return set()
