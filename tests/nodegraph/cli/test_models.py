"""`nodegraph models`: a file that cannot be used does not hide the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nodegraph.cli.app import app


@pytest.mark.usefixtures("catalog")
def test_a_file_that_cannot_be_used_is_listed_with_its_reason(
    tmp_path: Path, definitions_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(definitions_cache, tmp_path / "cache")
    for name in ("models", "input", "cache", "plugins"):
        monkeypatch.setenv(f"NODEGRAPH_{name.upper()}", str(tmp_path / name))
    folder = tmp_path / "models" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "sound.safetensors").write_bytes(b"12345")
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (folder / "link.safetensors").symlink_to(tmp_path / "elsewhere")
    arguments = ["models", "--kind", "checkpoint"]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0
    files = {each["name"]: each for each in json.loads(done.stdout)}
    assert files["sound.safetensors"]["bytes"] == 5
    assert files["link.safetensors"]["bytes"] is None
    assert "lies outside" in files["link.safetensors"]["problem"]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0
    assert shown.stdout.count("link.safetensors") == 0
    assert "warning: the checkpoint 'link.safetensors' lies outside" in shown.stderr
