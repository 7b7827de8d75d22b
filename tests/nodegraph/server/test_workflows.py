"""Saved workflows: versions, two writers, names, what other programs do to the files, and being killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from nodegraph import Workflow
from nodegraph.server import workflow_versions
from nodegraph.server.defects import WorkflowChanged
from nodegraph.server.workflow_names import check_name
from nodegraph.server.workflow_store import WorkflowStore
from nodegraph.workflow import model

from .conftest import Answered, Served
from .requests import workflow


def put(served: Served, name: str, value: object, base: int | None) -> Answered:
    return served.ask("PUT", f"/workflows/{quote(name, safe='')}", {"workflow": workflow(value), "base": base})


def get(served: Served, name: str, rest: str = "") -> Answered:
    return served.ask("GET", f"/workflows/{quote(name, safe='')}{rest}")


def value_of(answer: Answered) -> object:
    return answer.json()["workflow"]["nodes"]["n"]["inputs"]["value"]


def test_a_workflow_is_saved_listed_loaded_and_runs_headless(served: Served) -> None:
    titled = {**workflow(7), "title": "Seven", "description": "A number"}
    entry = served.ask("PUT", "/workflows/numbers%2Fseven", {"workflow": titled, "base": None}).json()
    assert (entry["name"], entry["version"], entry["title"], entry["inputs"]) == ("numbers/seven", 1, "Seven", 1)
    assert served.ask("GET", "/workflows").json() == {"workflows": [entry]}
    found = get(served, "numbers/seven").json()
    assert (found["version"], found["saved"]) == (1, entry["saved"])
    assert Workflow.from_document(found["workflow"]) == Workflow.from_document(titled)
    path = served.settings.workflows / "numbers" / "seven.json"
    assert Workflow.load(path) == Workflow.from_document(titled)
    assert entry["bytes"] == path.stat().st_size


def test_a_draft_can_be_saved_but_nothing_that_is_no_workflow(served: Served) -> None:
    draft = {"format": "nodegraph/1", "nodes": {"a": {"type": "no_such_node", "inputs": {"x": {"from": "b.y"}}}}}
    assert served.ask("PUT", "/workflows/draft", {"workflow": draft, "base": None}).status == 200
    answer = served.ask("PUT", "/workflows/other", {"workflow": {"nodes": 3}, "base": None})
    assert (answer.status, answer.json()["code"]) == (422, "workflow_format_error")
    assert served.ask("PUT", "/workflows/other", {"workflow": draft}).json()["code"] == "wrong_request"
    assert [each["name"] for each in served.ask("GET", "/workflows").json()["workflows"]] == ["draft"]


def test_a_writer_that_loaded_an_older_version_is_refused(served: Served) -> None:
    assert put(served, "a", 1, None).json()["version"] == 1
    assert put(served, "a", 2, 1).json()["version"] == 2
    for base in (1, 3, None):
        answer = put(served, "a", 3, base)
        assert (answer.status, answer.json()["code"]) == (409, "workflow_changed")
        assert answer.json()["defects"][0]["version"] == 2
    assert value_of(get(served, "a")) == 2


def test_a_save_whose_answer_was_lost_can_be_sent_again(served: Served) -> None:
    put(served, "a", 1, None)
    first = put(served, "a", 2, 1)
    assert put(served, "a", 2, 1).json() == first.json()
    assert [each["version"] for each in get(served, "a", "/versions").json()["versions"]] == [2, 1]


def test_versions_are_kept_and_given(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_versions, "KEPT", 3)
    for number in range(5):
        put(served, "a", number, number or None)
    kept = get(served, "a", "/versions").json()["versions"]
    assert [each["version"] for each in kept] == [5, 4, 3]
    assert value_of(get(served, "a", "/versions/3")) == 2
    for number in (2, 6, 0):
        answer = get(served, "a", f"/versions/{number}")
        assert (answer.status, answer.json()["code"]) == (404, "unknown_version")


def test_what_was_deleted_can_be_brought_back(served: Served) -> None:
    put(served, "a", 1, None)
    put(served, "a", 2, 1)
    assert served.ask("DELETE", "/workflows/a").json()["version"] == 2
    assert get(served, "a").json()["code"] == "unknown_workflow"
    assert served.ask("DELETE", "/workflows/a").status == 404
    assert served.ask("GET", "/workflows").json()["workflows"] == []
    assert [each["version"] for each in get(served, "a", "/versions").json()["versions"]] == [2, 1]
    answer = put(served, "a", 3, 2)
    assert (answer.status, answer.json()["defects"][0]["version"]) == (409, None)
    assert put(served, "a", value_of(get(served, "a", "/versions/2")), None).json()["version"] == 2
    assert put(served, "a", 3, 2).json()["version"] == 3


def test_a_renamed_workflow_keeps_its_versions(served: Served) -> None:
    put(served, "a", 1, None)
    put(served, "a", 2, 1)
    entry = served.ask("POST", "/workflows/a/rename", {"to": "deep/er/b"}).json()
    assert (entry["name"], entry["version"]) == ("deep/er/b", 2)
    assert get(served, "a").status == 404
    assert value_of(get(served, "deep/er/b", "/versions/1")) == 1
    put(served, "a", 3, None)
    answer = served.ask("POST", "/workflows/a/rename", {"to": "deep/er/b"})
    assert (answer.status, answer.json()["code"]) == (409, "workflow_exists")
    assert served.ask("POST", "/workflows/none/rename", {"to": "c"}).status == 404
    assert served.ask("POST", "/workflows/a/rename", {"to": "../c"}).json()["code"] == "bad_workflow_name"


def test_versions_of_what_had_the_name_before_stay_apart(served: Served) -> None:
    put(served, "b", 1, None)
    put(served, "b", 2, 1)
    served.ask("DELETE", "/workflows/b")
    put(served, "a", 3, None)
    assert served.ask("POST", "/workflows/a/rename", {"to": "b"}).json()["version"] == 3
    assert put(served, "b", 4, 2).status == 409
    assert put(served, "b", 4, 3).json()["version"] == 4


BAD = ["..", "../a", "a/../b", "/etc/passwd", "a//b", "a/", ".hidden", "a/.b", "a\\b", "C:a", "a\0b", "a\nb", "nul",
       "com1.x", "a.json", "a ", "a.", "x" * 201, "é" * 101, "a/b/c/d/e/f/g/h/i", "a\u202eb", "<a>", "a|b", "a?"]  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_names_that_files_cannot_have_are_refused(served: Served, name: str) -> None:
    for answer in (put(served, name, 1, None), get(served, name), get(served, name, "/versions")):
        assert (answer.status, answer.json()["code"]) == (422, "bad_workflow_name")
        assert "cannot have the name" in answer.json()["error"]
    assert (
        not (served.settings.workflows / ".versions").exists()
        or not served.ask("GET", "/workflows").json()["workflows"]
    )


@pytest.mark.parametrize("name", ["a", "Ein Bild", "früh/spät", "写真", "a.b", "v1.2/x-y_z (3)", "a%2Fb", "versions"])
def test_names_that_files_can_have(served: Served, name: str) -> None:
    assert check_name(name) == name
    assert put(served, name, 1, None).json()["name"] == name
    assert get(served, name).json()["name"] == name


def test_files_put_there_by_hand_are_listed(served: Served) -> None:
    folder = served.settings.workflows
    (folder / "mine").mkdir(parents=True)
    Workflow.from_document(workflow(1)).save(folder / "mine" / "one.json")
    (folder / "broken.json").write_text("{")
    (folder / "empty.json").write_text("")
    (folder / "a:b.json").write_text("{}")
    (folder / "notes.txt").write_text("")
    (folder / ".hidden.json").write_text("{}")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.json")).write_text("{}")
    found = {each["name"]: each for each in served.ask("GET", "/workflows").json()["workflows"]}
    assert found.keys() == {"mine/one", "broken", "empty", "a:b", "pipe", "?"}
    assert [name for name, each in found.items() if not each["error"]] == ["mine/one"]
    assert (found["mine/one"]["version"], found["broken"]["version"]) == (1, 1)
    assert str(folder) not in json.dumps(found)
    assert get(served, "broken").json()["code"] == "workflow_format_error"
    assert put(served, "broken", 1, 1).json()["version"] == 2


def test_a_change_by_another_program_is_a_version(served: Served) -> None:
    put(served, "a", 1, None)
    path = served.settings.workflows / "a.json"
    Workflow.from_document(workflow(50)).save(path)
    assert served.ask("GET", "/workflows").json()["workflows"][0]["version"] == 2
    assert put(served, "a", 2, 1).json()["defects"][0]["version"] == 2
    assert value_of(get(served, "a")) == 50
    Workflow.from_document(workflow(51)).save(path)
    assert put(served, "a", 2, 2).status == 409
    assert put(served, "a", 2, 3).json()["version"] == 4
    assert [value_of(get(served, "a", f"/versions/{each}")) for each in (1, 2, 3, 4)] == [1, 50, 51, 2]


def test_links_that_leave_the_folder_lead_nowhere(served: Served, tmp_path: Path) -> None:
    folder = served.settings.workflows
    outside = tmp_path / "outside"
    outside.mkdir()
    Workflow.from_document(workflow(1)).save(outside / "secret.json")
    folder.mkdir()
    (folder / "link.json").symlink_to(outside / "secret.json")
    (folder / "away").symlink_to(outside)
    (folder / "loop.json").symlink_to(folder / "loop.json")
    (found,) = served.ask("GET", "/workflows").json()["workflows"]
    assert (found["name"], found["title"], "leaves the folder" in found["error"]) == ("link", "", True)
    assert get(served, "link").status == get(served, "away/secret").status == 404
    assert put(served, "away/new", 1, None).json()["code"] == "bad_workflow_name"
    assert put(served, "link", 2, None).status == 200
    assert [each.name for each in outside.iterdir()] == ["secret.json"]
    assert Workflow.load(outside / "secret.json") == Workflow.from_document(workflow(1))


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Threads, and two stores as two processes would have them: every save that was accepted is a version."""
    stores = [WorkflowStore(tmp_path), WorkflowStore(tmp_path)]
    accepted: list[tuple[int, int]] = []

    def write(number: int) -> None:
        store, base = stores[number % 2], None
        for turn in range(20):
            value = 1000 * number + turn
            while True:
                try:
                    base = store.save("a", workflow(value), base).version
                except WorkflowChanged as changed:
                    base = changed.version
                else:
                    accepted.append((base, value))
                    break

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(version for version, _ in accepted) == list(range(1, 81))
    for version, value in accepted:
        assert stores[0].load_version("a", version).workflow["nodes"]["n"]["inputs"]["value"] == value  # type: ignore


