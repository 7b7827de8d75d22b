"""Commands that ask a server; the test plays the worker."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nodegraph import Workflow
from nodegraph.cli.common import ExitCode
from nodegraph.jobs.model import JobError, JobFile, Outcome
from nodegraph.server.place import Note, leave_note
from nodegraph.settings import load_settings

from ..flows import flow, link
from ..server.conftest import Served
from ..server.requests import Hand, finish
from .conftest import Cli


def counting() -> Workflow:
    nodes = {"n": ("number", {"value": 2}), "m": ("scaled", {"value": 3})}
    return flow(nodes, {"n": "n.number"}, {"value": "n.value"}).model_copy(update={"title": "Counting"})


@pytest.fixture
def served(environment: dict[str, str], save: Callable[[Workflow], str]) -> Iterator[Served]:
    """A server that commands find by its note, and a workflow in flow.json."""
    save(counting())
    settings = load_settings()
    server = Served(settings)
    with leave_note(settings.state, Note(url=server.url, pid=1, output=settings.output.absolute())):
        yield server
    server.stop()


def submitted(cli: Cli, *options: object) -> str:
    answer = cli("submit", "flow.json", *options)
    assert answer.code == 0, answer.err
    return answer.out.strip()


def test_without_a_server_it_says_what_to_do(cli: Cli, save: Callable[[Workflow], str]) -> None:
    save(counting())
    for command in (["submit", "flow.json"], ["jobs", "list"], ["jobs", "watch"], ["jobs", "cancel", "x"], ["jobs", "prune", "--keep", "1"]):  # fmt: skip
        answer = cli(*command)
        assert (answer.code, answer.out) == (ExitCode.FAILED, "")
        assert "start one with nodegraph serve, or name one with --server URL" in answer.err
    assert cli("jobs", "list", "--json").json()["status"] == "failed"
    assert "is no nodegraph server" not in cli("jobs", "list", "--server", "http://127.0.0.1:9").err
    assert "no server answers at nonsense" in cli("jobs", "list", "--server", "nonsense").err


def test_what_answers_may_be_something_else(cli: Cli, served: Served) -> None:
    answer = cli("jobs", "list", "--server", f"{served.url}/elsewhere")
    assert answer.code == ExitCode.FAILED
    assert "there is nothing at" in answer.err


def test_a_job_is_sent_with_its_inputs_and_options(cli: Cli, served: Served) -> None:
    job = submitted(cli, "--value", "7", "--set", "m.value=5", "--priority", "4", "--label", "mine", "--time-limit", "9", "--attempts", "2", "--up-to", "n", "--no-cache")  # fmt: skip
    found = served.table.job(job)
    assert (found.inputs, found.priority, found.label, found.time_limit, found.attempts) == (
        {"value": 7},
        4,
        "mine",
        9.0,
        2,
    )
    asked = served.table.request(job)
    assert (asked.targets, asked.use_cache) == (["n"], False)
    assert asked.workflow["nodes"]["m"]["inputs"] == {"value": 5}  # type: ignore[index,call-overload]


def test_a_client_key_gives_the_same_job(cli: Cli, served: Served) -> None:
    first = submitted(cli, "--client-key", "k")
    assert submitted(cli, "--client-key", "k") == first
    answer = cli("submit", "flow.json", "--client-key", "k", "--value", "9")
    assert answer.code == ExitCode.FAILED
    assert "belongs to the job" in answer.err


def test_defects_are_told_as_run_tells_them(cli: Cli, served: Served) -> None:
    answer = cli("submit", "flow.json", "--value", "many", "--json")
    assert (answer.code, answer.json()["status"]) == (ExitCode.INVALID, "invalid")
    assert [each["code"] for each in answer.json()["defects"]] == ["bad_value"]
    assert cli("submit", "flow.json", "--label", "x" * 300).code == ExitCode.USAGE
    assert served.table.page().jobs == []


def test_waiting_shows_the_run_and_its_outputs(cli: Cli, served: Served, tmp_path: Path) -> None:
    file = JobFile(path=str(tmp_path / "work" / "output" / "a.png"), bytes=1, sha256="0" * 64)
    hand = Hand(served, lambda: Outcome(state="done", seconds=1, outputs={"n": 7}, files=[file]))
    answer = cli("submit", "flow.json", "--wait")
    hand.done()
    assert answer.code == 0
    assert answer.out == f"n: 7\n{tmp_path / 'work' / 'output' / 'a.png'}\n"
    for said in ("is sent", "it runs", "1 nodes to run, 0 results at hand", "n: halfway"):
        assert said in answer.err


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (Outcome(state="cancelled", seconds=1), ExitCode.CANCELLED, "the job was cancelled"),
        (
            Outcome(state="failed", seconds=1, error=JobError(kind="node", message="it broke", node="n")),
            ExitCode.FAILED,
            "nodegraph: it broke",
        ),
        (Outcome(state="failed", seconds=1, error=JobError(kind="invalid", message="bad")), ExitCode.INVALID, "bad"),
    ],
)
def test_waiting_ends_as_the_job_does(cli: Cli, served: Served, outcome: Outcome, code: int, said: str) -> None:
    hand = Hand(served, lambda: outcome)
    answer = cli("submit", "flow.json", "--wait")
    hand.done()
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    job = served.table.page().jobs[0].id
    again = cli("jobs", "watch", job)
    assert (again.code, said in again.err) == (code, True)
    events = [json.loads(line) for line in cli("jobs", "watch", job, "--json").out.splitlines()]
    assert [each["kind"] for each in events][:2] == ["queued", "started"]


def test_waiting_as_json_is_one_document(cli: Cli, served: Served) -> None:
    hand = Hand(served, lambda: Outcome(state="done", seconds=1, outputs={"n": 7}))
    answer = cli("submit", "flow.json", "--wait", "--json")
    hand.done()
    assert (answer.json()["state"], answer.json()["outputs"], answer.err) == ("done", {"n": 7}, "")


def test_ctrl_c_leaves_the_job_running(cli: Cli, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nodegraph.client.Client.wait", interrupted)
    answer = cli("submit", "flow.json", "--wait")
    job = served.table.page().jobs[0]
    assert (answer.code, job.state) == (ExitCode.CANCELLED, "queued")
    assert f"the job goes on; nodegraph jobs watch {job.id} shows it again" in answer.err
    answer = cli("submit", "flow.json", "--grid", "value=1,2", "--wait")
    assert (answer.code, "the jobs go on" in answer.err) == (ExitCode.CANCELLED, True)


def test_a_picture_of_this_machine_is_copied(cli: Cli, served: Served, save: Callable[[Workflow], str]) -> None:
    save(flow({"load": ("load_image", {"file": "x.png"})}, {}, {"picture": "load.file"}))
    Image.new("RGB", (8, 8)).save("mine.png")
    job = submitted(cli, "--picture", "mine.png")
    name = served.table.job(job).inputs["picture"]
    assert isinstance(name, str)
    assert (load_settings().input / name).is_file()


def test_rows_and_axes_become_a_batch(cli: Cli, served: Served) -> None:
    Path("rows.csv").write_text("m.value\n5\n6\n")
    answer = cli("submit", "flow.json", "--rows", "rows.csv", "--grid", "value=1,2", "--json")
    assert answer.code == 0, answer.out
    found = [served.table.request(each) for each in answer.json()["jobs"]]
    assert [each.inputs for each in found] == [{"m_value": m, "value": n} for m in (5, 6) for n in (1, 2)]
    bad = cli("submit", "flow.json", "--grid", "value=1,x")
    assert (bad.code, "row 1: it is a text" in bad.err) == (ExitCode.INVALID, True)
    assert len(served.table.page().jobs) == 4


def test_waiting_for_a_batch_tells_of_each(cli: Cli, served: Served) -> None:
    ends: list[Any] = [Outcome(state="done", seconds=1), Outcome(state="failed", seconds=1, error=JobError(kind="node", message="no"))]  # fmt: skip
    hands = [Hand(served, lambda: ends.pop(0))]

    def second() -> None:
        hands[0].done()
        hands.append(Hand(served, lambda: ends.pop(0)))
        hands[1].done()

    other = threading.Thread(target=second)
    other.start()
    answer = cli("submit", "flow.json", "--grid", "value=1,2", "--wait")
    other.join(60)
    assert (answer.code, answer.out) == (ExitCode.FAILED, "[1/2] done\n[2/2] failed: no\n")


def test_lists_and_details(cli: Cli, served: Served) -> None:
    done, waiting = submitted(cli, "--label", "first"), submitted(cli, "--label", "bell \x1b[31m\n\x07")
    finish(served.table, JobFile(path="output/a.png", bytes=1, sha256="0" * 64), outputs={"n": 2})
    rows = cli("jobs", "list").out.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [[waiting, "queued"], [done, "done"]]
    assert "\x1b" not in "".join(rows)
    assert "1 file" in rows[2]
    page = cli("jobs", "list", "--limit", "1", "--json").json()
    assert [each["id"] for each in page["jobs"]] == [waiting]
    assert [each["id"] for each in cli("jobs", "list", "--before", page["before"], "--json").json()["jobs"]] == [done]
    assert cli("jobs", "list", "--state", "asleep").code == ExitCode.USAGE
    shown = cli("jobs", "show", done).out
    for line in ("state:     done", "name:      first", "output:    n = 2"):
        assert line in shown
    assert cli("jobs", "show", done, "--json").json()["id"] == done
    queue = cli("jobs", "queue")
    assert waiting in queue.out
    assert "open: 1 queued, 1 done" in queue.err
    assert cli("jobs", "queue", "--json").json()["paused"] is False


def test_ids_and_states_are_whole_where_there_is_little_room(
    cli: Cli, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(cli, "--label", "a long name " * 10)
    monkeypatch.setenv("COLUMNS", "80")
    with served.table.owner() as owner:
        served.table.claim(owner.id)
        served.table.cancel(job)
        row = cli("jobs", "list").out.splitlines()[1]
    assert row.split()[:2] == [job, "cancelling"]
    assert len(row) <= 80


def test_a_label_cannot_write_to_the_terminal(cli: Cli, served: Served) -> None:
    job = submitted(cli, "--label", "\x1b]0;title\x07")
    for command in (["list"], ["show", job], ["queue"], ["pause", job], ["move", job, "--first"]):
        assert "\x1b" not in cli("jobs", *command).out


def test_asking_several_jobs(cli: Cli, served: Served) -> None:
    jobs = [submitted(cli) for _ in range(3)]
    assert [line.split()[:2] for line in cli("jobs", "pause", *jobs[:2]).out.splitlines()] == [
        [each, "paused"] for each in jobs[:2]
    ]
    answer = cli("jobs", "retry", "nobody", *jobs)
    assert answer.code == ExitCode.FAILED
    assert answer.err.count("cannot retry") == 3
    assert "there is no job 'nobody'" in answer.err
    assert [each["state"] for each in cli("jobs", "cancel", *jobs, "--json").json()] == ["cancelled"] * 3
    assert cli("jobs", "delete", jobs[0]).out.split()[:2] == [jobs[0], "deleted"]
    assert cli("jobs", "cancel").code == ExitCode.USAGE
    assert cli("jobs", "retry", jobs[1]).out.split()[1] == "queued"
    assert cli("jobs", "move", jobs[1], "--first", "--last").code == ExitCode.USAGE
    assert "cannot move" in cli("jobs", "move", jobs[1]).err


def test_asking_a_batch(cli: Cli, served: Served) -> None:
    batch = submitted(cli, "--grid", "value=1..3")
    assert cli("jobs", "pause", "--batch", batch).out == f"{batch}  3 paused\n"
    assert cli("jobs", "resume", "--batch", batch, "--json").json()["counts"]["queued"] == 3
    assert cli("jobs", "cancel", "x", "--batch", batch).code == ExitCode.USAGE
    assert len(cli("jobs", "list", "--batch", batch, "--json").json()["jobs"]) == 3
    assert "there is no batch" in cli("jobs", "cancel", "--batch", "none").err


def test_the_queue_is_paused(cli: Cli, served: Served) -> None:
    assert cli("jobs", "pause-queue").code == 0
    assert served.table.is_paused()
    assert "paused" in cli("jobs", "queue").err
    assert cli("jobs", "resume-queue").code == 0
    assert not served.table.is_paused()


def test_files_are_saved(cli: Cli, served: Served) -> None:
    job = submitted(cli)
    Path("output").mkdir()
    Path("output/a.bin").write_bytes(b"content" * 100_000)
    finish(served.table, JobFile(path="output/a.bin", bytes=700_000, sha256="0" * 64), outputs={"n": 2})
    assert cli("jobs", "results", job).out == f"n: 2\n{Path('output/a.bin').absolute()}\n"
    answer = cli("jobs", "results", job, "--to", "there", "--json").json()
    assert (answer["saved"], answer["files"][0]["name"]) == (["there/a.bin"], "a.bin")
    assert Path("there/a.bin").read_bytes() == b"content" * 100_000
    Path("output/a.bin").unlink()
    answer = cli("jobs", "results", job, "--to", "elsewhere")
    assert (answer.code, Path("elsewhere").exists()) == (ExitCode.FAILED, False)
    assert "not in the output folder any more" in answer.err


def test_the_history_goes_out_and_comes_back(cli: Cli, served: Served) -> None:
    job = submitted(cli, "--label", "kept")
    finish(served.table)
    assert cli("jobs", "export", "all.jsonl").code == 0
    assert job in Path("all.jsonl").read_text()
    assert cli("jobs", "export", "-").out == Path("all.jsonl").read_text()
    assert cli("jobs", "prune", "--keep", "0").out == "1 jobs forgotten\n"
    assert cli("jobs", "prune").code == ExitCode.USAGE
    assert cli("jobs", "import", "all.jsonl").out == "1 jobs added, 0 were there already\n"
    assert cli("jobs", "import", "-", "--json", stdin=Path("all.jsonl").read_bytes()).json() == {"new": 0, "known": 1}
    assert cli("jobs", "import", "lost.jsonl").code == ExitCode.UNREADABLE
    assert cli("jobs", "export", "/dev/null/x").code == ExitCode.UNREADABLE
    assert cli("jobs", "show", job).code == 0


def test_watching_everything(cli: Cli, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submitted(cli)
    with served.client() as client:
        kinds = client.past_events(job).events

    def events(*_: object, **__: object) -> Iterator[object]:
        yield from kinds
        raise KeyboardInterrupt

    monkeypatch.setattr("nodegraph.client.Client.events", events)
    answer = cli("jobs", "watch")
    assert (answer.code, answer.out.split()[2:]) == (0, [job, "queued"])
    assert json.loads(cli("jobs", "watch", "--json").out)["kind"] == "queued"


def test_links_are_no_values(cli: Cli, served: Served) -> None:
    assert link("n.number")  # a wire given as a value is a value, and refused as one
    assert cli("submit", "flow.json", "--value", '{"from": "n.number"}').code == ExitCode.INVALID
