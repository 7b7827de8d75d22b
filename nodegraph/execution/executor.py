"""Runs a plan: results are stored as they come and dropped when nothing needs them."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..errors import Cancelled, NodeFailed
from ..plugins import make_importable
from ..ports.flow import Blocked
from ..workflow.graph import Graph, GraphNode, Link, Source, links_of
from ..workflow.model import Workflow
from .calling import (
    Arguments,
    Asked,
    Caller,
    IsBlocked,
    all_blocked,
    arguments_of,
    blocked_input,
    cause,
    is_portable,
    outputs_of,
    summary,
)
from .context import Progress
from .contexts import Contexts
from .events import (
    NodeBlocked,
    NodeCached,
    NodeErred,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    RunStarted,
)
from .keys import asked_for
from .machinery import Machinery
from .plan import Plan, twins
from .regions import Expansion, ForEach, Region, Repeat, Round, content_key, keep_expansion, kept_expansion
from .results import Outputs, Results
from .rounds import Rounds
from .scheduler import Scheduler, Track


class Executor:
    """One run of one plan."""

    def __init__(self, plan: Plan, machinery: Machinery) -> None:
        self._plan, self._machinery = plan, machinery
        self._rounds = Rounds(plan)
        self._nodes = self._rounds.nodes
        self._keys = machinery.keys
        self._caller = Caller(
            machinery.resolve, machinery.threads, machinery.cancel, check_purity=machinery.check_purity
        )
        self._contexts = Contexts(
            machinery.surroundings,
            machinery.events,
            machinery.keys,
            self._rounds.fields,
            machinery.journal,
            machinery.checkpoints,
            machinery.store,
        )
        self.ran: dict[str, None] = {}
        self.cached: dict[str, None] = dict.fromkeys(name for name in self._nodes if name in plan.cached)
        self.kept = 0
        self._vanished: set[str] = set()
        self._regions: dict[str, Region] = {}
        self._began: dict[str, float] = {}
        self._finished: set[str] = set()
        self._lock = threading.RLock()
        self._scheduler = Scheduler(
            priority=self._rounds.priority,
            lane=self._track,
            needs=self._needs,
            run=self._attempt,
            stopped=machinery.cancel.is_set,
        )
        self._results = Results(self._scheduler.release)
        self._same = twins(plan)
        for name in plan.order:
            self._results.expect(self._nodes[name])
        self._results.want([*plan.targets, *self._same.values()])

    def run(self) -> dict[str, Outputs]:
        """The outputs of the targets.

        Raises NodeFailed or Cancelled; results of the nodes that finished are stored by then.
        """
        events, plan = self._machinery.events, self._plan
        for pack in self._machinery.packs.values():  # stored results are of their classes, too
            make_importable(pack)
        events.emit(RunStarted(nodes=tuple(self._nodes), to_run=plan.certain, cached=len(plan.cached)))
        for name in self.cached:
            events.emit(NodeCached(node=name, key=self._stored_key(self._nodes[name])))
        for name, key in plan.spared.items():
            events.emit(NodeCached(node=name, key=key))
        try:
            names: Iterable[str] = plan.targets
            while True:
                self._scheduler.run(name for name in names if self._runs(name))
                if self._machinery.cancel.is_set() and not set(plan.targets) <= {*self._finished, *plan.cached}:
                    raise Cancelled("the run was cancelled")
                names = [name for name in plan.targets if not self._available(name)]
                if not names:
                    return self._results.snapshot(plan.targets)
                self._again(names)  # stored results that vanished
        finally:
            if self._machinery.store is not None:
                self._machinery.store.flush()

    # What is asked of a region's host.

    def open_round(self, node: GraphNode, prefix: str, index: int, body: Graph, given: Mapping[str, Source]) -> Round:
        """Add a copy of a body's nodes, called `prefix/` and their name, with its parameters replaced."""
        opened, added = self._rounds.open(node, prefix, index, body, given)
        for each in added:
            self._results.expect(each)
            self._keys.add(each)
        self._results.want(opened.wanted)
        return opened

    def close_round(self, opened: Round) -> None:
        """Forget them."""
        self._scheduler.forget(opened.names)
        self._results.unwant(opened.wanted)
        self._results.forget(opened.names)
        self._keys.forget(opened.names)
        self._rounds.close(opened)
        for name in opened.names:
            self._finished.discard(name)
            self._began.pop(name, None)

    def unfinished(self, opened: Round) -> list[str]:
        """The nodes that a round must run and that have not run to their end."""
        return self._scheduler.unfinished(opened.wanted)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of some nodes outside whose result is not there."""
        return [name for name in names if not self._available(name)]

    def value(self, link: Link) -> Any:
        """A result that is there."""
        outputs = self._results.get(link.node)
        assert outputs is not None, link
        return outputs[link.output]

    def key(self, link: Link) -> str:
        """What a result counts as in keys: its recipe, or its content where nothing asked for the recipe's key."""
        known = self._keys.get(link.node)
        return f"L{known}.{link.output}" if known else content_key(self.value(link), secrets.token_hex(16))

    def also(self, names: Sequence[str]) -> None:
        """Run more nodes, without waiting for them."""
        self._scheduler.also(names)

    def progress(self, node: GraphNode, value: Progress) -> None:
        """Tell how far a region is."""
        self._machinery.events.emit(NodeProgress(node=node.name, progress=value))

    # Which node runs when.

    def _track(self, name: str) -> Track:
        node = self._nodes[name]
        lane = node.definition.lane
        if node.loop is not None:
            return "engine" if lane == "io" else "device"
        return "device" if lane == "cpu" and self._machinery.surroundings.device == "cpu" else lane

    def _needs(self, name: str) -> list[str]:
        """What must run before a planned node: its twin, or those wired into it. Others are looked up first."""
        if name not in self._plan.keys or self._nodes[name].definition.expands:
            return []
        needed = [link.node for link in self._nodes[name].eager_links() if self._runs(link.node)]
        return [self._same[name], *needed] if name in self._same else needed  # what a twin needs has twins as well

    def _attempt(self, name: str) -> list[str]:
        """Run a node; or the names of the nodes that must run before it can."""
        if name in self._same and self._take_over(name, self._same[name]):
            return []
        node = self._nodes[name]
        if name not in self._plan.keys and (waiting := self._look_up(node)) is not None:
            return waiting
        needed: Collection[str] = dict.fromkeys(link.node for link in node.eager_links())
        if node.definition.expands and self._expand_again(node):
            needed = ()
        while True:
            missing = [each for each in needed if not self._available(each)]
            given = self._results.snapshot(dict.fromkeys(link.node for link in node.links()))
            if missing := missing or [each for each in needed if each not in given]:
                self._again(missing)
                return missing
            if self._machinery.cancel.is_set():
                raise Cancelled("the run was cancelled")
            if name not in self._regions and (blocked := blocked_input(node, given)):
                self._keys.decide(name, ())  # it will not ask for anything
                self._block(node, blocked)
                return []
            if node.loop or name in self._regions:
                waiting = self._run_region(node)
                self._again(waiting)
                return waiting
            needed = self._run_node(node, given)
            if not needed or name in self._regions:
                return list(needed)

    def _look_up(self, node: GraphNode) -> list[str] | None:
        """Nothing to wait for where a result is stored, or the nodes that decide about the key; None: it must run."""
        store = self._machinery.store
        if node.loop is not None or not (store or node.definition.takes_context):  # nothing is asked of its key
            return None
        while not self._keys.decided(node.name):
            if deciders := self._keys.deciders(node.name):  # none where another thread has just decided
                return deciders
        key = self._keys.get(node.name)
        if store is None or key is None or node.name in self._finished or not self._plan.keeps(node.definition):
            return None
        if (found := store.get(key)) is None:
            return None
        if node.name in self._plan.graph.nodes:
            self.cached[node.name] = None
        self._machinery.events.emit(NodeCached(node=node.name, key=key))
        self._hold(node.name, found[0])
        return []

    def _runs(self, name: str) -> bool:
        """Whether a node of the plan may have to run: the plan says so, or its stored result has vanished."""
        return name in self._rounds.turns or name in self._vanished

    def _again(self, names: Collection[str]) -> None:
        """These nodes must run, whatever the plan said."""
        with self._lock:
            for name in names:
                if name in self._plan.graph.nodes and not self._runs(name):
                    self._vanished.add(name)
                    self._results.expect(self._nodes[name])

    def _available(self, name: str) -> bool:
        return name in self._results or self._load(name)

    def _load(self, name: str) -> bool:
        """Fetch a stored result, unless the node runs and did not run yet."""
        store, key = self._machinery.store, self._keys.get(name)
        kept = name in self._finished or (name in self._plan.cached and not self._runs(name))
        if not kept or store is None or key is None or (found := store.get(key)) is None:
            return False
        self._results.put(name, found[0])
        return True

    # What one node does.

    def _run_region(self, node: GraphNode) -> list[str]:
        """Go on with a loop or an expansion; the nodes that it waits for."""
        try:
            if node.name not in self._regions:
                self._start(node)
                assert node.loop is not None
                kind = ForEach if node.loop.kind == "for_each" else Repeat
                self._regions[node.name] = kind(self, node, node.loop)
            found = self._regions[node.name].advance()
        except (Cancelled, NodeFailed):
            raise
        except Exception as error:
            raise self._failure(node, {}, error) from error
        if isinstance(found, list):
            return found
        del self._regions[node.name]
        self._finish(node, found, keep=False)
        return []

    def _run_node(self, node: GraphNode, given: Mapping[str, Outputs]) -> list[str]:
        """Call a node's function; the nodes that it waits for."""
        self._start(node)
        arguments, store = Arguments(), self._machinery.store
        try:
            arguments = arguments_of(node, given, self._machinery.resolve)
            returned = self._caller.call(node.definition, arguments, self._contexts.of(node))
            if node.definition.expands and isinstance(returned, Workflow):
                if waiting := self._decide(node, arguments):
                    return waiting
                if store is not None and self._plan.keeps(node.definition):
                    keep_expansion(store, self._keys[node.name], returned)
                self._expand(node, returned)
                return self._run_region(node)
            outputs = outputs_of(node.definition, returned)
        except Asked as asked:
            return asked.nodes
        except IsBlocked as stop:
            if waiting := self._decide(node, arguments):
                return waiting
            self._store(node, all_blocked(node.definition, stop.blocked))
            self._block(node, stop.blocked)
            return []
        except (Cancelled, NodeFailed):
            raise
        except (Exception, SystemExit) as error:
            raise self._failure(node, arguments.values, error) from error
        if waiting := self._decide(node, arguments):
            return waiting
        self._finish(node, outputs, keep=True)
        return []

    def _expand(self, node: GraphNode, workflow: Workflow) -> None:
        self._start(node)
        self._regions[node.name] = Expansion(self, node, lambda: self._machinery.expand(workflow, node))

    def _expand_again(self, node: GraphNode) -> bool:
        """Whether a node is on its way of expanding, or begins with the workflow that it gave in an earlier run."""
        if node.name in self._regions:
            return True
        store, key = self._machinery.store, self._keys.get(node.name)
        workflow = kept_expansion(store, key) if store is not None and key is not None else None
        if workflow is not None:
            self._expand(node, workflow)
        return workflow is not None

    def _decide(self, node: GraphNode, arguments: Arguments) -> list[str]:
        """Learn the key of a node that was called; or the nodes that must run before it can be known."""
        if not node.definition.lazy:
            return []
        if self._machinery.store is not None:
            asked = (link.node for name in arguments.asked for link in links_of(asked_for(node, name)[1]))
            unknown = [each for each in asked if self._keys.get(each) is None]
            if waiting := [decider for each in unknown for decider in self._keys.deciders(each)]:
                return waiting
        self._keys.decide(node.name, arguments.asked)
        return []

    def _start(self, node: GraphNode) -> None:
        if node.name not in self._began:  # one that asks for lazy inputs is called again
            self._began[node.name] = time.perf_counter()
            self._machinery.events.emit(NodeStarted(node=node.name, type_id=node.definition.id))

    def _failure(self, node: GraphNode, arguments: Mapping[str, Any], error: BaseException) -> NodeFailed:
        failure = NodeFailed(node.name, node.definition.id, summary(arguments), cause(error))
        self._machinery.events.emit(NodeErred(node=node.name, error=str(failure)))
        return failure

    def _take_over(self, name: str, twin: str) -> bool:
        """Use the result of a node of the same recipe; False where it is gone."""
        outputs = self._results.get(twin)
        if outputs is None:
            return False
        self._machinery.events.emit(NodeCached(node=name, key=self._stored_key(self._nodes[name])))
        self._hold(name, outputs)
        self._results.unwant([twin])
        return True

    def _block(self, node: GraphNode, blocked: Blocked) -> None:
        """Nothing to run: something it needs is blocked."""
        self._machinery.events.emit(NodeBlocked(node=node.name, reason=blocked.reason))
        self._hold(node.name, all_blocked(node.definition, blocked))

    def _finish(self, node: GraphNode, outputs: Outputs, *, keep: bool) -> None:
        if node.name in self._plan.graph.nodes:
            self.ran[node.name] = None
        self.kept += 1
        if keep:
            self._store(node, outputs)
            self._contexts.finished(node.name)
        seconds = time.perf_counter() - self._began.pop(node.name)
        self._hold(node.name, outputs)
        key = self._stored_key(node) if keep else ""
        self._machinery.events.emit(NodeFinished(node=node.name, seconds=seconds, key=key))

    def _stored_key(self, node: GraphNode) -> str:
        """Under which the result of a node is stored; "" where it is not."""
        if self._machinery.store is None or not self._plan.keeps(node.definition):
            return ""
        return self._keys.get(node.name) or ""

    def _store(self, node: GraphNode, outputs: Outputs) -> None:
        store = self._machinery.store
        if store is not None and self._plan.keeps(node.definition):
            portable = all(is_portable(port.type) for port in node.definition.outputs)
            store.put(self._keys[node.name], outputs, portable=portable)

    def _hold(self, name: str, outputs: Outputs) -> None:
        """Keep a result for those that need it; the node itself needs nothing more."""
        self._results.put(name, outputs)
        self._finished.add(name)
        self._results.done(name)
