"""Nodes that print do not get between the results on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph.catalog import load_catalog
from nodegraph.settings import Settings

from ..flows import flow
from ..packs import write_pack

PACK = """
import ctypes
import os
import subprocess
import sys
from pathlib import Path
from nodegraph import Context, node

@node(category="test", effect=True)
def loud(ctx: Context, value: int = 0) -> Path_:
    "Print by all means."
    print("by print")
    sys.stdout.write("by write\\n")
    os.write(1, b"by descriptor\\n")
    subprocess.run([sys.executable, "-c", "print('by child')"])
    ctypes.CDLL(None).printf(b"by C\\n")
    path = ctx.output_file("loud", ".txt")
    path.write_text("x")
    return path
""".replace("Path_", 'Annotated[Path, PathOf("note")]').replace(
    "from nodegraph import Context, node", "from typing import Annotated\nfrom nodegraph import Context, PathOf, node"
)
WAYS = {"by print", "by write", "by descriptor", "by child", "by C"}


@pytest.fixture
def loud(tmp_path: Path, environment: dict[str, str], definitions_cache: Path) -> dict[str, str]:
    """An environment with the node, and a workflow of it in the working folder."""
    write_pack(tmp_path / "plugins", "noise", PACK)
    assert load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path / "plugins"])).failures == []
    flow({"n": ("noise.loud", {})}, {"file": "n.result"}, {"value": {"to": ["n.value"]}}).save("flow.json")
    return {**environment, "NODEGRAPH_PLUGINS": str(tmp_path / "plugins")}


def run(environment: dict[str, str], *arguments: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "nodegraph", *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_run_prints_one_document(loud: dict[str, str]) -> None:
    out, err = run(loud, "run", "flow.json", "--json")
    assert json.loads(out)["ran"] == ["n"]
    assert set(err.splitlines()) >= WAYS


def test_a_run_for_people_prints_its_results(loud: dict[str, str]) -> None:
    out, err = run(loud, "run", "flow.json")
    assert out.startswith("file: output")
    assert len(out.splitlines()) == 1
    assert set(err.splitlines()) >= WAYS


def test_a_batch_prints_a_document_per_line(loud: dict[str, str]) -> None:
    out, err = run(loud, "batch", "flow.json", "--grid", "value=1..2", "--json")
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["done", "done"]
    assert err.splitlines().count("by C") == 2


def test_a_closed_standard_error_is_no_error(loud: dict[str, str]) -> None:
    script = f'"{sys.executable}" -m nodegraph run flow.json --json 2>&-'
    done = subprocess.run(["/bin/sh", "-c", script], env=loud, check=True, stdout=subprocess.PIPE)
    assert b'"status": "done"' in done.stdout
    assert list(Path("output").iterdir())


FORKING = """
import os
from nodegraph import node

@node(category="test")
def forks(value: int = 0) -> int:
    "Becomes two."
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return value
"""


def test_a_node_that_forks_does_not_finish_the_run_twice(
    tmp_path: Path, environment: dict[str, str], definitions_cache: Path
) -> None:
    write_pack(tmp_path / "plugins", "forking", FORKING)
    assert load_catalog(Settings(cache=definitions_cache, plugins=[tmp_path / "plugins"])).failures == []
    flow({"n": ("forking.forks", {})}).save("flow.json")
    out, _ = run({**environment, "NODEGRAPH_PLUGINS": str(tmp_path / "plugins")}, "run", "flow.json", "--json")
    assert json.loads(out)["ran"] == ["n"]
