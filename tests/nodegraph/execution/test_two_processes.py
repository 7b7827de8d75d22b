"""Processes that run one workflow at once on one cache folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Workflow
from nodegraph.catalog import Catalog

from ..flows import flow, link

WORKER = """
import hashlib, json, sys
from pathlib import Path
from nodegraph import Settings, Workflow
from nodegraph.catalog import load_catalog
from nodegraph.execution.run import Runner
from nodegraph.ports.codec import content_hash
folder, plugins, definitions = map(Path, sys.argv[1:4])
paths = {name: folder / name for name in ("models", "input", "output", "state", "cache")}
catalog = load_catalog(Settings(cache=definitions, plugins=[plugins]))
workflow = Workflow.load(folder / "flow.json")
with Runner(Settings(**paths, plugins=[plugins], threads=1), catalog=catalog) as runner:
    print("ready", flush=True)
    sys.stdin.readline()
    result = runner.run(workflow)
digests = {name: content_hash(value) for name, value in result.outputs.items()}
print(json.dumps({"digests": digests, "keys": dict(result.keys), "ran": result.ran}))
"""


def many_nodes() -> Workflow:
    nodes: dict[str, Any] = {"n0": ("number", {"value": 0.1})}
    for index in range(1, 60):
        nodes[f"n{index}"] = ("number", {"value": 0.1 * index})
        nodes[f"s{index}"] = (
            "add",
            {"a": link(f"n{index}.number"), "b": link(f"{'s' if index > 1 else 'n'}{index - 1}.number")},
        )
    nodes["all"] = ("total", {"numbers": [link(f"s{index}.number") for index in range(1, 60)]})
    nodes["text"] = ("join", {"texts": ["x" * 50_000, "y"]})
    nodes["file"] = ("write_number", {"number": link("all.number")})
    nodes["made"] = ("use_machine", {"machine": link("machine.machine"), "number": link("all.number")})
    nodes["machine"] = ("machine", {"factor": 3.0})
    return flow(nodes, {"sum": "all.number", "text": "text.text", "made": "made.number"})


@pytest.fixture
def command(tmp_path: Path, definitions_cache: Path, catalog: Catalog) -> list[str]:
    many_nodes().save(tmp_path / "flow.json")
    plugins = Path(__file__).parents[2] / "packs"
    return [sys.executable, "-c", WORKER, str(tmp_path), str(plugins), str(definitions_cache)]


def run_together(command: list[str], count: int) -> list[dict[str, Any]]:
    """The answers of processes that start to run at one moment."""
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    workers = [subprocess.Popen(command, **pipes, text=True) for _ in range(count)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n", worker.communicate()
    found = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        out, err = worker.communicate(timeout=60)
        assert (worker.returncode, err) == (0, "")
        found.append(json.loads(out))
    return found


def test_two_at_once_give_the_same_bits_and_a_third_computes_nothing(command: list[str], tmp_path: Path) -> None:
    first, second = run_together(command, 2)
    assert first["digests"] == second["digests"]
    assert first["keys"] == second["keys"]
    [file] = (tmp_path / "output").iterdir()
    written = hashlib.sha256(file.read_bytes()).hexdigest()
    [third] = run_together(command, 1)
    assert third["digests"] == first["digests"]
    assert third["ran"] == ["file"]  # an effect always runs
    assert hashlib.sha256(file.read_bytes()).hexdigest() == written
    assert list((tmp_path / "output").iterdir()) == [file]
