"""Who may ask a server that others can reach: those who have its token.

Programs send the token with every request. A browser trades it once for a cookie, which holds no token: a random id and
until when it is good, signed with a key made of the token. So sessions outlive the server, and end with the token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .defects import TokenNeeded, TooManyAttempts, WrongToken

COOKIE = "nodegraph_session"
SESSION_SECONDS = 30 * 86_400

ATTEMPTS = 10
"""Wrong tokens that an address may send within `ATTEMPTS_SECONDS`."""

ATTEMPTS_SECONDS = 60.0

ADDRESSES = 1024
"""Of how many addresses wrong tokens are counted; beyond that, of those that were wrong last."""


class Access:
    """What a server asks for. token: None where everybody who reaches it may ask. names: hosts that are this server."""

    def __init__(
        self,
        token: str | None = None,
        names: frozenset[str] = frozenset(),
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._token, self.names, self._now = token, names, now
        self._attempts = _Attempts(time.monotonic if now is time.time else now)

    @property
    def is_needed(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def check(self, address: str, authorization: str, session: str) -> None:
        """Let a request pass that has the token or a session. Raises TokenNeeded, WrongToken or TooManyAttempts."""
        if self._token is None or (session and self._is_session(session)):
            return
        kind, _, given = authorization.strip().partition(" ")
        if kind.lower() != "bearer":
            raise TokenNeeded(
                "the server asks who you are; send its token (Authorization: Bearer ...), or open the link that "
                "nodegraph serve printed"
            )
        self.check_token(address, given.strip())

    def check_token(self, address: str, given: str) -> None:
        """Raises WrongToken, or TooManyAttempts where this address was wrong too often."""
        if self._token is None:
            return
        self._attempts.check(address)
        if not hmac.compare_digest(_digest(given), _digest(self._token)):
            self._attempts.failed(address)
            raise WrongToken("this is not the server's token; nodegraph serve prints it, or the setting `token` has it")

    def new_session(self) -> tuple[str, datetime] | None:
        """A cookie's value and until when it is good; None where nobody needs one."""
        if self._token is None:
            return None
        until = int(self._now()) + SESSION_SECONDS
        claim = f"{until}.{secrets.token_urlsafe(24)}"
        return f"{claim}.{self._signed(claim)}", datetime.fromtimestamp(0, UTC) + timedelta(seconds=until)

    def _is_session(self, value: str) -> bool:
        claim, _, signature = value.rpartition(".")
        until = claim.partition(".")[0]
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._signed(claim).encode()):
            return False
        return int(until) > self._now()

    def _signed(self, claim: str) -> str:
        key = b"nodegraph session\0" + (self._token or "").encode()
        return hmac.new(hashlib.sha256(key).digest(), claim.encode("utf-8", "replace"), "sha256").hexdigest()


class _Attempts:
    """When addresses sent wrong tokens, as far as that is not long ago."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TooManyAttempts."""
        times = self._times.get(_group(address))
        if times is None or len(times) < ATTEMPTS:
            return
        wait = times[0] + ATTEMPTS_SECONDS - self._now()
        if wait > 0:
            raise TooManyAttempts("too many wrong tokens came from this address; wait a minute", wait)

    def failed(self, address: str) -> None:
        """Note a wrong token."""
        group = _group(address)
        times = self._times.setdefault(group, deque(maxlen=ATTEMPTS))
        times.append(self._now())
        self._times.move_to_end(group)
        if len(self._times) > ADDRESSES:
            self._times.popitem(last=False)


def _group(address: str) -> str:
    """What counts as one address: of IPv6 the network that one household or machine is given."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _digest(text: str) -> bytes:
    """Of one length whatever the text, so that comparing tells nothing of it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
