"""Who may ask: programs on this machine, and pages that this server itself gave.

A page of another site can make a browser send requests here. Its requests name their origin, and where its name was
rebound to this machine's address (DNS rebinding), that name is in the Host header.
"""

from __future__ import annotations

import ipaddress

from aiohttp import web
from yarl import URL

from .defects import WrongHost
from .http import SERVICES, Handler

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Server": "nodegraph",
}


@web.middleware
async def only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what is meant for another host or comes from another origin."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not is_this_machine(hosts[0]):
        raise WrongHost("the Host header names another machine; use 127.0.0.1 or localhost")
    origins = request.headers.getall("Origin", [])
    if any(not _is_same(each, hosts[0]) for each in origins):
        raise WrongHost("the request comes from a page of another origin; only this server's own pages may ask")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise WrongHost("the request comes from a page of another site; only this server's own pages may ask")
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What browsers must keep to with every answer."""
    request.app[SERVICES].answered.set()
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers.setdefault("Cache-Control", "no-store")


def is_this_machine(host: str) -> bool:
    """Whether a Host header, with or without a port, names this machine."""
    try:
        name = URL(f"http://{host}").host or ""
    except ValueError:
        return False
    return is_loopback(name) and "@" not in host and "/" not in host


def is_loopback(name: str) -> bool:
    """Whether a name or address is this machine's own and no other machine can reach it."""
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_same(origin: str, host: str) -> bool:
    """Whether an origin is the host that was asked, by its name and port."""
    try:
        found, asked = URL(origin), URL(f"http://{host}")
    except ValueError:
        return False
    return found.scheme == "http" and (found.host, found.port) == (asked.host, asked.port)
