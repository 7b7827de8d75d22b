"""A server in a process of its own, spoken with over HTTP, started again whenever it is dead."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INJECT = Path(__file__).parent / "inject"
ROGUES = ROOT / "tests" / "nodegraph" / "workers" / "rogues"


class Unreachable(Exception):
    """The server does not answer: it was killed, or is being killed."""


class Server:
    """`nodegraph serve` on folders of its own.

    folder: for everything it writes. chaos: the folder of kills, None leaves it undisturbed. settings: more of them, by
    name.
    """

    def __init__(self, folder: Path, *, chaos: Path | None, settings: dict[str, str]) -> None:
        self.folder, self._chaos = folder, chaos
        folder.mkdir(parents=True, exist_ok=True)
        variables = {name: str(folder / name) for name in ("output", "state", "input", "models")}
        variables["cache"] = str(folder / "cache")
        variables["plugins"] = str(ROGUES)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NODEGRAPH_")},
            **{f"NODEGRAPH_{name.upper()}": value for name, value in (variables | settings).items()},
        }
        paths = [ROOT]
        if chaos is not None:
            chaos.mkdir(parents=True, exist_ok=True)
            self._environment["CHAOS_FOLDER"] = str(chaos)
            paths.insert(0, INJECT)
        self._environment["PYTHONPATH"] = os.pathsep.join(map(str, paths))
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        atexit.register(self.kill)

    def ensure(self) -> bool:
        """Start it if it is dead; whether it had to be."""
        if self.process is not None and self.process.poll() is None:
            return False
        if self.process is not None:
            self.process.wait()
        (self.folder / "state" / "server.json").unlink(missing_ok=True)
        with (self.folder / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "nodegraph", "serve", "--port", "0"]
            self.process = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder
            )
        self.starts += 1
        end = time.monotonic() + 60
        while not (self.folder / "state" / "server.json").exists():
            if self.process.poll() is not None:
                return True  # killed while it started; the next call starts it again
            if time.monotonic() > end:
                raise TimeoutError(f"the server did not start; see {self.folder / 'server.log'}")
            time.sleep(0.01)
        return True

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request. Raises Unreachable; an answer that says no is an error of the test."""
        try:
            url = json.loads((self.folder / "state" / "server.json").read_text())["url"]
            data = json.dumps(body).encode() if body is not None else None
            request = urllib.request.Request(url + "/api/v1" + path, data, method=method)
            request.add_header("Content-Type", "application/json")
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
        except (OSError, ValueError, EOFError) as error:
            raise Unreachable(str(error)) from error

    def kill(self) -> None:
        """End it at once, if it lives."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it gently."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)
