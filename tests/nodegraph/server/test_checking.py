"""Checking workflows before they are sent: what is wrong with them, and what they would do."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from nodegraph.server import adviser

from ..blocks import write_blocks
from ..flows import flow, link
from ..packs import write_pack
from .conftest import Serve, Served
from .requests import workflow


def document(nodes: dict[str, Any], outputs: dict[str, str] | None = None) -> dict[str, Any]:
    return flow(nodes, outputs).to_document()


def test_a_good_workflow_has_no_defects(served: Served) -> None:
    answer = served.ask("POST", "/validate", {"workflow": workflow(), "inputs": {"value": 3}, "targets": ["n"]})
    assert (answer.status, answer.json()) == (200, {"defects": []})


def test_every_defect_is_told_with_its_place(served: Served, tmp_path: Path) -> None:
    nodes = {"a": ("numbr", {}), "b": ("split", {}), "c": ("read_text", {"file": "gone.txt"})}
    found = served.ask("POST", "/validate", {"workflow": document(nodes)}).json()["defects"]
    assert {(each["node"], each["code"]) for each in found} >= {("a", "unknown_type"), ("b", "missing_input")}
    assert all(each.keys() == {"code", "graph", "node", "input", "value", "reason", "remedy"} for each in found)
    (missing,) = served.ask("POST", "/validate", {"workflow": document({"c": nodes["c"]})}).json()["defects"]
    assert (missing["code"], missing["node"], missing["value"]) == ("missing_file", "c", "gone.txt")
    assert str(tmp_path) not in missing["reason"]
    wrong = {"workflow": workflow(), "inputs": {"valu": 1}}
    assert [each["code"] for each in served.ask("POST", "/validate", wrong).json()["defects"]] == ["bad_workflow_input"]
    wrong = {"workflow": workflow(), "targets": ["m"]}
    assert len(served.ask("POST", "/validate", wrong).json()["defects"]) == 1


@pytest.mark.parametrize("path", ["/validate", "/preflight"])
def test_what_is_no_workflow_is_refused(served: Served, path: str) -> None:
    for body in ({"workflow": {"format": "nodegraph/99"}}, {"workflow": {"nodes": 3}}):
        answer = served.ask("POST", path, body)
        assert (answer.status, answer.json()["code"]) == (422, "workflow_format_error")
    assert served.ask("POST", path, {"workflow": workflow(), "targets": "n"}).json()["code"] == "wrong_request"
    assert served.ask("POST", path, b"{").status == 400


@pytest.fixture
def blocks(serve: Serve, tmp_path: Path) -> Served:
    """A server with the pack whose nodes declare specs."""
    return serve(plugins=[write_blocks(tmp_path / "plugins")])


def block_flow(size: int = 100) -> dict[str, Any]:
    nodes = {"a": ("blocks.make", {"size": size}), "s": ("blocks.silent", {"block": link("a.block")})}
    return document(nodes, {"block": "s.block"})


def test_preflight_tells_what_the_command_tells(blocks: Served) -> None:
    found = blocks.ask("POST", "/preflight", {"workflow": block_flow()}).json()
    assert found["ready"]
    assert [(each["name"], each["state"]) for each in found["nodes"]] == [("a", "runs"), ("s", "runs")]
    assert found["nodes"][0]["outputs"] == {"block": "block of 100"}
    assert found["not_known"] == ["s"]
    assert found["memory"]["node"] == "a"
    assert found["time"].keys() == {"class", "seconds"}
    up_to = blocks.ask("POST", "/preflight", {"workflow": block_flow(), "targets": ["a"]}).json()
    assert [each["state"] for each in up_to["nodes"]] == ["runs", "not needed"]


def test_preflight_of_a_bad_workflow_lists_its_defects(blocks: Served) -> None:
    found = blocks.ask("POST", "/preflight", {"workflow": document({"a": ("blocks.makes", {})})}).json()
    assert not found["ready"]
    assert [each["code"] for each in found["defects"]] == ["unknown_type"]
    assert found["memory"] is None


def test_no_pack_and_no_torch_comes_into_the_server(blocks: Served) -> None:
    assert blocks.ask("POST", "/preflight", {"workflow": block_flow()}).status == 200
    assert not [name for name in sys.modules if name.startswith("nodegraph_plugins.blocks")]


def test_preflight_goes_on_after_its_process_was_killed(blocks: Served) -> None:
    assert blocks.ask("POST", "/preflight", {"workflow": block_flow()}).status == 200
    assert blocks.services is not None
    process = blocks.services.adviser._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert blocks.ask("POST", "/preflight", {"workflow": block_flow()}).status == 200


DEADLY = """
import os
import time
from nodegraph import node
from nodegraph.spec import Predicted

def dies(how: str) -> Predicted:
    print("a word on the way")
    if how == "exit":
        os._exit(3)
    while how == "hang":
        time.sleep(1)
    return Predicted()

@node(category="test", spec=dies)
def dies_node(how: str = "not") -> int:
    "A node whose spec does harm."
    return 1
"""


def test_a_spec_that_kills_or_stops_its_process_harms_nobody_else(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pack(tmp_path / "plugins", "deadly", DEADLY)
    served = serve(plugins=[tmp_path / "plugins"])
    body = {how: {"workflow": document({"n": ("deadly.dies_node", {"how": how})})} for how in ("not", "exit", "hang")}
    assert served.ask("POST", "/validate", body["not"]).json() == {"defects": []}
    answer = served.ask("POST", "/preflight", body["exit"])
    assert (answer.status, answer.json()["code"]) == (503, "no_advice")
    assert served.ask("POST", "/preflight", body["not"]).status == 200
    monkeypatch.setattr(adviser, "ANSWER_SECONDS", 0.5)
    answer = served.ask("POST", "/preflight", body["hang"])
    assert (answer.status, answer.json()["code"]) == (503, "no_advice")


def test_who_waits_too_long_for_others_is_told(blocks: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adviser, "QUEUE_SECONDS", 0.01)
    assert blocks.services is not None
    with blocks.services.adviser._lock:
        answer = blocks.ask("POST", "/preflight", {"workflow": block_flow()})
    assert (answer.status, answer.json()["code"]) == (503, "no_advice")
    assert blocks.ask("POST", "/preflight", {"workflow": block_flow()}).status == 200


def test_a_changed_spec_is_asked_anew(serve: Serve, tmp_path: Path) -> None:
    folder = write_blocks(tmp_path / "plugins")
    served = serve(plugins=[folder])
    assert served.ask("POST", "/preflight", {"workflow": block_flow(30)}).json()["nodes"][0]["working"] >= 0
    assert served.services is not None
    first = served.services.adviser._process
    write_pack(
        folder, "more", "from nodegraph import node\n@node(category='a')\ndef b() -> int:\n    'B.'\n    return 1\n"
    )
    served.ask("GET", "/definitions")
    assert served.ask("POST", "/preflight", {"workflow": document({"b": ("more.b", {})})}).json()["ready"]
    assert served.services.adviser._process is not first
