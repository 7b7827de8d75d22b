"""Several processes and threads use one folder at once, with a budget that evicts all the while."""

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nodegraph.execution.store import DiskTier

WORKER = """
import hashlib, random, sys
from pathlib import Path
from nodegraph.execution.store import DiskTier
folder, seed, budget = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
sys.stdin.readline()
found = 0
with DiskTier(folder, budget, busy_timeout=60.0) as tier:
    for step in range(120):
        number = chance.randrange(30)
        key = hashlib.sha256(str(number).encode()).hexdigest()
        outputs = {"value": [number] * (40_000 if number % 3 == 0 else 10), "text": str(number)}
        if chance.random() < 0.5:
            assert tier.put(key, outputs)
        else:
            got = tier.get(key)
            assert got is None or got == outputs, number
            found += got is not None
    assert tier.flush()
    info = tier.info()
    assert info.usable and info.damaged == 0, info
assert found > 0
"""


def test_eight_processes_hammer_one_folder(tmp_path: Path) -> None:
    budget = 500_000
    arguments = [sys.executable, "-c", WORKER, str(tmp_path)]
    workers = [
        subprocess.Popen([*arguments, str(seed), str(budget)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for seed in range(8)
    ]
    for worker in workers:  # all start together, the folder is not yet there
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _, errors = worker.communicate(timeout=300)
        assert worker.returncode == 0, errors
        assert errors == ""
    with DiskTier(tmp_path, budget) as tier:
        info = tier.info()
        assert 0 < info.bytes <= budget
        keys = {hashlib.sha256(str(number).encode()).hexdigest() for number in range(30)}
        present = tier.contains_many(keys)
        assert len(present) == info.entries
        assert all(tier.get(key) is not None for key in present)
        on_disk = {path.stem for path in tmp_path.rglob("*.safetensors")}
        assert on_disk <= present
    assert list((tmp_path / "v1" / "tmp").iterdir()) == []


def test_threads_share_one_tier(tmp_path: Path) -> None:
    errors: list[BaseException] = []
    with DiskTier(tmp_path, 10**7) as tier:

        def work(start: int) -> None:
            try:
                for step in range(60):
                    number = (start * 7 + step) % 20
                    key = hashlib.sha256(str(number).encode()).hexdigest()
                    outputs = {"value": [number] * (20_000 if number % 4 == 0 else 3)}
                    assert tier.put(key, outputs)
                    assert tier.get(key) == outputs
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

        threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert tier.info().entries == 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_process_loses_nothing_that_was_flushed(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from nodegraph.execution.store import DiskTier
tier = DiskTier(Path(sys.argv[1]), 10**7, flush_after=None)
tier.put("a" * 64, {"value": 1})
tier.put("b" * 64, {"value": "x" * 50_000})
tier.flush()
tier.put("c" * 64, {"value": 3})
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    with DiskTier(tmp_path, 10**7) as tier:
        assert tier.get("a" * 64) == {"value": 1}
        assert tier.get("b" * 64) == {"value": "x" * 50_000}
        assert tier.get("c" * 64) is None
        assert tier.info().damaged == 0


def test_a_process_that_ends_without_close_has_written_what_it_buffered(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from nodegraph.execution.store import DiskTier
DiskTier(Path(sys.argv[1]), 10**7).put("a" * 64, {"value": 1})
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    with DiskTier(tmp_path, 10**7) as tier:
        assert tier.get("a" * 64) == {"value": 1}
