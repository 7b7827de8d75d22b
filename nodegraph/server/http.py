"""From a route's typed function to what aiohttp calls, and from errors to answers.

A route is a function of `Services` and, by name, of what its path holds, of `body` and of `query`; the annotations say
how they are read and what is given. Plain functions may block: they run in a thread.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, get_origin, get_type_hints

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ..errors import InvalidWorkflow, NodegraphError, WorkflowFormatError
from ..jobs import errors as jobs
from ..jobs import looks
from ..recipe import NoRecipe
from ..strict_json import finite, refuse_constant, unique_pairs
from . import defects
from .adviser import NoAdvice
from .defects import MalformedJson, NoSpace, TooLarge, wrong_request
from .services import Services
from .veil import Veil

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
MAX_BODY_BYTES = 64 * 2**20
IN_PATH = re.compile(r"{(\w+)(?::((?:[^{}]|{[^{}]*})*))?}")
"""What a path holds: a name and, where there is one, the pattern of what may stand there."""

SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
TABLE: web.AppKey[Sequence[Route]] = web.AppKey("table")

Answer = TypeVar("Answer", bound=BaseModel)
Endpoint: TypeAlias = Callable[..., Any]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Reply(Generic[Answer]):
    """An answer with another status than 200."""

    status: int
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What an endpoint takes and gives that speaks aiohttp itself: this is told to clients, not checked.

    takes: the content type of the body, where that is no document. answer: the type of a document that is given.
    gives: content types of other answers.
    """

    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    takes: str = ""
    answer: Any = None
    gives: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and where it is.

    raw: of one that speaks aiohttp itself, for what is no document. aside: it has nothing to do with the table,
    whatever its method.
    """

    method: str
    path: str
    endpoint: Endpoint
    raw: Raw | None = None
    aside: bool = False

    @property
    def changes(self) -> bool:
        """Whether it may change the table."""
        return self.method != "GET" and not self.aside

    def handler(self) -> Handler:
        """What aiohttp calls for it."""
        if self.raw is not None:
            return self.endpoint
        read = Reading.of(self.endpoint)

        async def handle(request: web.Request) -> web.StreamResponse:
            services = request.app[SERVICES]
            given = await read.arguments(request)
            answer = await asyncio.to_thread(self.endpoint, services, **given)
            if self.changes:
                services.changed()
            status, answer = (answer.status, answer.answer) if isinstance(answer, Reply) else (200, answer)
            return web.Response(status=status, body=answer.model_dump_json().encode(), content_type="application/json")

        return handle


@dataclass(frozen=True, slots=True)
class Reading:
    """How the arguments of an endpoint are read. path: a model of what the path holds."""

    path: type[BaseModel]
    query: type[BaseModel]
    body: type[BaseModel] | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> Reading:
        """What a typed function says."""
        hints = get_type_hints(endpoint)
        names = list(inspect.signature(endpoint).parameters)[1:]
        fields: dict[str, Any] = {name: (hints[name], ...) for name in names if name not in ("body", "query")}
        path = create_model("Path", __config__=ConfigDict(extra="forbid"), **fields)
        return cls(path, hints.get("query", Nothing), hints.get("body"))

    @classmethod
    def raw(cls, path: str, raw: Raw) -> Reading:
        """What an endpoint reads that speaks aiohttp itself; patterns in the path say what it holds."""
        found = IN_PATH.findall(path)
        fields: dict[str, Any] = {
            name: (Annotated[str, Field(pattern=f"^{pattern}$" if pattern else None)], ...) for name, pattern in found
        }
        return cls(create_model("Path", **fields), raw.query or Nothing, raw.body)

    async def arguments(self, request: web.Request) -> dict[str, Any]:
        """The arguments that a request gives. Raises WrongRequest, MalformedJson or TooLarge."""
        found = _checked(self.path, dict(request.match_info), "the path")
        given: dict[str, Any] = {name: getattr(found, name) for name in self.path.model_fields}
        query = parse_query(self.query, request)
        if self.query is not Nothing:
            given["query"] = query
        if self.body is not None:
            content = await read_body(request)
            given["body"] = await asyncio.to_thread(parse_body, self.body, content)
        return given


class Nothing(BaseModel):
    """A query that says nothing."""

    model_config = ConfigDict(extra="forbid")


def parse_query(model: type[Answer], request: web.Request) -> Answer:
    """What the query says; a field that is a list may be there several times. Raises WrongRequest."""
    values: dict[str, Any] = {}
    for name in request.query:
        found = request.query.getall(name)
        field = model.model_fields.get(name)
        many = field is not None and get_origin(field.annotation) in (list, tuple)
        values[name] = found if many or len(found) > 1 else found[0]
    return _checked(model, values, "the query")


async def read_body(request: web.Request, limit: int = MAX_BODY_BYTES) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be larger than `limit` bytes."""
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the body has {request.content_length:,} bytes; send at most {limit:,}")
    content = bytearray()
    async for part in request.content.iter_any():
        content += part
        if len(content) > limit:
            raise TooLarge(f"the body goes on after {limit:,} bytes, the most that is taken")
    return bytes(content)


