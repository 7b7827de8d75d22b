"""Sending files and pictures: what they are is told by their content, and none of it is run by a browser."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from aiohttp import web

from .negotiation import is_known

KEEP_SECONDS = 86400
"""How long a browser shows a small picture again without asking."""

PICTURES = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftypavif", 4, "image/avif"),
)
"""Beginnings of pictures that browsers show without running anything: bytes, where they are, and what they say."""

SANDBOX = {"Content-Security-Policy": "default-src 'none'; sandbox"}


def safe_headers(head: bytes, name: str) -> dict[str, str]:
    """How a browser has to take a file that begins with `head`: pictures are shown, everything else is saved."""
    kind = next((kind for magic, at, kind in PICTURES if head[at : at + len(magic)] == magic), None)
    plain = "".join(each if (each.isalnum() and each.isascii()) or each in "._-" else "_" for each in name)
    shown = f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return {
        "Content-Type": kind or "application/octet-stream",
        "Content-Disposition": f"{'inline' if kind else 'attachment'}; {shown}",
        **SANDBOX,
    }


def send_picture(request: web.Request, content: bytes, kind: str, *, tag: str = "") -> web.Response:
    """A small picture; 304 where the sender has it. tag: changes with its content, by default its digest."""
    tag = tag or hashlib.sha256(content).hexdigest()[:32]
    headers = {**SANDBOX, "ETag": f'"{tag}"', "Cache-Control": f"private, max-age={KEEP_SECONDS}"}
    if is_known(request, tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=content, headers=headers, content_type=kind)
