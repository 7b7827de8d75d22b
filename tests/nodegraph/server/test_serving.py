"""`nodegraph serve` as a process: starting, being found, ending."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.client import Client, NoServer, ServerRefused
from nodegraph.jobs.model import JobRequest
from nodegraph.jobs.table import JobTable
from nodegraph.server.place import Note, leave_note, read_note
from nodegraph.settings import Settings

from ..flows import flow, link
from ..packs import write_pack
from .requests import workflow

PACKS = Path(__file__).parents[2] / "packs"

WAITING = """
import os
from nodegraph import Context, node

@node(category="test")
def waits(value: int, ctx: Context) -> int:
    "Says that it runs, then takes steps without end."
    with open(os.environ["STEPS"], "w") as told:
        print("running", file=told, flush=True)
    for step in range(10**9):
        ctx.progress(step % 100, 100)
    return value
"""


class Process:
    """A `nodegraph serve` of its own."""

    def __init__(self, environment: dict[str, str], *options: str) -> None:
        command = [sys.executable, "-m", "nodegraph", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def url(self) -> str:
        """Where it says that it answers."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.end()
        return line.removeprefix("nodegraph serves at ").strip()

    def hear(self, words: str) -> str:
        """What follows these words, once it says them beside its results."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if words in line:
                return line.partition(words)[2].strip()
        raise AssertionError(self.end())

    def end(self, send: int | None = None) -> tuple[int, str]:
        if send is not None:
            self.process.send_signal(send)
        out, err = self.process.communicate(timeout=90)
        return self.process.returncode, out + err


@pytest.fixture
def environment(server_settings: Settings, tmp_path: Path) -> dict[str, str]:
    names = ("models", "input", "output", "state", "cache")
    folders = {f"NODEGRAPH_{name.upper()}": str(tmp_path / name) for name in names}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NODEGRAPH_")}
    own = {"NODEGRAPH_PLUGINS": str(PACKS), "NODEGRAPH_THREADS": "1", "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return {**kept, **folders, **own}


Start = Callable[..., Process]


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Starts servers; none survives the test."""
    started: list[Process] = []

    def begin(*options: str, **more: str) -> Process:
        started.append(Process({**environment, **more}, *options))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.communicate()


def test_it_starts_is_found_runs_a_job_and_ends(start: Start, settings: Settings, tmp_path: Path) -> None:
    server = start()
    url = server.url()
    note = read_note(settings.state)
    assert note == Note(url=url, pid=server.process.pid, output=tmp_path / "output")
    with Client(settings=settings) as client:
        nodes = {"n": ("number", {"value": 2.6}), "whole": ("rounded", {"number": link("n.number"), "how": "up"})}
        job = client.submit(flow(nodes, {"whole": "whole.value"}))
        assert client.wait(job.id).outputs == {"whole": 3}
        assert client.output == tmp_path / "output"
    code, said = server.end(signal.SIGTERM)
    assert (code, read_note(settings.state)) == (0, None)
    assert "ending" in said
    assert "Traceback" not in said


def test_a_second_server_is_refused_and_told_of_the_first(start: Start, settings: Settings) -> None:
    first = start()
    url = first.url()
    code, said = start().end()
    assert code == 1
    assert f"another server works on this job table: {url}; use that one" in said
    code, said = start(
        NODEGRAPH_STATE=str(settings.state / "other"), NODEGRAPH_DATABASE=f"sqlite:///{settings.state / 'jobs.sqlite'}"
    ).end()
    assert (code, url in said) == (1, True)
    note = read_note(settings.state)
    assert note is not None and note.url == url


def test_a_server_that_was_killed_is_no_hindrance(start: Start, settings: Settings) -> None:
    first = start()
    first.url()
    first.end(signal.SIGKILL)
    assert read_note(settings.state) is not None
    with Client(settings=settings) as client, pytest.raises(NoServer, match=r"no server answers at .*nodegraph serve"):
        client.system()
    second = start()
    url = second.url()
    with Client(settings=settings) as client:
        assert (client.url, client.system().name) == (url, "nodegraph")


def test_a_server_that_ends_leaves_the_note_of_another(tmp_path: Path) -> None:
    first, second = (Note(url=f"http://127.0.0.1:{port}", pid=port, output=tmp_path) for port in (1, 2))
    with leave_note(tmp_path, first):
        (tmp_path / "server.json").write_text(second.model_dump_json())
    assert read_note(tmp_path) == second


def test_a_port_in_use_and_a_foreign_address_are_refused(
    start: Start, environment: dict[str, str], tmp_path: Path
) -> None:
    port = start().url().rpartition(":")[2]
    other = {"NODEGRAPH_STATE": str(tmp_path / "other")}
    code, said = start("--port", port, **other).end()
    assert code == 1
    assert f"port {port} of 127.0.0.1: another program listens there; give another one with --port" in said
    code, said = start("--host", "192.0.2.1", **other).end()
    assert code == 1
    assert "--host 192.0.2.1: this machine has no such address" in said
    assert "Traceback" not in said


