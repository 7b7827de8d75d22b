"""What happens, as it happens."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import WSCloseCode, web

from ..http import SERVICES, Raw, Route, parse_query
from ..schemas import StreamQuery
from ..services import Services

AT_ONCE = 500
"""Events read from the table at a time."""

HEARTBEAT_SECONDS = 20.0
"""A client that does not answer a ping within half of this is gone."""

CLOSE_SECONDS = 1.0
"""How long clients have to say goodbye."""


class Sockets(dict[web.WebSocketResponse, asyncio.Transport | None]):
    """The open WebSockets, each with what carries it."""


SOCKETS = web.AppKey("sockets", Sockets)


async def stream(request: web.Request) -> web.StreamResponse:
    """A WebSocket that tells every event after a sequence number, one JSON message each.

    Each client reads the table at its own pace, so one that comes back gets all that it missed, and a slow one keeps
    nobody else waiting. What nodes show comes in binary messages; a slow client is sent the newest of each node.
    """
    services = request.app[SERVICES]
    query = parse_query(StreamQuery, request)
    if query.job is not None:
        await asyncio.to_thread(services.table.job, query.job)
    after = query.after if query.after is not None else await asyncio.to_thread(services.table.last_sequence)
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=1024, compress=False)
    await socket.prepare(request)
    request.app[SOCKETS][socket] = request.transport
    telling = [asyncio.create_task(_tell(socket, services, after, query.job))]
    if query.previews:
        telling.append(asyncio.create_task(_show(socket, services, query.job)))
    try:
        async for _ in socket:  # clients have nothing to say, but pings and closing are heard here
            pass
    finally:
        request.app[SOCKETS].pop(socket, None)
        for each in telling:
            each.cancel()
        for each in telling:
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await each
    return socket


async def _tell(socket: web.WebSocketResponse, services: Services, after: int, job: str | None) -> None:
    """Send what is new, wait for more, and so on."""
    while True:
        change = services.changes.next()
        found = await asyncio.to_thread(services.table.events, after=after, job=job, limit=AT_ONCE)
        for event in found:
            await socket.send_str(services.veil.event(event).model_dump_json())
            after = event.sequence
        if not found:
            await change.wait()


async def _show(socket: web.WebSocketResponse, services: Services, job: str | None) -> None:
    """Send what nodes show, as fast as the client takes it."""
    async with services.previews.viewer(job) as viewer:
        while True:
            await socket.send_bytes(await viewer.next())


async def close_all(app: web.Application) -> None:
    """Let all clients know that the server ends; those that do not listen are hung up on."""
    sockets = app[SOCKETS].copy()
    closing = [
        asyncio.create_task(each.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends")) for each in sockets
    ]
    if closing:
        await asyncio.wait(closing, timeout=CLOSE_SECONDS)
    for transport in sockets.values():
        if transport is not None:
            transport.abort()
    for task in closing:
        task.cancel()


ROUTES = (Route("GET", "/events", stream, Raw(query=StreamQuery, statuses=(101,))),)
