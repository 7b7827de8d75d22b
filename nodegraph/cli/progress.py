"""What a run shows in the terminal: a bar for the node at work, a line for what happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from ..execution.events import (
    Event,
    Listener,
    NodeErred,
    NodeFinished,
    NodeLog,
    NodeProgress,
    NodeStarted,
    RunFinished,
    RunStarted,
)


@contextmanager
def watching(*, quiet: bool = False, brief: bool = False) -> Iterator[Listener]:
    """A listener that shows a run on standard error while the block lasts.

    quiet: show nothing. brief: leave out how the run begins and ends.
    """
    if quiet:
        yield lambda event: None
        return
    console = Console(stderr=True, highlight=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Display(bars, brief=brief).show


class _Display:
    """Keeps one bar per running node."""

    def __init__(self, bars: Progress, *, brief: bool) -> None:
        self._bars, self._brief = bars, brief
        self._tasks: dict[str, TaskID] = {}

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, RunStarted):  # a job may begin again where its worker was lost
            for task in self._tasks.values():
                self._bars.remove_task(task)
            self._tasks.clear()
        match event:
            case RunStarted() | RunFinished() if self._brief:
                pass
            case RunStarted(to_run=to_run, cached=cached):
                self._print(f"{to_run} nodes to run, {cached} results at hand")
            case NodeStarted(node=node):
                self._tasks[node] = self._bars.add_task(node, total=None, pace="")
            case NodeProgress(node=node, progress=progress):
                pace = (
                    f"{progress.rate:.1f} it/s, {progress.eta:.0f} s left"
                    if progress.rate and progress.eta is not None
                    else ""
                )
                text = " ".join(filter(None, (pace, progress.message)))
                self._bars.update(self._tasks[node], completed=progress.done, total=progress.total, pace=text)
            case NodeLog(node=node, text=text):
                self._print(f"{node}: {text}")
            case NodeFinished(node=node, seconds=seconds):
                self._bars.remove_task(self._tasks.pop(node))
                if seconds >= 0.1:
                    self._print(f"{node}: {seconds:.1f} s")
            case NodeErred(node=node):
                self._bars.remove_task(self._tasks.pop(node))
            case RunFinished(status="cancelled", kept=kept):
                self._print(
                    f"cancelled; the results of the {kept} finished nodes are kept, the same command goes on from there"
                )
            case RunFinished(status="failed", kept=kept) if kept:
                self._print(f"the results of the {kept} finished nodes are kept")
            case RunFinished(status="done", seconds=seconds):
                self._print(f"done in {seconds:.1f} s")

    def _print(self, text: str) -> None:
        self._bars.console.print(text, style="dim", markup=False)
