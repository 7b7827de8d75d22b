"""`nodegraph preflight`: what a run would do, need and refuse, without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ..execution.report_document import said, to_document
from .common import ExitCode, JsonOption, print_json, reporting, say
from .declared import (
    DeviceOption,
    Given,
    PrecisionOption,
    SetOption,
    UpToOption,
    register_with_inputs,
    with_inputs,
)

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..execution.preflight import Report
    from ..workflow.model import Workflow

_HELP = """Tell what a run would do, need and refuse, without running anything.

nodegraph preflight FLOW.json [OPTIONS], where FLOW.json may be - for standard input. The inputs that the workflow
declares are options, as for nodegraph run."""


SHOWN_ITEMS = 3
"""Items of a list that are shown in a line."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    register_with_inputs(app, "preflight", _HELP, PreflightOptions, _preflight)


@dataclass(frozen=True, kw_only=True)
class PreflightOptions:
    """The options of every preflight, beside the inputs that the workflow declares."""

    set: SetOption = None
    up_to: UpToOption = None
    device: DeviceOption = None
    precision: PrecisionOption = None
    no_cache: Annotated[bool, typer.Option("--no-cache", help="As if there were no stored results.")] = False
    json: JsonOption = False


def _preflight(name: str, workflow: Workflow, catalog: Catalog, given: Given, options: PreflightOptions) -> None:
    with reporting(as_json=options.json):
        from ..execution.preflight import preflight
        from ..execution.run import Runner
        from ..settings import load_settings

        overrides = {"device": options.device, "precision": options.precision}
        with Runner(load_settings(overrides), catalog=catalog) as runner:
            bound = with_inputs(workflow, runner, options.set or [], given)
            report = preflight(runner, bound, targets=options.up_to, use_cache=not options.no_cache)
        if options.json:
            print_json(to_document(report))
        else:
            for line in to_lines(report):
                typer.echo(line)
            for defect in report.defects:
                say(f"  - {defect}")
        raise typer.Exit(ExitCode.INVALID if report.defects else ExitCode.DONE)


def to_lines(report: Report) -> Iterator[str]:
    """The report for people."""
    if report.memory is None:
        count = len(report.defects)
        yield f"{count} defect{'s' if count != 1 else ''}"
        return
    width = max((len(each.name) for each in report.nodes), default=0)
    for node in report.nodes:
        outputs = "; ".join(f"{name}: {_in_line(value)}" for name, value in node.outputs.items())
        yield f"{node.name:<{width}}  {node.state:<10}  {outputs}"
    for model in report.models:
        facts = model.facts
        size = f"{facts.parameters / 1e6:.1f} million parameters, {_megabytes(facts.bytes)}"
        yield f"model: {model.name}: {facts.family}, {facts.precision}, {size}"
    running = [each for each in report.nodes if each.state in ("runs", "may run")]
    counts = Counter(each.state for each in report.nodes)
    perhaps = f", {counts['may run']} may run" if counts["may run"] else ""
    yield f"nodes: {counts['runs']} will run{perhaps}, {counts['cached']} cached, {counts['not needed']} not needed"
    at_least, memory = "at least" if report.gaps else "about", report.memory
    when = f", most while {memory.node!r} runs" if memory.node else ""
    yield f"memory: {at_least} {_megabytes(memory.peak)}{when}"
    yield f"time: {report.time_class} ({at_least} {report.seconds:.1f} s)"
    if report.gaps:
        reasons: dict[str, list[str]] = {}
        for node in running:
            if node.gap:
                reasons.setdefault(node.gap, []).append(node.name)
        yield from (f"not known before the run ({gap}): {', '.join(names)}" for gap, names in reasons.items())
    if report.unread:
        yield f"not read, so taken as new: {', '.join(report.unread)}"


def _in_line(value: object) -> str:
    """As `said`, short enough for a line."""
    from ..errors import shorten

    if isinstance(value, list | tuple) and len(value) > SHOWN_ITEMS:
        return f"{len(value)} x {_in_line(value[0])}, ..."
    text = said(value)
    return text if isinstance(text, str) and not isinstance(value, str) else shorten(text)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
