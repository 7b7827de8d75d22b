"""Checkpoints of true size with random weights, from the command line to a picture, within a stated memory."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image as Pillow
from safetensors import safe_open

from nodes.checkpoints.header import read_header
from nodes.checkpoints.specs import recognise

ROOT = Path(__file__).parents[2]
FLOW = ROOT / "workflows" / "stable_diffusion.json"

PROGRAM = """
import resource, sys
from nodegraph.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("PEAK", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The script that writes them."""
    spec = importlib.util.spec_from_file_location("random_checkpoints", ROOT / "benchmarks" / "random_checkpoints.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "stored", "side", "parameters", "limit"),
    [
        ("sd15", "float32", 256, 1_066_235_307, 4.5e9),  # 2.1 GB of weights in bfloat16
        ("sdxl", "float16", 256, 3_469_000_000, 9.0e9),  # 6.9 GB of weights in bfloat16
    ],
)
def test_a_file_of_true_size_gives_a_picture(
    tmp_path: Path, writer: ModuleType, layout: str, stored: str, side: int, parameters: int, limit: float
) -> None:
    file = tmp_path / "models" / "checkpoint" / f"{layout}.safetensors"
    writer.write(file, writer.LAYOUTS[layout], stored)
    try:
        assert read_header(file).parameters() == pytest.approx(parameters, rel=2e-3)
        recognise(file)
        options = ["--checkpoint", file.name, "--steps", "2", "--width", str(side), "--height", str(side)]
        places = {"NODEGRAPH_MODELS": str(tmp_path / "models"), "NODEGRAPH_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "run", str(FLOW), *options,
             "--precision", "bfloat16", "--output", str(tmp_path / "output")],
            env={**os.environ, **places}, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        file.unlink()
    assert done.returncode == 0, done.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    peak = unit * int(done.stderr.rsplit("PEAK", 1)[1])
    assert peak <= limit, f"{peak:,} bytes"
    (made,) = (tmp_path / "output").glob("*.png")
    with Pillow.open(made) as picture:
        assert picture.size == (side, side)


def test_files_are_the_same_for_the_same_seed(tmp_path: Path, writer: ModuleType) -> None:
    tiny = writer.Layout(
        unet=writer.UNetConfig(channels=32, multipliers=(1,), depths=(1,), context_width=64),
        towers=(("cond_stage_model.model.", writer.ClipTextConfig(width=64, depth=1, heads=1, projection=64)),),
    )
    one, two, other = (
        writer.write(tmp_path / f"{index}.safetensors", tiny, "float16", seed) for index, seed in enumerate((1, 1, 2))
    )
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes() != other.read_bytes()
    recognise(one)
    with safe_open(one, "pt") as file:
        assert all(bool(torch.isfinite(file.get_tensor(name)).all()) for name in file.keys())  # noqa: SIM118
