"""A server in a thread of this process, with a real table and nobody at work but the test."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from nodegraph.catalog import Catalog
from nodegraph.client import Client
from nodegraph.jobs.looks import Looks
from nodegraph.jobs.messages import Shown
from nodegraph.jobs.table import JobTable
from nodegraph.server.access import Access
from nodegraph.server.changes import Changes
from nodegraph.server.listening import listen
from nodegraph.server.previews import Viewer
from nodegraph.server.services import Services
from nodegraph.server.serving import answering, make_services
from nodegraph.settings import Settings


class Nobody:
    """Takes no job."""

    def __init__(self) -> None:
        self.woken = 0
        self.show: Callable[[str, Shown], None] | None = None
        self.looks = Looks([])

    def wake(self) -> None:
        self.woken += 1

    def workers(self) -> list[Any]:
        return []

    async def watch(self, on_preview: Callable[[str, Shown], None] | None) -> None:
        self.show = on_preview

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass
class Answered:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content, parse_constant=pytest.fail)


class Served:
    """A server that runs until `stop`."""

    def __init__(self, settings: Settings, access: Access | None = None, host: str = "127.0.0.1") -> None:
        self.settings, self.nobody, self.access = settings, Nobody(), access or Access()
        self.table = JobTable.open(settings)
        self._listening = listen(host, 0)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.services: Services | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(60)

    async def _serve(self) -> None:
        changes = Changes()
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.services = make_services(self.settings, self.table, self.nobody, changes, self.access)
        async with answering(self.services, self._listening):
            looking = asyncio.create_task(changes.look(self.table.version, self.services.changed))
            self._ready.set()
            await self._ended.wait()
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def soon(self, call: Callable[[], object]) -> None:
        """Call something in the server's thread."""
        self._loop.call_soon_threadsafe(call)

    def viewers(self) -> list[Viewer]:
        """Those who look at what nodes show."""
        assert self.services is not None
        return self.services.previews.viewers

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(60)
            assert not self._thread.is_alive()
            self._listening.close()
            self.table.close()

    def client(self) -> Client:
        return Client(self.url)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answered:
        """One request as it is; bytes are sent as they are, other bodies as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, f"/api/v1{path}", content, dict(headers or {}))
        response = connection.getresponse()
        found = Answered(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return found


class Serve(Protocol):
    """Starts a server, with these settings changed."""

    def __call__(self, **changes: object) -> Served: ...


@pytest.fixture
def server_settings(settings: Settings, definitions_cache: Path, catalog: Catalog) -> Settings:
    """Settings whose definitions need not be described anew."""
    settings.cache.mkdir()
    (settings.cache / "definitions").symlink_to(definitions_cache / "definitions")
    return settings


@pytest.fixture
def serve(server_settings: Settings) -> Iterator[Serve]:
    """Starts servers on the test's folders, one after the other."""
    started: list[Served] = []

    def start(**changes: object) -> Served:
        started.append(Served(server_settings.model_copy(update=changes)))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def served(serve: Serve) -> Served:
    """A server."""
    return serve()
