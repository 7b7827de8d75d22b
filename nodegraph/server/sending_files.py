"""Sending files: whole or in part, and not again where the client has them. RFC 9110, sections 13 and 14."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import BinaryIO

from aiohttp import web

from .defects import WrongRange
from .http import SERVICES, error_answer
from .negotiation import is_known
from .sending import safe_headers

CHUNK = 1 << 18

HEAD_BYTES = 64
"""Of which the kind of a file is told."""

ASK_AGAIN = "private, no-cache"
FOR_EVER = "private, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class FileToSend:
    """An open file. tag: changes with its content. modified: seconds since 1970. caching: how long it may be kept."""

    file: BinaryIO
    size: int
    name: str
    tag: str
    modified: float
    caching: str = ASK_AGAIN

    @property
    def date(self) -> datetime:
        """When it was modified, in whole seconds, as HTTP tells it."""
        return datetime.fromtimestamp(int(self.modified), UTC)


async def send_file(request: web.Request, sent: FileToSend, *, download: bool = False) -> web.StreamResponse:
    """A file, or the part of it that is asked for; 304 where the client has it, 416 where it has no such part.

    download: it is to be saved, also where a browser could show it.
    """
    caching = {
        "ETag": f'"{sent.tag}"',
        "Last-Modified": format_datetime(sent.date, usegmt=True),
        "Cache-Control": sent.caching,
    }
    if _has_it(request, sent):
        return web.Response(status=304, headers=caching)
    try:
        part = _part(request, sent)
    except WrongRange as error:
        refused = error_answer(error, request.app[SERVICES].veil)
        refused.headers["Content-Range"] = f"bytes */{sent.size}"
        return refused
    headers = {**safe_headers(await asyncio.to_thread(sent.file.read, HEAD_BYTES), sent.name), **caching}
    headers["Accept-Ranges"] = "bytes"
    if download:
        headers["Content-Disposition"] = headers["Content-Disposition"].replace("inline;", "attachment;", 1)
    first, end = part or (0, sent.size)
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{sent.size}"
    response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    response.content_length = end - first
    await response.prepare(request)
    if request.method != "HEAD":
        await _write(response, sent.file, first, end)
    await response.write_eof()
    return response


async def _write(response: web.StreamResponse, file: BinaryIO, first: int, end: int) -> None:
    await asyncio.to_thread(file.seek, first)
    while first < end and (content := await asyncio.to_thread(file.read, min(CHUNK, end - first))):
        await response.write(content)
        first += len(content)


def _has_it(request: web.Request, sent: FileToSend) -> bool:
    """Whether the client has it already; dates count only where it names no tag."""
    if "If-None-Match" in request.headers:
        return is_known(request, sent.tag)
    since = request.if_modified_since
    return since is not None and sent.date <= since


def _part(request: web.Request, sent: FileToSend) -> tuple[int, int] | None:
    """The first byte and the one after the last that are asked for; None for the whole.

    Several parts at once, and what is no range at all, give the whole, as does a range of another version. Raises
    WrongRange where the file has no such part.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("Range", "").strip())
    if found is None or found[0] == "bytes=-" or not _is_same(request.headers.get("If-Range"), sent):
        return None
    first, last = found.groups()
    if not first:
        begin, end = max(0, sent.size - int(last)), sent.size
    else:
        begin, end = int(first), min(sent.size, int(last) + 1 if last else sent.size)
        if last and int(last) < begin:
            return None
    if begin >= end:
        raise WrongRange(f"{sent.name} has {sent.size:,} bytes; there are none at {found[0].removeprefix('bytes=')}")
    return begin, end


def _is_same(condition: str | None, sent: FileToSend) -> bool:
    """Whether a part goes on with what the client has: it names the same tag or the very date."""
    return condition is None or condition.strip() in (f'"{sent.tag}"', format_datetime(sent.date, usegmt=True))
