"""`nodegraph run --watch`: runs again whenever the workflow, the code of a node or a file that is read changes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .common import ExitCode, load_workflow, report_failures, reporting, say

if TYPE_CHECKING:
    from ..execution.run import Runner
    from ..execution.watching import State
    from .run import Request


def pause() -> None:
    """Wait until the next look."""
    time.sleep(0.3)


def watch(request: Request, runner: Runner) -> None:
    """Run, and run again after every change, until Ctrl-C."""
    from ..execution.watching import wait_for_change

    watched = _Watched(request, runner)
    while True:
        watched.attempt()
        if not request.options.json:
            say(f"watching {request.name} and what it uses; Ctrl-C leaves")
        try:
            wait_for_change(watched.seen, watched.look, pause)
        except KeyboardInterrupt:
            return
        runner.reload()


class _Watched:
    """A run with what it depends on.

    seen: the state that the last attempt saw; what changes while it runs is a change, too.
    """

    def __init__(self, request: Request, runner: Runner) -> None:
        self._request, self._runner = request, runner
        self._files: list[tuple[str, str]] = []
        self.seen: State = {}

    def attempt(self) -> None:
        """Run once; errors are shown, and no reason to leave."""
        self.seen = self.look()
        as_json = self._request.options.json
        try:
            with reporting(as_json=as_json):
                if not as_json:
                    report_failures(self._runner.catalog)
                self._run()
        except typer.BadParameter as error:
            say(f"nodegraph: {error.format_message()}")
        except typer.Exit as end:
            if end.exit_code == ExitCode.CANCELLED:
                raise
        sys.stdout.flush()

    def look(self) -> State:
        """The state of all that the run depends on."""
        from ..execution.watching import code_paths, state_of, state_of_named

        runner, request = self._runner, self._request
        given = [Path(value) for value in request.values.values() if isinstance(value, str)]
        code = code_paths(runner.catalog.packs.values(), runner.settings.plugins)
        return {**state_of([Path(request.name), *given, *code]), **state_of_named(self._files, runner.files)}

    def _run(self) -> None:
        from ..execution.watching import state_of_named
        from .run import bound, report, run_once

        workflow = bound(self._request, load_workflow(self._request.name), self._runner)
        self._files = self._runner.files_named(workflow)
        self.seen = {**self.seen, **state_of_named(self._files, self._runner.files)}
        report(run_once(self._request, workflow, self._runner), as_json=self._request.options.json)
