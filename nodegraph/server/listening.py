"""The socket at which a server listens, and how it is reached there."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from ..errors import NodegraphError
from .guard import is_loopback

ELSEWHERE = ("192.0.2.1", 9)
"""An address that no machine has; nothing is sent to it."""


class NoSuchAddress(NodegraphError):
    """The server was told to listen at an address that this machine has not."""


class PortInUse(NodegraphError):
    """Another program listens at the port."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises NoSuchAddress or PortInUse."""
    if not host:
        raise NoSuchAddress("--host is empty; use 127.0.0.1 for this machine only, or 0.0.0.0 to be reached by others")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1" if host.lower() == "localhost" else host, port))
        listening.listen(128)
    except (OSError, UnicodeError) as error:
        listening.close()
        found = getattr(error, "errno", None)
        if found in (errno.EADDRINUSE, errno.EACCES):
            what = "another program listens there" if found == errno.EADDRINUSE else "it may not be used"
            raise PortInUse(f"port {port} of {host}: {what}; give another one with --port, or 0 for any") from error
        reason = getattr(error, "strerror", None) or error
        raise NoSuchAddress(f"--host {host}: this machine has no such address: {reason}") from error
    return listening


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """How a server is reached.

    url: from other machines, where they can reach it. here: from this one. link: what lets a browser in, where the
    server made its own token; "" otherwise. is_local: whether no other machine can reach it. names: hosts that are this
    server, beside the addresses at which requests come in.
    """

    url: str
    here: str
    link: str = ""
    is_local: bool
    names: frozenset[str]

    @classmethod
    def of(cls, listening: socket.socket, host: str, names: Iterable[str]) -> Self:
        """The address of a socket that listens at `host`. names: what else the server is called."""
        address, port = listening.getsockname()[:2]
        is_local = is_loopback(address)
        known = {each.lower().rstrip(".") for each in names}
        if not is_local:
            known |= {each.lower() for each in (host, socket.gethostname()) if not _is_everywhere(each)}
        outside, here = address, address
        if _is_everywhere(address):
            outside, here = _seen_from_outside(), "::1" if ":" in address else "127.0.0.1"
        return cls(url=_url(outside, port), here=_url(here, port), is_local=is_local, names=frozenset(known))

    def with_link(self, token: str) -> Self:
        """The same with a link; what is behind # is not sent to anybody, the page trades it for a cookie."""
        return replace(self, link=f"{self.url}/#token={token}")


def _is_everywhere(address: str) -> bool:
    return address in ("0.0.0.0", "::")  # noqa: S104 - the addresses that mean all of this machine's


def _seen_from_outside() -> str:
    """The address or name by which other machines probably know this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
