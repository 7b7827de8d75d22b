"""Written pictures hold their recipe and nothing that differs from run to run."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from nodegraph import Workflow, __version__

from ..flows import flow, link


def chunks(content: bytes) -> dict[str, bytes]:
    """The chunks of a PNG by name."""
    found, at = {}, 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        found[content[at + 4 : at + 8].decode()] = content[at + 8 : at + 8 + length]
        at += length + 12
    return found


@pytest.fixture
def picture(tmp_path: Path) -> bytes:
    """A small grey picture in the input folder; gives its content."""
    (tmp_path / "input").mkdir()
    file = tmp_path / "input" / "grey.png"
    Image.frombytes("L", (4, 4), bytes(range(0, 160, 10))).save(file)
    return file.read_bytes()


def workflow() -> Workflow:
    nodes = {
        "load": ("load_image", {"file": "grey.png"}),
        "save": ("save_image", {"image": link("load.image"), "name": "copy"}),
    }
    return flow(nodes, {"files": "save.files"}).model_copy(update={"title": "A copy"})


def test_the_same_run_twice_writes_the_same_bytes(environment: dict[str, str], picture: bytes) -> None:
    workflow().save("flow.json")
    contents = {}
    for folder in ("one", "two"):
        command = [
            sys.executable,
            "-m",
            "nodegraph",
            "run",
            "flow.json",
            "--no-cache",
            "--device",
            "cpu",
            "--output",
            folder,
        ]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        [file] = Path(folder).iterdir()
        contents[folder] = (file.name, file.read_bytes())
    assert contents["one"] == contents["two"]
    found = chunks(contents["one"][1])
    assert set(found) == {"IHDR", "IDAT", "IEND", "tEXt"}  # no tIME
    name, _, text = found["tEXt"].partition(b"\0")
    recipe = json.loads(text)
    assert name == b"nodegraph"
    assert set(recipe) == {"nodegraph", "workflow", "files", "versions", "computed_on", "node", "item"}
    assert recipe["nodegraph"] == __version__
    assert recipe["files"] == {"image/grey.png": sha256(picture).hexdigest()}
    assert recipe["computed_on"] == "cpu;float32;1"
    assert set(recipe["versions"]) >= {"torch", "PIL"}
    assert Workflow.from_document(recipe["workflow"]) == workflow()