def test_other_machines_need_a_token_which_it_makes_and_tells_once(start: Start, settings: Settings) -> None:
    server = start("--host", "0.0.0.0")
    url = server.url()
    link = server.hear("this link has it: ")
    token = (settings.state / "token").read_text().strip()
    assert link == f"{url}/#token={token}"
    with Client(settings=settings) as client:
        assert client.system().token_needed
    with Client(client.url, settings=settings) as stranger, pytest.raises(ServerRefused, match="send its token"):
        stranger.system()
    with Client(url, token=token) as outside:
        assert outside.system().name == "nodegraph"
    code, said = server.end(signal.SIGTERM)
    assert (code, token in said) == (0, False)
    again = start("--host", "0.0.0.0")
    again.url()
    assert again.hear("this link has it: ").endswith(token)


def test_a_configured_token_is_asked_for_and_never_shown(start: Start, settings: Settings, tmp_path: Path) -> None:
    token = "a token of 24 characters"
    (tmp_path / "secret").write_text(token + "\n")
    for options, more in ((("--token-file", str(tmp_path / "secret")), {}), ((), {"NODEGRAPH_TOKEN": token})):
        given = start(*options, **more)
        with Client(given.url(), token=token) as client:
            assert client.system().token_needed
        code, said = given.end(signal.SIGTERM)
        assert (code, token in said) == (0, False)
    assert not (settings.state / "token").exists()
    for options, more in (((), {"NODEGRAPH_TOKEN": "too short"}), (("--token-file", str(tmp_path / "none")), {})):
        code, said = start(*options, **more).end()
        assert code == 2
        assert "too short" not in said


def test_a_state_folder_that_cannot_be_used_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = start(NODEGRAPH_STATE=str(tmp_path / "file")).end()
    assert code == 1
    assert f"{tmp_path / 'file'}" in said
    assert "Traceback" not in said


def test_old_jobs_are_forgotten_by_themselves(start: Start, settings: Settings) -> None:
    with JobTable.open(settings) as table:
        for _ in range(3):
            table.cancel(table.submit(JobRequest(workflow=workflow())).job.id)
        newest = table.page(limit=1).jobs[0].id
        server = start(NODEGRAPH_KEEP_JOBS="1")
        with Client(server.url()) as client:
            for event in client.events(after=0):
                if event.kind == "deleted" and len(client.jobs().jobs) == 1:
                    break
            assert [each.id for each in client.jobs().jobs] == [newest]


def test_json_tells_machines_where_it_is(start: Start) -> None:
    server = start("--json")
    found: dict[str, Any] = json.loads(server.url())
    assert found["pid"] == server.process.pid
    with Client(found["url"]) as client:
        assert client.workers().workers[0]["state"] == "none"


@pytest.fixture
def busy(start: Start, settings: Settings, tmp_path: Path, definitions_cache: Path) -> Iterator[tuple[Process, str]]:
    """A server at work on a job that never ends, and the job."""
    from nodegraph.catalog import load_catalog

    write_pack(tmp_path / "plugins", "waiting", WAITING)
    plugins = [PACKS, tmp_path / "plugins"]
    assert load_catalog(Settings(cache=definitions_cache, plugins=plugins)).failures == []
    os.mkfifo(tmp_path / "steps")
    heard = os.open(tmp_path / "steps", os.O_RDWR)
    server = start(NODEGRAPH_PLUGINS=os.pathsep.join(map(str, plugins)), STEPS=str(tmp_path / "steps"))
    with Client(server.url()) as client:
        job = client.submit(flow({"w": ("waiting.waits", {"value": 1})}))
    assert os.read(heard, 100) == b"running\n"
    yield server, job.id
    os.close(heard)


@pytest.mark.parametrize("send", [signal.SIGTERM, signal.SIGINT])
def test_a_running_job_goes_back_into_the_queue(busy: tuple[Process, str], settings: Settings, send: int) -> None:
    server, job = busy
    code, said = server.end(send)
    assert code == 0, said
    assert "running jobs stop after this step and go back into the queue" in said
    assert "Traceback" not in said
    with JobTable.open(settings) as table:
        found = table.job(job)
        assert (found.state, found.losses) == ("queued", 0)
        assert [each.kind for each in table.events(job=job)][-1] == "interrupted"


def test_the_second_ctrl_c_ends_it_at_once(busy: tuple[Process, str], settings: Settings) -> None:
    server, _ = busy
    server.process.send_signal(signal.SIGSTOP)  # so that both are there before it can end gently
    server.process.send_signal(signal.SIGINT)
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGCONT)
    code, said = server.end()
    assert code == 130
    assert "Traceback" not in said
