"""A worker as its supervisor sees it: started, spoken with, watched, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel

from ..settings import Settings
from .blackbox import BlackBox
from .lifelines import own_memory
from .messages import Beat, FromWorker, Leave, Look, Looked, Shown, Start, framed, read_message

_PROGRAM = "import sys; sys.path.insert(0, {engine!r}); from nodegraph.jobs.worker import main; main(*sys.argv[1:])"
_ENGINE = Path(__file__).parent.parent.parent
LAST_WORDS = 4000
"""Characters of what a worker printed last that go into the report of its death."""
LARGEST_LOG = 4 * 2**20


OnShown: TypeAlias = Callable[[Shown], None]


class WorkerProcess:
    """One process that runs node code; it is listened to from its start on.

    heard: when it last gave a sign of life, by the monotonic clock. on_shown: is given what its nodes show.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        log: Path,
        box: BlackBox,
    ) -> None:
        self._process, self._reader, self._writer, self._log, self._box = process, reader, writer, log, box
        self._mark = 0
        self._said: asyncio.Queue[FromWorker | None] = asyncio.Queue()
        self._looks: dict[int, asyncio.Future[Looked]] = {}
        self._gone = ""
        self._listening = asyncio.create_task(self._listen())
        self.heard = time.monotonic()
        self.on_shown: OnShown | None = None

    @classmethod
    async def start(
        cls, settings: Settings, *, log: Path, environment: Mapping[str, str], beat: float
    ) -> WorkerProcess:
        """Start a process; it sends `Ready` when it can work.

        log: where its prints go. environment: variables beside those of this process. beat: seconds between signs of
        life. Raises OSError when the system gives no process.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.unlink()
        box_file = log.with_suffix(".now")
        box = BlackBox(box_file)
        box.write({})
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as prints:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-c",
                    _PROGRAM.format(engine=str(_ENGINE)),
                    str(theirs.fileno()),
                    str(os.getpid()),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=prints,
                    stderr=prints,
                    env={**os.environ, **environment},
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = cls(process, reader, writer, log, box)
        worker.mark()
        with contextlib.suppress(EOFError):  # a process that ends at once is noticed when it is listened to
            await worker.send(Start(settings=settings, search=list(sys.path), box=box_file, beat=beat))
        return worker

    @property
    def id(self) -> int:
        """The process id."""
        return self._process.pid

    async def send(self, message: BaseModel) -> None:
        """Send a message. Raises EOFError when the process is gone."""
        try:
            self._writer.write(framed(message))
            await self._writer.drain()
        except OSError as error:
            raise EOFError("the worker is gone") from error

    @property
    def gone(self) -> bool:
        """Whether nothing will be heard of it any more."""
        return bool(self._gone)

    async def receive(self) -> FromWorker:
        """Wait for the next message about its work. Raises EOFError when the process is gone."""
        message = await self._said.get()
        if message is None:
            self._said.put_nowait(None)
            raise EOFError(self._gone)
        return message

    async def look(self, wanted: Look) -> Looked:
        """Let it look into a result. Raises EOFError when the process is gone."""
        if self.gone:
            raise EOFError(self._gone)
        answer: asyncio.Future[Looked] = asyncio.get_running_loop().create_future()
        self._looks[wanted.ticket] = answer
        try:
            await self.send(wanted)
            return await answer
        finally:
            self._looks.pop(wanted.ticket, None)

    async def _listen(self) -> None:
        """Hear it, also while it has no work."""
        try:
            while True:
                message = await read_message(self._reader)
                self.heard = time.monotonic()
                match message:
                    case Shown():
                        if self.on_shown is not None:
                            self.on_shown(message)
                    case Looked(ticket=ticket):
                        if (answer := self._looks.get(ticket)) is not None and not answer.done():
                            answer.set_result(message)
                    case Beat() if not self._said.empty():
                        pass  # what waits to be read says as much
                    case _:
                        self._said.put_nowait(message)
        except EOFError as error:
            self._gone = str(error)
        except ValueError as error:  # node code wrote into the socket
            self._gone = f"the worker said what nobody understands: {error}"
            self.kill()
        finally:
            self._gone = self._gone or "the worker is gone"
            for answer in self._looks.values():
                if not answer.done():
                    answer.set_exception(EOFError(self._gone))
        self._said.put_nowait(None)

    def memory(self) -> int | None:
        """Bytes that it holds for itself; None where the system does not tell."""
        return own_memory(self.id)

    def at_work(self) -> dict[str, str]:
        """The nodes at work, or that were when it was lost, by name with their type."""
        return self._box.read()

    def mark(self) -> None:
        """What it prints from now on belongs to the next report."""
        with contextlib.suppress(OSError):
            self._mark = self._log.stat().st_size

    def kill(self) -> None:
        """End it and what it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.id, signal.SIGKILL)  # `Popen.kill` would take its exit code from whoever waits for it

    async def leave(self, patience: float) -> None:
        """Let it end by itself, or end it after so many seconds."""
        with contextlib.suppress(EOFError):
            await self.send(Leave())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._process.wait()
        await self.bury()

    async def bury(self) -> tuple[str, str]:
        """End it if it lives; how it died, and what it printed last."""
        self.kill()
        code = await self._process.wait()
        self._listening.cancel()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        return _manner(code), self._last_words()

    def _last_words(self) -> str:
        try:
            with self._log.open("rb") as file:
                file.seek(max(self._mark, self._log.stat().st_size - LAST_WORDS))
                return file.read(LAST_WORDS).decode(errors="replace").strip()
        except OSError:
            return ""


def _manner(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"was ended by signal {-code}"
