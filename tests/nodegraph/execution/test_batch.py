"""Tables, grids, names of files and the journal of a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import InvalidInput
from nodegraph.execution.batch import BadTable, Entry, Job, Journal, make_jobs, read_axis, read_rows
from nodegraph.execution.naming import LONGEST_FIELD, fill_name

cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=8
)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=4))
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    import csv
    import io

    target = io.StringIO(newline="")
    csv.writer(target).writerows([("a", "b"), *rows])
    found = read_rows(target.getvalue(), "csv", source="t.csv")
    assert [(row.texts["a"], row.texts["b"]) for row in found] == rows


def test_rows_keep_their_lines_and_leave_out_empty_cells() -> None:
    found = read_rows('\ufeffprompt,seed\ncat,\n"two\nlines",3\n,\n', "csv", source="t.csv")
    assert [(dict(row.texts), row.source) for row in found] == [
        ({"prompt": "cat"}, "t.csv, line 2"),
        ({"prompt": "two\nlines", "seed": "3"}, "t.csv, line 4"),
    ]


def test_json_lines_keep_their_types() -> None:
    found = read_rows('{"a": 1, "b": null}\n\n{"a": "1"}\n', "jsonl", source="t")
    assert [(dict(row.values), row.source) for row in found] == [({"a": 1}, "t, line 1"), ({"a": "1"}, "t, line 3")]


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("csv", "", "holds no rows"),
        ("csv", "a,b\n", "holds no rows"),
        ("csv", "a,a\n1,2\n", "line 1: the column 'a' is there twice"),
        ("csv", "a,\n1,2\n", "line 1: a column has no name"),
        ("csv", "a\n1,2\n", "line 2: 2 cells, but 1 columns"),
        ("csv", 'a\n"x', "line 2: unexpected end of data"),
        ("jsonl", "", "holds no rows"),
        ("jsonl", "{}\n[1]\n", "line 2: a row is a JSON object of inputs and values, not list"),
        ("jsonl", '{"a": NaN}', "line 1: it is no valid JSON: NaN is no JSON value"),
        ("jsonl", '{"a"', "line 1: it is no valid JSON"),
        ("jsonl", "[" * 100_000, "line 1: it is no valid JSON"),
    ],
)
def test_what_is_no_table_is_refused(kind: Any, text: str, words: str) -> None:
    with pytest.raises(BadTable, match=r"^t[:, ]") as caught:
        read_rows(text, kind, source="t")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed=1,2", ("seed", ["1", "2"])),
        ("seed=3..1", ("seed", ["3", "2", "1"])),
        ("seed=-1..1", ("seed", ["-1", "0", "1"])),
        ("a.b=x", ("a.b", ["x"])),
        ('p=["a, b", 2]', ("p", ["a, b", "2"])),
        ("p=a=b,c", ("p", ["a=b", "c"])),
    ],
)
def test_axes(text: str, expected: tuple[str, list[str]]) -> None:
    assert read_axis(text) == expected


@pytest.mark.parametrize("text", ["seed", "=1", "seed=", "p=[1", "seed=0..99999999999"])
def test_wrong_axes_are_refused(text: str) -> None:
    with pytest.raises(BadTable):
        read_axis(text)


def test_every_row_meets_every_point() -> None:
    rows = read_rows("p\ncat\ndog\n", "csv", source="t")
    jobs = make_jobs(rows, [("s", ["1", "2"]), ("g", ["3"])])
    assert [(job.index, *job.texts.values()) for job in jobs] == [
        (0, "cat", "1", "3"), (1, "cat", "2", "3"), (2, "dog", "1", "3"), (3, "dog", "2", "3")
    ]  # fmt: skip
    assert jobs[3].source == "t, line 3 (s=2, g=3)"
    assert make_jobs([], []) == [Job(0, {}, {}, "grid")]


def test_too_many_runs_and_doubled_names_are_refused() -> None:
    rows = read_rows("s\n1\n", "csv", source="t")
    for axes in ([("s", ["1"])], [("a", ["1"]), ("a", ["2"])], [("a", ["1"] * 1001), ("b", ["1"] * 1000)]):
        with pytest.raises(BadTable):
            make_jobs(rows, axes)


def entry(job: str, *files: Path) -> Entry:
    return Entry(job, 0, {"p": "ä"}, {"x": 1}, tuple(map(str, files)), 0.5)


def test_the_journal_remembers_what_is_still_there(tmp_path: Path) -> None:
    file = tmp_path / "made.png"
    file.write_bytes(b"")
    journal = Journal.open(tmp_path)
    journal.add(entry("one", file))
    journal.add(entry("two", tmp_path / "gone.png"))
    again = Journal.open(tmp_path)
    assert again.finished("one") == entry("one", file)
    assert again.finished("two") is None
    assert again.finished("three") is None


def test_a_line_that_a_crash_cut_short_costs_only_itself(tmp_path: Path) -> None:
    Journal.open(tmp_path).add(entry("one"))
    with (tmp_path / "batch.jsonl").open("ab") as file:
        file.write(b'{"job": "two", "ind')
    journal = Journal.open(tmp_path)
    journal.add(entry("three"))
    assert set(Journal.open(tmp_path).entries) == {"one", "three"}
    assert len((tmp_path / "batch.jsonl").read_text().splitlines()) == 3


def test_names_with_values() -> None:
    fields = {"prompt": "a cat / dog: \u00e4?", "seed": 7, "node.input": [1, 2], "long": "x" * 500}
    assert fill_name("{prompt}-{seed}", lambda: fields) == "a cat _ dog_ ä-7"
    assert fill_name("{node.input}/{long}", lambda: fields) == "1_ 2/" + "x" * LONGEST_FIELD
    assert fill_name("plain {} {", lambda: fields) == "plain {} {"


def test_values_in_names_never_leave_the_folder() -> None:
    assert fill_name("{p}", lambda: {"p": "../../etc/passwd"}) == "etc_passwd"
    assert "/" not in fill_name("{p}", lambda: {"p": json.dumps("a/b\x00c")})


def test_unknown_fields_are_told_with_near_ones() -> None:
    with pytest.raises(InvalidInput, match=r"no field \{sed\}; did you mean \{seed\}"):
        fill_name("{sed}", lambda: {"seed": 1})
    with pytest.raises(InvalidInput, match=r"there are seed, and every node\.input"):
        fill_name("{colour}", lambda: {"seed": 1, "a.b": 2})
