"""How soon a server answers, and how much memory it keeps while nobody asks anything.

Each run starts `nodegraph serve` on an empty state folder, asks until the first answer comes, waits until the
definitions are loaded, and reads the resident set of the process (Linux). Workers are started by the first job and not
measured. Lines print median and best, the stated limit, and their ratio (best / limit).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FIRST_ANSWER_SECONDS = 0.8
IDLE_MEGABYTES = 80.0


def free_port() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


def ask(port: int) -> dict[str, Any] | None:
    """What `GET /api/v1/system` gives; None while nobody listens. It is plain, since it is a part of the time."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                f"GET /api/v1/system HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = b""
            while part := connection.recv(1 << 16):
                answer += part
    except ConnectionError:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    found: dict[str, Any] = json.loads(body)
    return found


def resident_megabytes(process: int) -> float:
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def measure(folder: Path) -> tuple[float, float]:
    """Seconds to the first answer, and megabytes a moment after the definitions were loaded."""
    port = free_port()
    environment = {**os.environ, "NODEGRAPH_STATE": str(folder / "state")}
    command = [sys.executable, "-m", "nodegraph", "serve", "--port", str(port), "--output", str(folder / "output")]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while ask(port) is None:
            assert process.poll() is None, "the server ended"
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        while (ask(port) or {})["definitions"] is None:
            time.sleep(0.05)
        time.sleep(1)
        megabytes = resident_megabytes(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, "it did not end gently"
    return seconds, megabytes


def report(name: str, values: Sequence[float], limit: float, unit: str) -> None:
    best, middle = min(values), statistics.median(values)
    bar = f"limit {limit:5.1f} {unit}  ratio {best / limit:.2f}"
    print(f"{name:<36} median {middle:6.2f} {unit}  best {best:6.2f} {unit}  {bar}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    found = []
    for _ in range(runs + 1):  # the first one fills the caches of definitions and files
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder)))
    report("first answer after the start", [seconds for seconds, _ in found[1:]], FIRST_ANSWER_SECONDS, "s")
    report("memory while idle", [megabytes for _, megabytes in found[1:]], IDLE_MEGABYTES, "MB")


if __name__ == "__main__":
    main()
