"""Running a server until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NodegraphError
from .access import Access
from .listening import Address, listen
from .place import Note, TableLock, leave_note
from .services import Services, Workforce

if TYPE_CHECKING:
    from ..jobs.table import JobTable
    from ..settings import Settings
    from .changes import Changes

log = logging.getLogger(__name__)

BACKLOG = 128
"""Connections that wait to be taken."""

THREADS = 4
"""In which requests wait for the table."""

LINGER_SECONDS = 1.0
"""How long the rest of a refused body is read, so that its sender gets to the answer."""

FORGET_SECONDS = 600.0
"""How often jobs are forgotten that are over and old."""

CANCELLED = 130
"""What the process ends with when it is told to end at once."""

SHUTDOWN_SECONDS = 3.0
"""How long answers under way may take when the server ends."""


def lock_path(settings: Settings) -> Path:
    """The file whose lock keeps a table to one server: beside the table, or in the state folder for a server's.

    Raises UnsupportedDatabase.
    """
    from ..jobs.opening import parsed, url_of_file

    url = parsed(settings.database or url_of_file(settings.state / "jobs.sqlite"))
    is_file = url.get_backend_name() == "sqlite" and url.database
    return Path(f"{url.database}.server") if is_file else settings.state / "server.lock"


def serve(settings: Settings, host: str, *, started: Callable[[Address], None], stopping: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, then end gently: running jobs go back into the queue with what they have.

    A second signal ends at once. started: is given the address. stopping: is called when the end begins.
    Raises NoSuchAddress, PortInUse, ServerRuns or JobTableUnusable.
    """
    from ..jobs.database import explained
    from ..jobs.table import JobTable
    from .tokens import configured, made_token

    with contextlib.ExitStack() as stack:
        path = lock_path(settings)
        with explained(str(path)):
            lock = TableLock.take(path)
        stack.callback(lock.release)
        listening = stack.enter_context(listen(host, settings.port))
        table = JobTable.open(settings)
        stack.callback(table.close)
        address = Address.of(listening, host, settings.hosts)
        lock.tell(address.here)
        note = Note(url=address.here, pid=os.getpid(), output=settings.output.absolute())
        token = configured(settings)
        with explained(str(settings.state)):
            if token is None and not address.is_local:
                token = made_token(settings.state)
                address = address.with_link(token)
            stack.enter_context(leave_note(settings.state, note))
        access = Access(token, address.names)
        asyncio.run(_serve(settings, table, listening, access, lambda: started(address), stopping))


async def _serve(
    settings: Settings,
    table: JobTable,
    listening: socket.socket,
    access: Access,
    started: Callable[[], None],
    stopping: Callable[[], None],
) -> None:
    from .changes import Changes

    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "server"))
    ended = asyncio.Event()
    _on_signals(loop, ended, stopping)
    changes = Changes()
    workforce = make_workforce(settings, table, changes.tell)
    services = make_services(settings, table, workforce, changes, access)
    async with answering(services, listening):
        started()
        await _work(services, ended)


def make_workforce(settings: Settings, table: JobTable, on_change: Callable[[], None]) -> Workforce:
    """What runs the jobs."""
    from ..jobs.supervisor import Supervisor

    return Supervisor(settings, table, on_change=on_change)


def make_services(
    settings: Settings, table: JobTable, workforce: Workforce, changes: Changes, access: Access
) -> Services:
    """All that belongs to a server."""
    from .adviser import Adviser
    from .definitions import Definitions
    from .definitions_document import DefinitionsDocument
    from .input_pictures import InputPictures
    from .model_files import ModelFiles
    from .previews import Previews
    from .templates import Templates
    from .thumbnails import Thumbnails
    from .uploads import Uploads
    from .veil import Veil
    from .workflow_store import WorkflowStore

    definitions, veil = Definitions(settings), Veil(settings)
    adviser = Adviser(settings, definitions)
    thumbnails = Thumbnails(settings.cache)
    return Services(
        settings=settings,
        table=table,
        definitions=definitions,
        nodes=DefinitionsDocument(definitions, veil),
        adviser=adviser,
        workflows=WorkflowStore(settings.workflows),
        templates=Templates(definitions),
        uploads=Uploads(settings.input),
        inputs=InputPictures(definitions, thumbnails),
        thumbnails=thumbnails,
        models=ModelFiles(definitions, adviser, settings.cache),
        workforce=workforce,
        changes=changes,
        previews=Previews(workforce),
        veil=veil,
        access=access,
        started=datetime.now(UTC),
        answered=asyncio.Event(),
    )


@contextlib.asynccontextmanager
async def answering(services: Services, listening: socket.socket) -> AsyncIterator[None]:
    """Answer requests while the block lasts."""
    from aiohttp import web

    from .app import make_app
    from .protocol import Protocol

    loop = asyncio.get_running_loop()
    runner = web.AppRunner(make_app(services), handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    assert runner.server is not None
    options: dict[str, Any] = {"loop": loop, "access_log": None, "lingering_time": LINGER_SECONDS}
    connect = partial(Protocol, runner.server, **options)
    try:
        server = await loop.create_server(connect, sock=listening, backlog=BACKLOG)
        yield
        server.close()
    finally:
        await runner.cleanup()
        await asyncio.to_thread(services.adviser.close)


async def _work(services: Services, ended: asyncio.Event) -> None:
    """Let jobs run and watch the table until it is time to end, or until one of them fails."""
    tasks = [
        asyncio.create_task(services.workforce.run()),
        asyncio.create_task(services.changes.look(services.table.version, services.changed)),
    ]
    aside = [asyncio.create_task(_load_definitions(services)), asyncio.create_task(_forget_old_jobs(services))]
    waiting = asyncio.create_task(ended.wait())
    try:
        done, _ = await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for each in (*tasks, *aside, waiting):
            each.cancel()
        await asyncio.gather(*tasks, *aside, waiting, return_exceptions=True)


async def _load_definitions(services: Services) -> None:
    """Load the definitions when the first answer is given, so that the first job need not wait for them."""
    await services.answered.wait()
    catalog = await asyncio.to_thread(services.definitions.load)
    for failure in catalog.failures:
        log.warning("%s", failure)


async def _forget_old_jobs(services: Services) -> None:
    """Keep no more jobs that are over than the settings say."""
    keep, days = services.settings.keep_jobs, services.settings.keep_days
    await services.answered.wait()
    while keep is not None or days is not None:
        try:
            if await asyncio.to_thread(services.table.prune, keep=keep, days=days):
                services.changed()
        except NodegraphError as error:
            log.warning("old jobs could not be forgotten: %s", error)
        await asyncio.sleep(FORGET_SECONDS)


def _on_signals(loop: asyncio.AbstractEventLoop, ended: asyncio.Event, stopping: Callable[[], None]) -> None:
    """SIGTERM or Ctrl-C sets `ended`; the second one ends the process."""

    def stop() -> None:
        if ended.is_set():
            os._exit(CANCELLED)
        ended.set()
        stopping()

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop)
