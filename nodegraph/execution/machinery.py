"""What a run needs beside its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..plugins import Pack
from ..workflow.graph import Graph, GraphNode
from ..workflow.model import Workflow
from .cancel import CancelToken
from .checkpoints import Checkpoints
from .context import Surroundings
from .contexts import TargetJournal
from .events import EventStream
from .late_keys import LateKeys
from .store import ResultStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """What a run needs beside its plan.

    store: None runs without any cache. keys: those that come to be known while it runs. expand: the graph of a workflow
    that a node gave. check_purity: compare the content of every node's inputs before and after. threads: of one CPU
    operation. journal: of the files that nodes write. checkpoints: of long nodes.
    """

    store: ResultStore | None
    packs: Mapping[str, Pack]
    resolve: Callable[[str, str], Path]
    surroundings: Surroundings
    events: EventStream
    cancel: CancelToken
    keys: LateKeys
    expand: Callable[[Workflow, GraphNode], Graph]
    threads: int
    journal: TargetJournal | None = None
    checkpoints: Checkpoints | None = None
    check_purity: bool = False
