"""What a client says that it has or takes already."""

from __future__ import annotations

import re

from aiohttp import web


def is_known(request: web.Request, tag: str) -> bool:
    """Whether the client has this version already."""
    return any(each.value in (tag, "*") for each in request.if_none_match or ())


def takes_gzip(request: web.Request) -> bool:
    """Whether the answer may be compressed with gzip."""
    wishes: dict[str, bool] = {}
    for each in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, *parameters = (part.strip() for part in each.split(";"))
        wishes[coding] = not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", part) for part in parameters)
    return wishes.get("gzip", wishes.get("*", False))
