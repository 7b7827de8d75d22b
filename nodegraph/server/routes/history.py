"""The history as a whole: taking it along, bringing it back, and forgetting what is old."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from typing import IO

from aiohttp import web

from ...jobs.model import JobFilter
from ..defects import TooLarge
from ..http import SERVICES, Raw, Route, parse_query
from ..schemas import Added, Forgotten, Retention
from ..services import Services

LINES = "application/jsonl"
LINES_AT_ONCE = 200
IN_MEMORY = 1 << 20
MAX_IMPORT_BYTES = 4 * 2**30
MAX_LINE_BYTES = 128 * 2**20


async def export(request: web.Request) -> web.StreamResponse:
    """The jobs that a filter lets through, one JSON document per line; `/history/import` takes them."""
    services = request.app[SERVICES]
    lines = services.table.export(parse_query(JobFilter, request))
    part = await asyncio.to_thread(_some, lines)
    headers = {
        "Content-Type": f"{LINES}; charset=utf-8",
        "Content-Disposition": 'attachment; filename="jobs.jsonl"',
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    while part:
        await response.write(part)
        part = await asyncio.to_thread(_some, lines)
    await response.write_eof()
    return response


def _some(lines: Iterator[bytes]) -> bytes:
    return b"".join(each.rstrip(b"\n") + b"\n" for each in itertools.islice(lines, LINES_AT_ONCE))


async def load(request: web.Request) -> web.Response:
    """Add jobs that `/history/export` gave; those that are there already stay as they are."""
    services = request.app[SERVICES]
    size = 0
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        async for part in request.content.iter_any():
            size += len(part)
            if size > MAX_IMPORT_BYTES:
                raise TooLarge(f"the body goes on after {MAX_IMPORT_BYTES:,} bytes, the most that is taken")
            await asyncio.to_thread(kept.write, part)
        kept.seek(0)
        loaded = await asyncio.to_thread(services.table.load, _lines(kept))
    services.changed()
    added = Added(new=loaded.new, known=loaded.known)
    return web.Response(body=added.model_dump_json().encode(), content_type="application/json")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, of which none may be larger than a workflow can be."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise TooLarge(f"a line goes on after {MAX_LINE_BYTES:,} bytes, the most that is taken; nothing was loaded")
        yield line


def prune(services: Services, body: Retention) -> Forgotten:
    """Forget finished jobs that are old; the files that they wrote stay."""
    return Forgotten(jobs=services.table.prune(keep=body.keep, days=body.days))


ROUTES = (
    Route("GET", "/history/export", export, Raw(query=JobFilter, gives=(LINES,))),
    Route("POST", "/history/import", load, Raw(takes=LINES, answer=Added)),
    Route("POST", "/history/prune", prune),
)
