"""A new node pack: the files that `nodegraph plugins new` writes."""

from __future__ import annotations

import keyword
import re
import tempfile
from pathlib import Path

from . import __version__
from .errors import NodegraphError

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "nodegraph-{dashed}"
version = "0.1.0"
description = "Nodes for nodegraph"
requires-python = ">=3.11"
dependencies = ["nodegraph>={version}"]

[project.optional-dependencies]
test = ["pytest"]

[project.entry-points."nodegraph.nodes"]
{name} = "{name}"

[tool.hatch.build.targets.wheel]
packages = ["{name}"]

[tool.pytest.ini_options]
pythonpath = ["."]
"""

_README = """\
# {name}

Nodes for nodegraph. Try them without installing:

```sh
NODEGRAPH_PLUGINS="$PWD" nodegraph nodes list --category {name}
python -m pytest
```

Install them with `pip install .`; they are then found by every nodegraph in that environment.
"""

_MANIFEST = """\
# What nodegraph should know about this pack; every line may be left out.
api = [1, 1]                  # lowest and highest node API it works with
numeric = ["torch"]           # packages whose version changes results
"""

_NODES = '''\
"""The nodes of this pack. Add functions here, or modules beside this one."""

from __future__ import annotations

from typing import Annotated

from nodegraph import InvalidInput, Slider, node
from pydantic import Field


@node(category="{name}")
def mix(
    a: float,
    b: float,
    weight: Annotated[float, Field(ge=0, le=1), Slider(step=0.05)] = 0.5,
) -> float:
    """Mix two numbers

    a: taken as it is where the weight is 0.
    b: taken as it is where the weight is 1.
    weight: how much of b.
    """
    if a * b < 0:
        raise InvalidInput("b", b, f"a is {{a}}, and numbers of different signs are not mixed", "change one sign")
    return (1 - weight) * a + weight * b
'''

_TEST = '''\
"""The nodes as plain functions, against their contract, and in a workflow."""

from __future__ import annotations

from pathlib import Path

import pytest
from nodegraph import InvalidInput, Workflow
from nodegraph.testing import check_node, check_workflow

from {name}.nodes import mix


def test_mix_is_a_plain_function() -> None:
    assert mix(1.0, 3.0, 0.25) == 1.5


def test_different_signs_are_refused() -> None:
    with pytest.raises(InvalidInput, match="different signs"):
        mix(-1.0, 1.0)


def test_mix_keeps_its_contract(tmp_path: Path) -> None:
    assert check_node(mix, tmp_path, a=2.0, b=4.0) == {{"value": 3.0}}


def test_mix_in_a_workflow_is_computed_once(tmp_path: Path) -> None:
    workflow = Workflow.from_document(
        {{
            "format": "nodegraph/1",
            "nodes": {{"mix": {{"type": "{name}.mix", "inputs": {{"a": 1.0, "b": 2.0}}}}}},
            "outputs": {{"mixed": {{"from": "mix.value"}}}},
        }}
    )
    result = check_workflow(workflow, tmp_path, plugins=[Path(__file__).parents[1]])
    assert result.outputs["mixed"] == 1.5
'''


class CannotScaffold(NodegraphError):
    """A new pack cannot be made there, or not under that name."""


def new_pack(name: str, folder: Path) -> Path:
    """Write a new pack into `folder / name`; the folder that was made.

    Raises CannotScaffold where the name is no usable Python name or something lies there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise CannotScaffold(f"a pack cannot be called {name!r}; use lower-case letters, digits and _")
    if name in ("nodes", "nodegraph", "tests", "test"):
        raise CannotScaffold(
            f"a pack cannot be called {name!r}: that would hide a package of this name; choose another"
        )
    target = folder / name
    if target.exists():
        raise CannotScaffold(f"{target} is there already; choose another name or folder")
    values = {"name": name, "dashed": name.replace("_", "-"), "version": __version__}
    files = {
        "pyproject.toml": _PYPROJECT,
        "README.md": _README,
        f"{name}/__init__.py": '"""Nodes for nodegraph."""\n',
        f"{name}/pack.toml": _MANIFEST,
        f"{name}/nodes.py": _NODES,
        "tests/test_nodes.py": _TEST,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as scratch:
            made = Path(scratch, name)
            for relative, text in files.items():
                path = made / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                content = text.format(**values) if relative != f"{name}/__init__.py" else text
                path.write_text(content, "utf-8")
            made.rename(target)
    except OSError as error:
        raise CannotScaffold(f"{target} could not be written: {error.strerror or error}") from error
    return target
