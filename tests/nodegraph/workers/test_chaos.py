"""A small measure of `make chaos`: each phase is hit, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PHASES = ("submit", "run", "write", "evict", "checkpoint")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_kills_in_every_phase_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.chaos", "--kills", "1", "--anywhere", "2", "--folder", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kills = [json.loads(line) for line in (tmp_path / "chaos" / "kills.jsonl").read_text().splitlines()]
    assert Counter(each["phase"] for each in kills if each["victims"]) >= Counter([*PHASES, "anywhere", "anywhere"])
