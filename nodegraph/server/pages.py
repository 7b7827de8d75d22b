"""The pages that people open: the editor as it was built, and the description of the API.

Only files of these folders are given, and what they may do in a browser is little: no code or style from elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from aiohttp import web

from .defects import NoSuchPath
from .http import IN_PATH, Handler
from .inside import open_inside
from .negotiation import is_known, takes_gzip

EDITOR = Path(__file__).parent / "editor"
MANUAL = Path(__file__).parent / "manual"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "font-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""The files that pages are made of; no others are given."""

TEXTS = ("text/", "application/json")

FOR_EVER = "public, max-age=31536000, immutable"
"""For files whose names change with their content."""

ASK_AGAIN = "no-cache"

NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>nodegraph</title>
<link rel="icon" href="/api/docs/icon.svg" type="image/svg+xml">
<h1>The editor is not built</h1>
<p>The server runs, and its <a href="/api/docs">API</a> can be used.
To have the editor, run <code>make web</code> in the folder of the sources, then load this page again.</p>
"""


def add_pages(app: web.Application) -> list[str]:
    """Let the application give the pages; their paths."""
    pages = (
        ("/", editor_page("index.html")),
        ("/run/{name:.+}", editor_page("run.html")),
        ("/assets/{file:.+}", get_asset),
        ("/api/docs", get_manual),
        ("/api/docs/{file}", get_manual),
    )
    for path, handler in pages:
        app.router.add_get(path, handler)
    return [IN_PATH.sub(r"{\1}", path) for path, _ in pages]


def editor_page(name: str) -> Handler:
    """What gives one of the editor's pages, or what to do where it is not built."""

    async def get_page(request: web.Request) -> web.Response:
        try:
            return await _file(request, EDITOR, name, ASK_AGAIN)
        except NoSuchPath:
            return _answer(request, NOT_BUILT.encode(), "text/html", ASK_AGAIN)

    return get_page


async def get_asset(request: web.Request) -> web.Response:
    """A file that the editor's pages name."""
    return await _file(request, EDITOR / "assets", request.match_info["file"], FOR_EVER)


async def get_manual(request: web.Request) -> web.Response:
    """The description of the API for people, and what it is made of."""
    return await _file(request, MANUAL, request.match_info.get("file", "index.html"), ASK_AGAIN)


async def _file(request: web.Request, folder: Path, name: str, caching: str) -> web.Response:
    """A file of a folder, the compressed one beside it where that is there and the client takes it."""
    gone = NoSuchPath(f"there is nothing at {request.path}")
    kind = KINDS.get(Path(name).suffix)
    if kind is None:
        raise gone
    coding = "gzip" if takes_gzip(request) else ""
    content = await asyncio.to_thread(read_inside, folder, f"{name}.gz") if coding else None
    if content is None:
        coding, content = "", await asyncio.to_thread(read_inside, folder, name)
    if content is None:
        raise gone
    return _answer(request, content, kind, caching, coding)


def _answer(request: web.Request, content: bytes, kind: str, caching: str, coding: str = "") -> web.Response:
    tag = hashlib.sha256(content).hexdigest()[:32]
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": caching,
        "ETag": f'"{tag}"',
        "Vary": "Accept-Encoding",
    }
    if is_known(request, tag):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = f"{kind}; charset=utf-8" if kind.startswith(TEXTS) else kind
    if coding:
        headers["Content-Encoding"] = coding
    return web.Response(body=content, headers=headers)


def read_inside(folder: Path, name: str) -> bytes | None:
    """A plain file below a folder; None where there is none, also where a link leads out or a part is hidden."""
    if "\\" in name or any(part.startswith(".") for part in name.split("/")):
        return None
    if (file := open_inside(folder, folder / name)) is None:
        return None
    with file:
        return file.read()
