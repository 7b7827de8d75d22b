"""Many runs of one workflow: rows of a table and parameter grids, with a journal that lets a stopped batch go on."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from ..errors import NodegraphError

JOURNAL = "batch.jsonl"
"""The journal's name, in the output folder."""

RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
MOST_JOBS = 1_000_000
MAX_TABLE_BYTES = 256 * 2**20
"""Larger tables are refused before they are parsed."""


class BadTable(NodegraphError):
    """Rows or a grid that cannot be read."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a batch.

    index: from 0. values: by declared input or `node.input`; texts that are still to be understood are in `texts`, by
    the same names. source: where it comes from, for messages.
    """

    index: int
    values: Mapping[str, JsonValue]
    texts: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: JSON values, or texts as a CSV file holds them."""

    values: Mapping[str, JsonValue]
    texts: Mapping[str, str]
    source: str


def read_rows(text: str, kind: Literal["csv", "jsonl"], *, source: str) -> list[Row]:
    """The rows of a table; empty cells and null leave a value as it is.

    csv: the first line names the inputs. jsonl: one JSON object per line. Raises BadTable with the line's number.
    """
    rows = list(_csv_rows(text, source) if kind == "csv" else _jsonl_rows(text, source))
    if not rows:
        raise BadTable(f"{source} holds no rows")
    return rows


def _csv_rows(text: str, source: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        for name in names:
            if not name or names.count(name) > 1:
                wrong = f"the column {name!r} is there twice" if name else "a column has no name"
                raise BadTable(f"{source}, line 1: {wrong}")
        for cells in reader:
            place = f"{source}, line {reader.line_num}"
            if len(cells) > len(names):
                raise BadTable(f"{place}: {len(cells)} cells, but {len(names)} columns; quote cells that hold commas")
            found = {name: cell for name, cell in zip(names, cells, strict=False) if cell != ""}
            if found:
                yield Row({}, found, place)
    except csv.Error as error:
        raise BadTable(f"{source}, line {reader.line_num}: {error}") from error


def _jsonl_rows(text: str, source: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        place = f"{source}, line {number}"
        try:
            found = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise BadTable(f"{place}: it is no valid JSON: {error}") from error
        if not isinstance(found, dict):
            raise BadTable(f"{place}: a row is a JSON object of inputs and values, not {type(found).__name__}")
        yield Row({name: value for name, value in found.items() if value is not None}, {}, place)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value; numbers must be finite")


def read_axis(text: str) -> tuple[str, list[str]]:
    """An axis of a grid: `name=a,b,c`, whole numbers `name=1..5`, or a JSON list `name=["a, b", "c"]`.

    Gives the name and each value as a text. Raises BadTable.
    """
    name, equals, rest = text.partition("=")
    if not equals or not name.strip() or not rest.strip():
        raise BadTable(f"--grid {text!r}: write name=value,value or name=first..last")
    if match := RANGE.fullmatch(rest.strip()):
        first, last = int(match[1]), int(match[2])
        if abs(last - first) >= MOST_JOBS:
            raise BadTable(f"--grid {text!r}: these are {abs(last - first) + 1:,} values; at most {MOST_JOBS:,}")
        step = 1 if last >= first else -1
        return name.strip(), [str(each) for each in range(first, last + step, step)]
    if rest.lstrip().startswith("["):
        try:
            items = json.loads(rest)
        except ValueError as error:
            raise BadTable(f"--grid {text!r}: it is no valid JSON list: {error}") from error
        return name.strip(), [each if isinstance(each, str) else json.dumps(each) for each in items]
    return name.strip(), rest.split(",")


def make_jobs(rows: Sequence[Row], axes: Sequence[tuple[str, Sequence[str]]]) -> list[Job]:
    """Every row with every point of the grid, the last axis the fastest. Raises BadTable."""
    names = [name for name, _ in axes]
    for name in names:
        if names.count(name) > 1:
            raise BadTable(f"--grid {name}: it is given twice; write all values into one")
        for row in rows:
            if name in row.values or name in row.texts:
                raise BadTable(f"{row.source}: {name!r} is a column and an axis of the grid; keep one of them")
    count = max(1, len(rows))
    for _, values in axes:
        count *= len(values)
    if count > MOST_JOBS:
        raise BadTable(f"these are {count:,} runs; a batch has at most {MOST_JOBS:,}")
    points = list(itertools.product(*(values for _, values in axes)))
    jobs: list[Job] = []
    for row in rows or [Row({}, {}, "grid")]:
        for point in points:
            chosen = dict(zip(names, point, strict=True))
            shown = ", ".join(f"{name}={value}" for name, value in chosen.items())
            source = f"{row.source}{f' ({shown})' if shown else ''}"
            jobs.append(Job(len(jobs), row.values, {**row.texts, **chosen}, source))
    return jobs


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished run in the journal. job: a digest of what it computes and of its number. files: what it wrote."""

    job: str
    index: int
    values: Mapping[str, JsonValue]
    outputs: Mapping[str, JsonValue]
    files: tuple[str, ...]
    seconds: float


@dataclass(slots=True)
class Journal:
    """The finished runs of a batch, one JSON line each, appended as they finish."""

    path: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Journal:
        """The journal in an output folder; lines that a crash cut short are passed over."""
        journal = cls(folder / JOURNAL)
        try:
            lines = journal.path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return journal
        for line in lines:
            try:
                found = json.loads(line)
                entry = Entry(**{**found, "files": tuple(found["files"])})
            except (ValueError, TypeError, KeyError):
                continue
            journal.entries[entry.job] = entry
        return journal

    def finished(self, job: str) -> Entry | None:
        """The entry of a run that was finished and whose files are all still there."""
        entry = self.entries.get(job)
        return entry if entry is not None and all(Path(each).exists() for each in entry.files) else None

    def add(self, entry: Entry) -> None:
        """Append an entry; it is on disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "job": entry.job,
            "index": entry.index,
            "values": dict(entry.values),
            "outputs": dict(entry.outputs),
            "files": list(entry.files),
            "seconds": round(entry.seconds, 3),
        }
        with self.path.open("a+b") as file:
            if file.tell() and not _ends_a_line(file):
                file.write(b"\n")
            file.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.entries[entry.job] = entry


def _ends_a_line(file: io.BufferedRandom) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def job_digest(keys: Mapping[str, str], targets: Iterable[str], index: int) -> str:
    """What a run computes, and which of the batch it is: equal ones need not run again."""
    text = json.dumps([index, sorted((name, keys[name]) for name in targets)])
    return sha256(text.encode()).hexdigest()[:32]
