"""Who may ask: programs on this machine or with the server's token, and pages that this server itself gave.

A page of another site can make a browser send requests here. Its requests name their origin, and where its name was
rebound to this machine's address (DNS rebinding), that name is in the Host header.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from aiohttp import web
from yarl import URL

from .access import COOKIE
from .defects import WrongHost
from .http import SERVICES, Handler

PUBLIC: web.AppKey[frozenset[str]] = web.AppKey("public")
"""The paths, as they are in the table of routes, that need no token."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Server": "nodegraph",
}


@web.middleware
async def only_for_us(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what is meant for another host or comes from another origin."""
    hosts = request.headers.getall("Host", [])
    access = request.app[SERVICES].access
    if len(hosts) != 1 or not is_ours(hosts[0], _own_address(request), access.names):
        raise WrongHost(
            "the Host header does not name this server; use the address at which it listens, 127.0.0.1 or localhost "
            "on its own machine, or add the name to the setting `hosts`"
        )
    origins = request.headers.getall("Origin", [])
    if any(not _is_same(each, hosts[0]) for each in origins):
        raise WrongHost("the request comes from a page of another origin; only this server's own pages may ask")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none") and not _is_visit(request):
        raise WrongHost("the request comes from a page of another site; only this server's own pages may ask")
    return await handler(request)


@web.middleware
async def only_invited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse who has neither the token nor a session, where the server asks for one."""
    if not _is_public(request):
        authorization = request.headers.get("Authorization", "")
        access = request.app[SERVICES].access
        access.check(request.remote or "", authorization, request.cookies.get(COOKIE, ""))
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What browsers must keep to with every answer."""
    request.app[SERVICES].answered.set()
    protect(response)


def protect(response: web.StreamResponse) -> None:
    """Add what an answer does not say otherwise."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers.setdefault("Cache-Control", "no-store")


def is_ours(host: str, address: str, names: Collection[str]) -> bool:
    """Whether a Host header, with or without a port, names this server.

    address: of this machine, at which the request came in. names: what else this server is called.
    """
    try:
        name = URL(f"http://{host}").host or ""
    except ValueError:
        return False
    if "@" in host or "/" in host or not name:
        return False
    if name.lower().rstrip(".") in names:
        return True
    return is_loopback(address) if is_loopback(name) else plain_address(name) == address != ""


def plain_address(text: str) -> str:
    """An address in its usual spelling, one of IPv4 that is written as IPv6 as what it is; "" where it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _own_address(request: web.Request) -> str:
    """The address of this machine at which a request came in; "" where its sender is gone."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return plain_address(name[0]) if name else ""


def _is_public(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    return resource is not None and resource.canonical in request.app[PUBLIC]


def _is_visit(request: web.Request) -> bool:
    """Whether somebody followed a link to one of the pages."""
    is_new_page = request.headers.get("Sec-Fetch-Mode") == "navigate"
    is_whole = request.headers.get("Sec-Fetch-Dest") == "document"
    return request.method == "GET" and is_new_page and is_whole and _is_public(request)


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
        found = URL(origin)
        asked = URL(f"{found.scheme}://{host}")
    except ValueError:
        return False
    return found.scheme in ("http", "https") and (found.host, found.port) == (asked.host, asked.port)
