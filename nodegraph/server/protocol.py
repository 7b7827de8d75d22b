"""What is said to those who speak no proper HTTP: an error like all others."""

from __future__ import annotations

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from .defects import BadRequest
from .guard import protect
from .http import code_of


class Protocol(web.RequestHandler):
    """A connection. What cannot be read as a request reaches no route, so it is answered here."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to it; the server's own mistakes are logged."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        what = "a line of its head is too long" if isinstance(exc, LineTooLong) else "its head is malformed"
        document = {"error": f"the request cannot be read: {what}", "code": code_of(BadRequest), "defects": []}
        response = web.json_response(document, status=status)
        protect(response)
        response.force_close()
        return response