def parse_body(model: type[Answer], content: bytes) -> Answer:
    """What a JSON body says; nothing is taken for something else, such as "3" for 3.

    Raises MalformedJson or WrongRequest.
    """
    try:
        found, wrong = model.model_validate_json(content, strict=True), None
    except ValidationError as error:
        found, wrong = None, error
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise MalformedJson(f"the body is no valid JSON: {first['ctx']['error']}") from error
    try:
        json.loads(content.decode(), parse_float=finite, parse_constant=refuse_constant, object_pairs_hook=unique_pairs)
    except ValueError as error:
        raise MalformedJson(f"the body is no valid JSON: {error}") from error
    if found is None:
        assert wrong is not None
        raise wrong_request("the body", wrong) from wrong
    return found


def _checked(model: type[Answer], document: object, what: str) -> Answer:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise wrong_request(what, error) from error


STATUS: Mapping[type[Exception], int] = {
    MalformedJson: 400,
    defects.BadRequest: 400,
    defects.WrongRequest: 422,
    TooLarge: 413,
    defects.WrongRange: 416,
    defects.NoSuchFile: 404,
    defects.NoSuchPath: 404,
    defects.WrongMethod: 405,
    defects.WrongHost: 403,
    defects.TokenNeeded: 401,
    defects.WrongToken: 401,
    defects.TooManyAttempts: 429,
    defects.NotWritten: 503,
    defects.BadWorkflowName: 422,
    defects.UnknownWorkflow: 404,
    defects.UnknownVersion: 404,
    defects.WorkflowExists: 409,
    defects.WorkflowChanged: 409,
    defects.UnknownTemplate: 404,
    defects.UnknownInput: 404,
    defects.NotAPicture: 415,
    defects.PictureTooLarge: 413,
    NoRecipe: 422,
    NoAdvice: 503,
    NoSpace: 507,
    InvalidWorkflow: 422,
    WorkflowFormatError: 422,
    looks.ValueGone: 404,
    looks.NoPicture: 404,
    looks.LookFailed: 500,
    looks.LookTimedOut: 504,
    looks.TooManyLooks: 503,
    looks.WorkerLost: 503,
    jobs.UnknownJob: 404,
    jobs.UnknownBatch: 404,
    jobs.WrongState: 409,
    jobs.WrongPlacement: 409,
    jobs.ClientKeyReused: 409,
    jobs.RequestTooLarge: 413,
    jobs.WorkflowLost: 410,
    jobs.NotAnExport: 422,
    jobs.TableFull: 507,
    jobs.JobTableUnusable: 503,
}


@web.middleware
async def telling_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever is raised becomes an answer: a JSON document without paths of this machine."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        error: Exception = defects.NoSuchPath(f"there is nothing at {request.path}")
    except web.HTTPMethodNotAllowed as refused:
        allowed = ", ".join(sorted(refused.allowed_methods))
        error = defects.WrongMethod(f"{request.path} does not take {request.method}; it takes {allowed}", allowed)
    except web.HTTPException as refused:
        if refused.status < 400:
            raise
        error = defects.BadRequest(refused.text or refused.reason)
    except web.RequestPayloadError as broken:
        error = defects.BadRequest(f"the body cannot be read: {broken}")
    except ConnectionError:
        raise
    except Exception as raised:  # noqa: BLE001 - the server goes on whatever a request does
        error = raised
    return error_answer(error, request.app[SERVICES].veil)


def error_answer(error: Exception, veil: Veil) -> web.Response:
    """The answer that tells an error; what nobody foresaw is logged and not told."""
    if _is_full(error):
        error = NoSpace("there is no space left on the disk; nothing was changed; free some space and send it again")
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None and isinstance(error, NodegraphError):
        status = 422
    if status is None:
        log.error("a request failed", exc_info=error)
        return _error_response(500, "internal", "the server made a mistake; its log tells more", [], {})
    found: list[Any] = []
    if isinstance(error, InvalidWorkflow):
        found = [each.to_document() for each in error.defects]
    elif isinstance(error, defects.WrongRequest | defects.WorkflowChanged):
        found = error.defects
    headers = error.headers if isinstance(error, defects.Answered) else {}
    told = [veil.json(each) for each in found]
    return _error_response(status, code_of(type(error)), veil.text(str(error)), told, headers)


def code_of(kind: type[Exception]) -> str:
    """What an error is called in answers: its class in snake_case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _error_response(status: int, code: str, text: str, found: list[Any], headers: Mapping[str, str]) -> web.Response:
    return web.json_response({"error": text, "code": code, "defects": found}, status=status, headers=headers)


def _is_full(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is that the disk is full."""
    while error is not None and not isinstance(error, jobs.JobTableUnusable):
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__
    return False
