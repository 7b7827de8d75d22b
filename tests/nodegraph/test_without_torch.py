"""Validation, plans and keys need neither torch nor any node's code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.execution.run import Runner

from .flows import flow, link

FORBIDDEN = """
import sys
class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "nodes", "nodegraph_plugins", "tests", "safetensors", "PIL", "tokenizers"):
            raise ModuleNotFoundError(f"{name} is forbidden here")
sys.meta_path.insert(0, Forbid())
"""
PLAN = (
    FORBIDDEN
    + """
import json
from pathlib import Path
from nodegraph import InvalidWorkflow, Settings, Workflow
from nodegraph.catalog import Catalog
from nodegraph.execution.run import Runner
folder = Path(sys.argv[1])
catalog = Catalog.from_json((folder / "catalog.json").read_bytes())
paths = {name: folder / name for name in ("models", "input", "output", "state", "cache")}
answers = {}
with Runner(Settings(**paths, threads=1), catalog=catalog) as runner:
    for file in sorted(folder.glob("*.flow")):
        try:
            plan = runner.prepare(Workflow.load(file)).plan
        except InvalidWorkflow as error:
            answers[file.stem] = {"defects": [each.to_document() for each in error.defects]}
        else:
            answers[file.stem] = {"keys": dict(plan.keys), "order": plan.order, "cached": sorted(plan.cached)}
print(json.dumps(answers))
"""
)
LOADED = """
import sys
{program}
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{{names}}}))
"""


def text_to_image() -> Workflow:
    path = Path(__file__).parents[2] / "workflows" / "text_to_image.json"
    return Workflow.load(path).with_values({("model", "checkpoint"): "some.safetensors"})


def toys() -> Workflow:
    return flow(
        {
            "n": ("number", {"value": 2}),
            "file": ("read_text", {"file": "a.txt"}),
            "area": ("area", {"box": {"value": {"width": 3}}, "scale": 0.5}),
            "sum": ("add", {"a": link("n.number"), "b": link("small.small_number")}),
            "small": ("small_number", {}),
            "up": ("rounded", {"number": link("sum.number"), "how": "up"}),
            "first": ("first", {"items": [link("up.value"), 9]}),
        },
        {"first": "first.result", "text": "file.text", "area": "area.area"},
    )


def bad() -> Workflow:
    return flow({"n": ("numbr", {}), "s": ("split", {"number": link("m.machine")}), "m": ("machine", {"factor": "x"})})


def planned(runner: Runner, workflow: Workflow) -> Mapping[str, Any]:
    plan = runner.prepare(workflow).plan
    return {"keys": dict(plan.keys), "order": list(plan.order), "cached": sorted(plan.cached)}


def run_python(program: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_plans_and_keys_are_the_same_without_any_code(runner: Runner, catalog: Catalog, tmp_path: Path) -> None:
    for kind, name in (("checkpoint", "some.safetensors"), ("note", "a.txt")):
        (tmp_path / "models" / kind).mkdir(parents=True)
        (tmp_path / "models" / kind / name).write_bytes(b"content")
    workflows = {"toys": toys(), "picture": text_to_image(), "part": toys()}
    runner.run(workflows["part"], targets=["sum"])
    for name, workflow in {**workflows, "bad": bad()}.items():
        workflow.save(tmp_path / f"{name}.flow")
    (tmp_path / "catalog.json").write_text(catalog.to_json(), "utf-8")
    found = json.loads(run_python(PLAN, str(tmp_path)))
    assert {name: found[name] for name in workflows} == {
        name: planned(runner, each) for name, each in workflows.items()
    }
    assert found["toys"]["cached"] == ["sum"]
    assert {each["code"] for each in found["bad"]["defects"]} == {"unknown_type", "type_mismatch", "bad_value"}


HEAVY = '"torch", "nodes", "nodegraph_plugins", "numpy", "PIL", "networkx", "safetensors", "tokenizers"'


@pytest.mark.parametrize(
    "program",
    [
        "import nodegraph",
        "from nodegraph import Context, Settings, Workflow, node, run, wire",
        "from nodegraph.execution.run import Runner",
        "from nodegraph.workflow.validate import check; from nodegraph.catalog import load_catalog",
    ],
)
def test_importing_the_engine_loads_nothing_heavy(program: str) -> None:
    assert run_python(LOADED.format(program=program, names=HEAVY)) == "[]\n"


def test_importing_the_package_costs_nothing() -> None:
    names = '"pydantic", "typer", "rich", "sqlite3", "subprocess"'
    assert run_python(LOADED.format(program="import nodegraph", names=names)) == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["run", "--help"], ["nodes", "--help"], ["validate", "FLOW"], ["schema"], ["nodes"]],
)
def test_the_command_line_loads_nothing_heavy(
    arguments: list[str], tmp_path: Path, definitions_cache: Path, catalog: Catalog
) -> None:
    toys().save(tmp_path / "flow.json")
    given = [str(tmp_path / "flow.json") if each == "FLOW" else each for each in arguments]
    program = f"""
import sys
from nodegraph.cli import main
sys.argv = ["nodegraph", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", sorted({{name.partition(".")[0] for name in sys.modules}} & {{{HEAVY}}}))
"""
    plugins = Path(__file__).parents[1] / "packs"
    done = subprocess.run(
        [sys.executable, "-c", program, *given],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NODEGRAPH_CACHE": str(definitions_cache), "NODEGRAPH_PLUGINS": str(plugins)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("LOADED []\n")
