"""A server as a user starts it: a process of its own that can be killed and started again at the same place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from nodegraph.client import Client

EDITOR = Path(__file__).parents[2] / "nodegraph" / "server" / "editor"


class Server:
    """`nodegraph serve` on folders of its own, with one worker. options: further ones of the command."""

    def __init__(self, folder: Path, definitions: Path, *options: str) -> None:
        assert (EDITOR / "index.html").is_file(), "the editor is not built; run `make web`"
        self.folder = folder
        folders = {name: str(folder / name) for name in ("input", "output", "state", "models", "workflows", "plugins")}
        cache = folder / "cache"
        cache.mkdir(parents=True)
        (cache / "definitions").symlink_to(definitions)
        self._environment = {
            **os.environ,
            **{f"NODEGRAPH_{name.upper()}": value for name, value in {**folders, "cache": str(cache)}.items()},
            "NODEGRAPH_THREADS": "1",
            "NODEGRAPH_WORKERS": "1",
        }
        self._log = (folder / "server.log").open("ab")
        self._options = options
        self.port = 0
        self.address = ""
        self.process = self._start()

    @property
    def url(self) -> str:
        """Where it answers; the same after a restart."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Client:
        """Asks it, as programs do."""
        return Client(self.url)

    def worker(self) -> int:
        """The process id of its worker."""
        with self.client() as client:
            found = [each["process"] for each in client.workers().workers if each["process"] is not None]
        assert len(found) == 1, found
        return int(found[0])

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(60)

    def start_again(self) -> None:
        """Start it where it was."""
        self.process = self._start()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "nodegraph", "serve", "--json", "--port", str(self.port), *self._options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, env=self._environment, cwd=self.folder
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (self.folder / "server.log").read_text("utf-8", "replace")
        process.stdout.close()
        self.address = json.loads(line)["url"]
        self.port = int(self.address.rpartition(":")[2])
        return process
