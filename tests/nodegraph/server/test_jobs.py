"""Routes of jobs, batches and the queue: statuses and bodies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodegraph import __version__
from nodegraph.settings import Settings

from ..flows import flow
from .conftest import Serve, Served
from .requests import claimed, finish, request, workflow


def submit(served: Served, **options: object) -> str:
    answer = served.ask("POST", "/jobs", request(**options))
    assert answer.status == 201, answer.content
    return str(answer.json()["id"])


def waiting(served: Served) -> list[str]:
    return [each["id"] for each in served.ask("GET", "/queue").json()["jobs"]]


def test_a_job_is_accepted_and_found_again(served: Served) -> None:
    answer = served.ask("POST", "/jobs", request(inputs={"value": 3}, label="hello", priority=5, targets=["n"]))
    assert answer.status == 201
    job = answer.json()
    assert (job["state"], job["inputs"], job["label"], job["priority"]) == ("queued", {"value": 3}, "hello", 5)
    assert served.ask("GET", f"/jobs/{job['id']}").json() == job
    assert served.ask("GET", "/jobs").json() == {"jobs": [job], "before": None}
    asked = served.ask("GET", f"/jobs/{job['id']}/request").json()
    assert (asked["workflow"], asked["inputs"], asked["targets"]) == (workflow(), {"value": 3}, ["n"])
    assert served.nobody.woken > 0


def test_the_title_of_the_workflow_is_kept(served: Served) -> None:
    assert served.ask("POST", "/jobs", {"workflow": {**workflow(), "title": "Counting"}}).json()["title"] == "Counting"


def test_a_client_key_gives_the_same_job_again(served: Served) -> None:
    first = served.ask("POST", "/jobs", request(client_key="mine"))
    again = served.ask("POST", "/jobs", request(client_key="mine"))
    other = served.ask("POST", "/jobs", request(client_key="mine", inputs={"value": 9}))
    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert first.json() == again.json()
    assert other.json()["code"] == "client_key_reused"
    assert len(served.ask("GET", "/jobs").json()["jobs"]) == 1


def test_an_invalid_workflow_is_refused_with_every_defect(served: Served) -> None:
    nodes = {"n": ("numbr", {}), "m": ("number", {"value": "x"})}
    broken = json.loads(flow(nodes, {}, {"value": "m.value"}).to_json())
    answer = served.ask("POST", "/jobs", {"workflow": broken})
    assert (answer.status, answer.json()["code"]) == (422, "invalid_workflow")
    assert [(each["code"], each["node"]) for each in answer.json()["defects"]] == [
        ("unknown_type", "n"),
        ("bad_value", "m"),
    ]
    assert served.ask("GET", "/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"inputs": {"vale": 3}}, "bad_workflow_input"),
        ({"inputs": {"value": "many"}}, "bad_value"),
        ({"targets": ["m"]}, "missing_node"),
    ],
)
def test_inputs_and_targets_are_checked(served: Served, options: dict[str, object], code: str) -> None:
    answer = served.ask("POST", "/jobs", request(**options))
    assert (answer.status, [each["code"] for each in answer.json()["defects"]]) == (422, [code])


def test_missing_files_are_defects_that_tell_no_folder(served: Served, tmp_path: Path) -> None:
    reading = json.loads(flow({"r": ("read_text", {"file": "lost.txt"})}).to_json())
    answer = served.ask("POST", "/jobs", {"workflow": reading})
    assert (answer.status, answer.json()["defects"][0]["code"]) == (422, "missing_file")
    assert str(tmp_path) not in answer.content.decode()
    assert "models/note" in answer.json()["error"]
    (tmp_path / "models" / "note").mkdir(parents=True)
    (tmp_path / "models" / "note" / "lost.txt").write_text("found")
    assert served.ask("POST", "/jobs", {"workflow": reading}).status == 201


def test_what_is_no_workflow_is_refused(served: Served) -> None:
    answer = served.ask("POST", "/jobs", {"workflow": {"format": "nodegraph/1", "nods": {}}})
    assert (answer.status, answer.json()["code"], answer.json()["defects"]) == (422, "workflow_format_error", [])
    assert "nods" in answer.json()["error"]


def test_packs_that_changed_meanwhile_are_read_again(serve: Serve, server_settings: Settings, tmp_path: Path) -> None:
    from ..packs import write_pack

    (server_settings.cache / "definitions").unlink()
    plugins = [*server_settings.plugins, tmp_path / "plugins"]
    object.__setattr__(server_settings, "plugins", plugins)
    served = serve()
    wanted = json.loads(flow({"n": ("late.half", {"value": 3})}).to_json())
    assert served.ask("POST", "/jobs", {"workflow": wanted}).status == 422
    source = 'from nodegraph import node\n\n@node(category="test")\ndef half(value: int) -> int:\n    "A half."\n    return value // 2\n'
    write_pack(tmp_path / "plugins", "late", source)
    assert served.ask("POST", "/jobs", {"workflow": wanted}).status == 201


def test_pages_are_cut_by_the_number_of_the_job(served: Served) -> None:
    jobs = [submit(served) for _ in range(5)]
    found, before = [], None
    for _ in range(3):
        page = served.ask("GET", "/jobs?limit=2" + (f"&before={before}" if before else "")).json()
        found += [each["id"] for each in page["jobs"]]
        before = page["before"]
    assert (found, before) == (jobs[::-1], None)


def test_jobs_are_listed_by_state_batch_and_words(served: Served) -> None:
    cat, dog = submit(served, label="a Cat"), submit(served, label="a dog")
    served.ask("POST", f"/jobs/{dog}/cancel")
    batch = served.ask("POST", "/batches", {"workflow": workflow(), "rows": [{"value": 1}]}).json()

    def ids(query: str) -> list[str]:
        return [each["id"] for each in served.ask("GET", f"/jobs?{query}").json()["jobs"]]

    assert ids("search=CAT") == [cat]
    assert ids("states=cancelled") == [dog]
    assert ids("states=cancelled&states=queued&search=a%20dog") == [dog]
    assert ids(f"batch={batch['batch']['id']}") == batch["jobs"]
    assert ids("since=2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "query", ["state=queued", "states=asleep", "limit=0", "limit=many", "before=x", "limit=1&limit=2", "since=now"]
)
def test_a_wrong_query_is_refused(served: Served, query: str) -> None:
    answer = served.ask("GET", f"/jobs?{query}")
    assert (answer.status, answer.json()["code"]) == (422, "wrong_request")
    assert answer.json()["defects"][0]["input"].startswith(query.partition("=")[0])


def test_asking_waiting_jobs(served: Served) -> None:
    job = submit(served)

    def ask(what: str) -> tuple[int, str]:
        answer = served.ask("POST", f"/jobs/{job}/{what}")
        return answer.status, answer.json().get("state", answer.json().get("code"))

    assert ask("retry") == (409, "wrong_state")
    assert ask("pause") == (200, "paused")
    assert ask("pause") == (200, "paused")
    assert ask("resume") == (200, "queued")
    assert served.ask("DELETE", f"/jobs/{job}").json()["code"] == "wrong_state"
    assert ask("cancel") == (200, "cancelled")
    assert ask("pause") == (409, "wrong_state")
    assert ask("retry") == (200, "queued")
    assert ask("cancel") == (200, "cancelled")
    assert served.ask("DELETE", f"/jobs/{job}").status == 200
    assert served.ask("GET", f"/jobs/{job}").json()["code"] == "unknown_job"


def test_running_jobs_are_wished_to_stop(served: Served) -> None:
    submit(served)
    with claimed(served.table) as found:
        job = found.job.id
        assert served.ask("POST", f"/jobs/{job}/pause").json()["wish"] == "pause"
        assert served.ask("POST", f"/jobs/{job}/cancel").json()["wish"] == "cancel"
        assert served.ask("POST", f"/jobs/{job}/move", {"to": "first"}).status == 409
        assert served.ask("DELETE", f"/jobs/{job}").status == 409


def test_moving_jobs(served: Served) -> None:
    a, b, c = (submit(served) for _ in range(3))
    assert waiting(served) == [a, b, c]
    assert served.ask("POST", f"/jobs/{c}/move", {"to": "first"}).status == 200
    assert waiting(served) == [c, a, b]
    served.ask("POST", f"/jobs/{c}/move", {"after": a})
    assert waiting(served) == [a, c, b]
    assert served.ask("POST", f"/jobs/{b}/move", {"priority": 3}).json()["priority"] == 3
    assert waiting(served) == [b, a, c]
    assert served.ask("POST", f"/jobs/{b}/move", {"before": b}).json()["code"] == "wrong_placement"
    assert served.ask("POST", f"/jobs/{b}/move", {"before": "nobody"}).status == 404
    assert served.ask("POST", f"/jobs/{b}/move", {"to": "middle"}).status == 422
    assert waiting(served) == [b, a, c]


def test_what_is_not_there(served: Served) -> None:
    for method, path in (
        ("GET", "/jobs/none"),
        ("GET", "/jobs/none/request"),
        ("GET", "/jobs/none/results"),
        ("GET", "/jobs/none/events"),
        ("GET", "/jobs/none/files/0"),
        ("POST", "/jobs/none/cancel"),
        ("DELETE", "/jobs/none"),
        ("GET", "/jobs/%00"),
        ("GET", "/jobs/..%2f..%2fetc"),
    ):
        answer = served.ask(method, path)
        assert (answer.status, answer.json()["code"]) == (404, "unknown_job"), path
    assert served.ask("GET", "/batches/none").json()["code"] == "unknown_batch"
    assert served.ask("GET", "/elsewhere").json()["code"] == "no_such_path"
    answer = served.ask("PUT", "/jobs")
    assert (answer.status, answer.json()["code"]) == (405, "wrong_method")
    assert "GET" in answer.json()["error"]


def test_batches(served: Served) -> None:
    rows = [{"value": value} for value in (1, 2.5, 3)]
    answer = served.ask("POST", "/batches", {"workflow": workflow(), "rows": rows, "client_key": "b", "label": "three"})
    again = served.ask("POST", "/batches", {"workflow": workflow(), "rows": rows, "client_key": "b", "label": "three"})
    other = served.ask("POST", "/batches", {"workflow": workflow(), "rows": rows[1:], "client_key": "b"})
    assert (answer.status, again.status, other.status) == (201, 200, 409)
    assert again.json() == answer.json()
    batch, jobs = answer.json()["batch"], answer.json()["jobs"]
    assert batch["counts"]["queued"] == 3
    assert waiting(served) == jobs
    assert [served.ask("GET", f"/jobs/{each}").json()["index"] for each in jobs] == [0, 1, 2]
    assert served.ask("GET", "/batches").json() == {"batches": [batch]}
    path = f"/batches/{batch['id']}"
    assert served.ask("POST", f"{path}/pause").json()["counts"]["paused"] == 3
    assert served.ask("POST", f"{path}/resume").json()["counts"]["queued"] == 3
    assert served.ask("POST", f"{path}/cancel").json() == served.ask("GET", path).json()
    assert served.ask("GET", path).json()["counts"]["cancelled"] == 3


def test_a_batch_is_refused_as_a_whole_and_names_the_rows(served: Served) -> None:
    rows = [{"value": 1}, {"value": 2}, {"value": "x"}, {"value": 3}, {"value": [1]}, {"vale": 1}, {"value": {"a": 1}}]
    answer = served.ask("POST", "/batches", {"workflow": workflow(), "rows": rows})
    assert answer.status == 422
    assert [each["reason"].partition(":")[0] for each in answer.json()["defects"]] == [
        "row 2",
        "row 4",
        "row 5",
        "row 6",
    ]
    assert served.ask("GET", "/jobs").json()["jobs"] == []
    assert served.ask("POST", "/batches", {"workflow": workflow(), "rows": []}).status == 422


def test_rows_of_files_are_looked_up(served: Served, tmp_path: Path) -> None:
    reading = json.loads(flow({"r": ("read_text", {})}, {}, {"file": "r.file"}).to_json())
    (tmp_path / "models" / "note").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / "models" / "note" / f"{name}.txt").write_text(name)
    rows = [{"file": f"{name}.txt"} for name in "abca"]
    answer = served.ask("POST", "/batches", {"workflow": reading, "rows": rows})
    assert [(each["code"], each["reason"][:5]) for each in answer.json()["defects"]] == [("missing_file", "row 2")]
    assert served.ask("POST", "/batches", {"workflow": reading, "rows": rows[:2]}).status == 201


def test_the_queue_is_paused_and_resumed(served: Served) -> None:
    submit(served)
    assert served.ask("POST", "/queue/pause").json()["paused"] is True
    with served.table.owner() as owner:
        assert served.table.claim(owner.id) is None
    assert served.ask("GET", "/queue?limit=1").json()["counts"]["queued"] == 1
    assert served.ask("POST", "/queue/resume").json()["paused"] is False


def test_the_server_tells_of_itself(served: Served) -> None:
    submit(served)
    found = served.ask("GET", "/system").json()
    assert (found["name"], found["version"], found["paused"]) == ("nodegraph", __version__, False)
    assert found["counts"]["queued"] == 1
    assert found["sequence"] == served.table.last_sequence()
    assert found["definitions"] > 50
    assert served.ask("GET", "/workers").json() == {"workers": []}


def test_results_events_and_history(served: Served, serve: Serve) -> None:
    job = submit(served, label="kept")
    finish(served.table, outputs={"n": 3})
    found = served.ask("GET", f"/jobs/{job}/results").json()
    assert found == {"id": job, "state": "done", "outputs": {"n": 3}, "files": []}
    events = served.ask("GET", f"/jobs/{job}/events").json()
    assert [each["kind"] for each in events["events"]] == ["queued", "started", "done"]
    later = served.ask("GET", f"/jobs/{job}/events?after={events['events'][0]['sequence']}&limit=1").json()
    assert later["events"] == events["events"][1:2]
    assert served.ask("GET", f"/jobs/{job}/events?after={events['last']}").json()["last"] == events["last"]
    lines = served.ask("GET", "/history/export?search=kept")
    assert (lines.status, lines.headers["content-type"]) == (200, "application/jsonl; charset=utf-8")
    assert job.encode() not in served.ask("GET", "/history/export?search=lost").content
    assert served.ask("POST", "/history/import", lines.content).json() == {"new": 0, "known": 1}
    assert served.ask("POST", "/history/prune", {"keep": 0}).json() == {"jobs": 1}
    assert served.ask("POST", "/history/import", lines.content).json() == {"new": 1, "known": 0}
    assert served.ask("GET", f"/jobs/{job}").json()["outputs"] == {"n": 3}
    assert served.ask("POST", "/history/import", b"nonsense\n").json()["code"] == "not_an_export"
    assert served.ask("POST", "/history/prune", {"days": -1}).status == 422
