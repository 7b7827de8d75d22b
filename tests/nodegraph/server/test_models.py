"""Model files: what their headers say, each read once, by a process that is not the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nodegraph.devices.policy import device_policy
from nodegraph.server.adviser import Adviser
from tests.nodes.tiny_controlnet import tensors, write_controlnet
from tests.nodes.tiny_sd import write_sd

from ..packs import write_pack
from .conftest import Serve, Served


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny files where users have those of Stable Diffusion."""
    folder = tmp_path_factory.mktemp("models")
    write_sd(folder / "checkpoint" / "deep" / "sd15.safetensors")
    write_controlnet(folder / "controlnet" / "canny.safetensors", tensors("1"))
    (folder / "checkpoint" / "page.safetensors").write_text("<!DOCTYPE html><html>")
    (folder / "checkpoint" / "short.safetensors").write_bytes((1000).to_bytes(8, "little") + b"{}")
    (folder / "checkpoint" / "pickle.ckpt").write_bytes(b"\x80\x02}")
    (folder / "checkpoint" / "empty.safetensors").write_bytes(b"")
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that the adviser was asked about."""
    names: list[str] = []
    real = Adviser.models

    def models(self: Adviser, files: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        names.extend(name for _, name in files)
        return real(self, files)

    monkeypatch.setattr(Adviser, "models", models)
    return names


def found(served: Served, query: str = "") -> dict[str, Any]:
    return {each["name"]: each for each in served.ask("GET", f"/models{query}").json()["models"]}


def test_families_precisions_and_sizes(serve: Serve, made: Path) -> None:
    models = found(serve(models=made))
    path = made / "checkpoint" / "deep" / "sd15.safetensors"
    assert models["deep/sd15.safetensors"] == {
        "kind": "checkpoint",
        "name": "deep/sd15.safetensors",
        "family": "Stable Diffusion of context width 64",
        "precision": "float32",
        "bytes": path.stat().st_size,
        "error": "",
    }
    assert models["bundled:icons"]["precision"] == "float16"
    assert models["bundled:icons"]["family"] == "nodegraph text-to-image (flow DiT)"
    assert "ControlNet" in models["canny.safetensors"]["family"]


def test_files_that_cannot_be_used_say_why(serve: Serve, made: Path, tmp_path: Path) -> None:
    served = serve(models=made)
    models = found(served, "?kind=checkpoint")
    for name, words in (
        ("page.safetensors", "a web page"),
        ("short.safetensors", "header is 1,000 bytes long"),
        ("pickle.ckpt", "a Python pickle"),
        ("empty.safetensors", "empty"),
    ):
        assert words in models[name]["error"]
        assert models[name]["family"] == ""
    assert str(made) not in json.dumps(models)


def test_headers_are_read_once_until_a_file_changes(serve: Serve, made: Path, asked: list[str]) -> None:
    served = serve(models=made)
    first = found(served)
    assert sorted(asked) == sorted(first)
    asked.clear()
    assert found(served) == first
    assert found(serve(models=made)) == first
    assert asked == []
    path = made / "checkpoint" / "empty.safetensors"
    os.utime(path, ns=(1, 1))
    assert found(served) == first
    assert asked == ["empty.safetensors"]


def test_one_kind_or_none(serve: Serve, made: Path) -> None:
    served = serve(models=made)
    assert {each["kind"] for each in found(served, "?kind=controlnet").values()} == {"controlnet"}
    answer = served.ask("GET", "/models?kind=checkpoints")
    assert (answer.status, answer.json()["code"]) == (422, "wrong_request")
    assert "checkpoint" in answer.json()["error"]
    assert "image" not in {each["kind"] for each in found(served).values()}


def test_a_link_that_leaves_its_folder_hides_no_other_file(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "checkpoint"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "away.safetensors").symlink_to(tmp_path / "secret")
    served = serve()
    models = found(served, "?kind=checkpoint")
    assert "lies outside" in models["away.safetensors"]["error"]
    assert models["bundled:icons"]["error"] == ""
    assert str(tmp_path) not in json.dumps(models)


LOADER = """
import os
from pathlib import Path
from typing import Annotated
from nodegraph import PathOf, node
from nodegraph.spec import ModelFacts, Predicted

def loads(file: Path) -> Predicted:
    if file.read_bytes() == b"deadly":
        os._exit(1)
    return Predicted(models=(ModelFacts(input="file", family="sound", precision="float32", parameters=1, bytes=1),))

@node(category="test", spec=loads)
def load(file: Annotated[Path, PathOf("thing")]) -> int:
    "Load a thing."
    return 1
"""


def test_a_file_that_kills_the_adviser_hides_no_other_file(serve: Serve, tmp_path: Path) -> None:
    write_pack(tmp_path / "plugins", "things", LOADER)
    (tmp_path / "models" / "thing").mkdir(parents=True)
    for name, content in (("a", b""), ("b", b"deadly"), ("c", b"")):
        (tmp_path / "models" / "thing" / name).write_bytes(content)
    models = found(serve(plugins=[tmp_path / "plugins"]), "?kind=thing")
    assert {name: each["family"] for name, each in models.items()} == {"a": "sound", "b": "", "c": "sound"}
    assert "ended its process" in models["b"]["error"]


def test_the_server_loads_nothing_heavy() -> None:
    program = """
import sys
from nodegraph.server.app import make_app
from nodegraph.server import adviser, model_files, workflow_store, templates, uploads, input_pictures
heavy = {"torch", "nodes", "numpy", "PIL", "safetensors", "tokenizers"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_system_tells_what_the_page_shows(served: Served) -> None:
    system = served.ask("GET", "/system").json()
    policy = device_policy(served.settings)
    assert (system["device"]["kind"], system["device"]["precision"]) == (policy.device, policy.precision)
    assert (system["device"]["threads"], system["workers"]) == (1, 0)
    assert system["device"]["name"]
    assert 0 < system["output"]["free"] <= system["output"]["total"]
    assert system["limits"] == {"body_bytes": 2**26, "upload_bytes": 2**26, "picture_pixels": 64_000_000}