KILLED = """
import os, signal, sys
from pathlib import Path
from nodegraph.server.workflow_store import WorkflowStore
from tests.nodegraph.server.requests import workflow
store, point, count = WorkflowStore(Path(sys.argv[1])), sys.argv[2], 0
store.save("a", workflow(1), None)
real = os.replace

def killing(event, arguments):
    global count
    if event == "os.rename":
        count += 1
        if count == int(point):
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(killing)
store.save("a", workflow(2), 1)
"""


@pytest.mark.parametrize("point", [1, 2, 3])
def test_killed_between_it_is_the_old_or_the_new_one(tmp_path: Path, point: int) -> None:
    """Killed before the file is there, before its version is, and not at all."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(point)], check=False)
    assert done.returncode == (-signal.SIGKILL if point < 3 else 0)
    store = WorkflowStore(tmp_path)
    found = store.load("a")
    assert found.version == (1 if point == 1 else 2)
    assert [each.version for each in store.versions("a")] == [*range(found.version, 0, -1)]
    assert store.save("a", workflow(3), found.version).version == found.version + 1
    left = [each.name for each in tmp_path.rglob("*") if "-" in each.name]
    assert left == []


def test_a_folder_that_cannot_be_written_is_told(served: Served) -> None:
    served.settings.workflows.write_text("a file")
    answer = put(served, "a", 1, None)
    assert (answer.status, answer.json()["code"]) == (503, "not_written")
    assert str(served.settings.workflows) not in answer.content.decode()
    assert served.ask("GET", "/workflows").json() == {"workflows": []}


def test_huge_and_deep_documents(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    nested: Any = 1
    for _ in range(150):
        nested = [nested]
    deep = {**workflow(), "layout": {"a": nested}}
    assert served.ask("PUT", "/workflows/deep", {"workflow": deep, "base": None}).status == 200
    assert get(served, "deep").json()["workflow"]["layout"] == {"a": nested}
    monkeypatch.setattr(model, "MAX_FILE_BYTES", 10_000)
    wide = {**workflow(), "layout": {"a": [0] * 3000}}  # written with its indentation it is larger
    answer = served.ask("PUT", "/workflows/wide", {"workflow": wide, "base": None})
    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert [each["name"] for each in served.ask("GET", "/workflows").json()["workflows"]] == ["deep"]
