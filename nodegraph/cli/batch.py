"""`nodegraph batch`: runs a workflow for every row of a table and every point of a grid."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..execution.showing import shown
from .apart import prints_apart
from .common import ExitCode, JsonOption, load_workflow, print_json_line, report_failures, reporting, say
from .inputs import port_named, stopping, value_from_text, write_sets

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ..execution.batch import Job, Journal, Row
    from ..execution.cancel import CancelToken
    from ..execution.run import Runner
    from ..workflow.defects import Defect
    from ..workflow.model import Workflow


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("batch")(batch)


def batch(
    workflow: Annotated[str, typer.Argument(help="A workflow file.")],
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="FILE", help="A table, CSV or JSONL: one run per row; - is JSONL.")
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="NAME=VALUES", help="An axis: name=a,b or name=1..5; repeatable."),
    ] = None,
    set: Annotated[
        list[str] | None, typer.Option("--set", help="Write any input in all runs: node.input=value; repeatable.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Folder to write into (default: ./output).")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Run also what an earlier batch finished.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a workflow for every row of a table and every point of a grid.

    All runs are checked before the first one starts. Finished runs are noted in batch.jsonl in the output folder; the
    same command goes on where it was stopped. A run that fails does not stop the others.
    """
    with reporting(as_json=as_json):
        from ..execution.batch import Journal, make_jobs, read_axis
        from ..execution.run import Runner
        from ..settings import load_settings

        document = load_workflow(workflow)
        jobs = make_jobs(read_table(rows), [read_axis(each) for each in grid or []])
        with Runner(load_settings({"output": output})) as runner:
            if not as_json:
                report_failures(runner.catalog)
            base = write_sets(document, runner.catalog, set or [])
            prepared = _prepare(base, jobs, runner)
            journal = Journal.open(runner.settings.output)
            failed = _Batch(runner, journal, as_json=as_json, again=again).run(prepared)
        raise typer.Exit(ExitCode.FAILED if failed else ExitCode.DONE)


def read_table(name: str | None) -> list[Row]:
    """The rows of a table, CSV or JSONL by its name; `-` is standard input."""
    from ..errors import FileMissing
    from ..execution.batch import MAX_TABLE_BYTES, BadTable, read_rows

    if name is None:
        return []
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as stream:
            content = stream.read(MAX_TABLE_BYTES + 1)
        if len(content) > MAX_TABLE_BYTES:
            raise BadTable(f"{name}: it has more than {MAX_TABLE_BYTES:,} bytes; divide it into several tables")
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadTable(f"{name}: it is no UTF-8 text: {error}") from error
    except (OSError, ValueError) as error:
        raise FileMissing(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    kind: Literal["csv", "jsonl"] = "csv" if name.lower().endswith(".csv") else "jsonl"
    return read_rows(text, kind, source="standard input" if name == "-" else name)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A job with its values written in; `digest` says what it computes."""

    job: Job
    values: Mapping[str, JsonValue]
    workflow: Workflow
    digest: str


def _prepare(base: Workflow, jobs: list[Job], runner: Runner) -> list[_Prepared]:
    """Write every job's values and check every job; all defects of all jobs at once."""
    from dataclasses import replace

    from ..errors import InvalidWorkflow
    from ..execution.batch import job_digest
    from ..workflow.inputs import bind_inputs

    found: list[_Prepared] = []
    defects: list[Defect] = []
    named = dict.fromkeys(name for job in jobs for name in job.texts)
    ports = {name: port_named(base, runner.catalog, name) for name in named}
    for job in jobs:
        try:
            read = {name: value_from_text(runner, ports[name], text) for name, text in job.texts.items()}
            values = {**job.values, **read}
            places = {name.rpartition(".")[::2]: value for name, value in values.items() if _is_place(base, name)}
            declared = {name: value for name, value in values.items() if not _is_place(base, name)}
            bound = bind_inputs(base.with_values(places), declared)
            plan = runner.prepare(bound, use_cache=False).plan  # keys alone; what is stored is asked when it runs
            found.append(_Prepared(job, values, bound, job_digest(plan.keys, plan.targets, job.index)))
        except InvalidWorkflow as error:
            defects += [replace(each, reason=f"{job.source}: {each.reason}") for each in error.defects]
    if defects:
        raise InvalidWorkflow(defects)
    return found


def _is_place(workflow: Workflow, name: str) -> bool:
    """Whether a name stands for an input of a node, and not for a declared input of the workflow."""
    return name not in workflow.inputs and name.rpartition(".")[0] in workflow.nodes


class _Batch:
    """Runs prepared jobs one after the other and reports each."""

    def __init__(self, runner: Runner, journal: Journal, *, as_json: bool, again: bool) -> None:
        self._runner, self._journal, self._as_json, self._again = runner, journal, as_json, again

    def run(self, jobs: list[_Prepared]) -> int:
        """How many failed."""
        from ..errors import NodegraphError
        from ..execution.cancel import CancelToken

        token, failed, done = CancelToken(), 0, 0
        with stopping(token):
            for each in jobs:
                label = f"[{each.job.index + 1}/{len(jobs)}]"
                try:
                    self._one(each, token, label)
                    done += 1
                except NodegraphError as error:
                    if token.is_set():
                        say(f"{done} of {len(jobs)} runs are finished; the same command goes on from there")
                        raise
                    failed += 1
                    self._report(each, {"status": "failed", "error": str(error)}, f"{label} failed: {error}")
        if not self._as_json:
            say(f"{done} of {len(jobs)} runs finished{f', {failed} failed' if failed else ''}")
        return failed

    def _one(self, each: _Prepared, token: CancelToken, label: str) -> None:
        from ..execution.batch import Entry
        from ..jobs.here import run_here
        from .progress import watching

        known = None if self._again else self._journal.finished(each.digest)
        if known is not None:
            document = {"status": "finished before", "outputs": dict(known.outputs), "files": list(known.files)}
            self._report(each, document, f"{label} finished before: {', '.join(known.files)}")
            return
        with watching(quiet=self._as_json, brief=True) as listener, prints_apart():
            result = run_here(self._runner, each.workflow, listener, token, fields={"index": each.job.index})
        seconds, files = round(result.seconds, 3), [str(path) for path in result.files]
        outputs = {name: shown(value) for name, value in result.outputs.items()}
        self._journal.add(Entry(each.digest, each.job.index, each.values, outputs, tuple(files), seconds))
        made = {"status": "done", "outputs": outputs, "files": files, "seconds": seconds}
        self._report(each, made, f"{label} {', '.join(files) or 'done'} ({seconds:.1f} s)")

    def _report(self, each: _Prepared, document: Mapping[str, Any], line: str) -> None:
        if self._as_json:
            print_json_line({"index": each.job.index, "values": each.values, **document})
        else:
            typer.echo(line)
