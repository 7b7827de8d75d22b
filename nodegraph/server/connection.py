"""HTTP and WebSocket for callers that know nothing of asyncio: everything happens in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0
"""An answer that takes longer will never come."""

PART_BYTES = 1 << 18
HEARTBEAT_SECONDS = 20.0


class Unreachable(Exception):
    """Nobody answers at an address."""


class Refusal(Exception):
    """An answer whose status is an error."""

    def __init__(self, status: int, content: bytes) -> None:
        self.status, self.content = status, content
        super().__init__(status)


class Connection:
    """A client's session; its thread is started by the first request. headers: those of every request."""

    def __init__(self, headers: Callable[[], Mapping[str, str]] = dict) -> None:
        self._headers = headers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._sockets: set[aiohttp.ClientWebSocketResponse] = set()

    def ask(self, method: str, url: str, query: Sequence[tuple[str, str]], content: bytes | BinaryIO | None) -> bytes:
        """The body of an answer. Raises Unreachable or Refusal."""
        return self._wait(self._ask(method, url, query, content))

    def parts(self, url: str, query: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        """The body of an answer, piece by piece. Raises Unreachable or Refusal."""
        response = self._wait(self._open("GET", url, query, None))
        try:
            while part := self._wait(_part(response)):
                yield part
        finally:
            response.close()

    def listen(self, url: str, query: Sequence[tuple[str, str]]) -> Iterator[str | bytes]:
        """The messages of a WebSocket until the connection ends. Raises Unreachable."""
        socket = self._wait(self._connect(url, query))
        self._sockets.add(socket)
        try:
            while (message := self._wait(_message(socket))) is not None:
                yield message
        finally:
            if socket in self._sockets:  # else everything was closed meanwhile
                self._sockets.discard(socket)
                self._wait(socket.close())

    def close(self) -> None:
        """End the session and its thread."""
        if self._loop is None:
            return
        for each in self._sockets:
            self._wait(each.close())
        self._sockets.clear()
        if self._session is not None:
            self._wait(self._session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._loop = self._session = None

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives, which the thread does; Ctrl-C stops it."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_run, args=(self._loop,), name="nodegraph-client", daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    async def _open(
        self, method: str, url: str, query: Sequence[tuple[str, str]], content: bytes | BinaryIO | None
    ) -> aiohttp.ClientResponse:
        import aiohttp

        try:
            response = await self._opened().request(
                method, url, params=query, data=content, headers=self._headers(), allow_redirects=False
            )
            if response.status >= 300:
                raise Refusal(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unreachable(_reason(error)) from error
        return response

    async def _ask(
        self, method: str, url: str, query: Sequence[tuple[str, str]], content: bytes | BinaryIO | None
    ) -> bytes:
        import aiohttp

        response = await self._open(method, url, query, content)
        try:
            return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(_reason(error)) from error

    async def _connect(self, url: str, query: Sequence[tuple[str, str]]) -> aiohttp.ClientWebSocketResponse:
        import aiohttp

        try:
            return await self._opened().ws_connect(
                url, params=query, headers=self._headers(), heartbeat=HEARTBEAT_SECONDS, max_msg_size=0
            )
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unreachable(_reason(error)) from error


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


async def _part(response: aiohttp.ClientResponse) -> bytes:
    import aiohttp

    try:
        return await response.content.read(PART_BYTES)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unreachable(_reason(error)) from error


async def _message(socket: aiohttp.ClientWebSocketResponse) -> str | bytes | None:
    from aiohttp import WSMsgType

    message = await socket.receive()
    match message.type:
        case WSMsgType.TEXT:
            return str(message.data)
        case WSMsgType.BINARY:
            return bytes(message.data)
    return None


def _reason(error: BaseException) -> str:
    """Why nobody answers, in a few words."""
    found = getattr(error, "os_error", None)
    return str(getattr(found, "strerror", None) or error or type(error).__name__)
