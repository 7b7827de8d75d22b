"""The API described as an OpenAPI 3.1 document, from the table of routes and the models that it names.

What a client sends has optional fields where there are defaults; what it is told always has all of them.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from .http import IN_PATH, PREFIX, STATUS, Raw, Reading, Reply, Route, code_of
from .schemas import Problem

Json: TypeAlias = dict[str, Any]
Mode: TypeAlias = Literal["validation", "serialization"]

SCHEMAS = "#/components/schemas/"
EMPTY = (101, 204, 304)
"""Statuses whose answers have no body."""

GROUPS = {"4XX": "Refused", "5XX": "Failed"}


def openapi(routes: Sequence[Route]) -> Json:
    """The document for these routes."""
    operations = [_Operation.of(route, name) for route, name in zip(routes, _names(routes), strict=True)]
    models = [(each, mode) for operation in operations for each, mode in operation.models()]
    schemas = _Schemas(models)
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.route.method.lower()] = each.document(schemas)
    components = {"schemas": {}, "responses": dict(_error_answers())}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "nodegraph",
            "version": PREFIX.rpartition("/")[2],
            "description": "The jobs, workflows and results of a nodegraph server.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in operations)],
        "paths": paths,
        "components": components,
    }
    components["schemas"] = schemas.reached_from([document, *schemas.named.values()])
    return document


@dataclass(frozen=True, slots=True)
class _Operation:
    """A route as the document has it."""

    route: Route
    name: str
    reading: Reading
    raw: Raw
    answer: Any
    statuses: tuple[int, ...]

    @classmethod
    def of(cls, route: Route, name: str) -> _Operation:
        if (raw := route.raw) is not None:
            return cls(route, name, Reading.raw(route.path, raw), raw, raw.answer, raw.statuses)
        answer = get_type_hints(route.endpoint)["return"]
        replies = get_origin(answer) is Reply
        answer = get_args(answer)[0] if replies else answer
        return cls(route, name, Reading.of(route.endpoint), Raw(), answer, (200, 201) if replies else (200,))

    @property
    def path(self) -> str:
        """The path as the document writes it, without the patterns of what it holds."""
        return IN_PATH.sub(r"{\1}", self.route.path)

    @property
    def tag(self) -> str:
        """The resource that it belongs to."""
        return self.route.path.split("/")[1].partition(".")[0]

    def models(self) -> Iterator[tuple[Any, Mode]]:
        """What it takes and gives."""
        yield self.reading.path, "validation"
        yield self.reading.query, "validation"
        if self.reading.body is not None:
            yield self.reading.body, "validation"
        if self.answer is not None:
            yield self.answer, "serialization"

    def document(self, schemas: _Schemas) -> Json:
        summary, description = _said(self.route.endpoint)
        found: Json = {"operationId": self.name, "tags": [self.tag], "summary": summary}
        if description:
            found["description"] = description
        if parameters := [*self._parameters(schemas, "path"), *self._parameters(schemas, "query")]:
            found["parameters"] = parameters
        if content := self._body(schemas):
            found["requestBody"] = {"required": True, "content": content}
        answers = {str(status): self._answer(schemas, status) for status in self.statuses}
        return {**found, "responses": {**answers, **{key: _response(name) for key, name in GROUPS.items()}}}

    def _parameters(self, schemas: _Schemas, place: Literal["path", "query"]) -> Iterator[Json]:
        model = self.reading.path if place == "path" else self.reading.query
        schema = schemas.whole(model, "validation")
        for name, each in schema.get("properties", {}).items():
            required = name in schema.get("required", ())
            yield {"name": name, "in": place, "required": required, "schema": _present(each)}

    def _body(self, schemas: _Schemas) -> Json:
        if self.reading.body is not None:
            return {"application/json": {"schema": schemas.of(self.reading.body, "validation")}}
        return {self.raw.takes: _BYTES} if self.raw.takes else {}

    def _answer(self, schemas: _Schemas, status: int) -> Json:
        found: Json = {"description": HTTPStatus(status).phrase}
        if status in EMPTY:
            return found
        content: Json = dict.fromkeys(self.raw.gives, _BYTES)
        if self.answer is not None:
            content["application/json"] = {"schema": schemas.of(self.answer, "serialization")}
        return {**found, "content": content} if content else found


_BYTES: Mapping[str, Any] = {"schema": {"type": "string", "format": "binary"}}


class _Generator(GenerateJsonSchema):
    """As pydantic does it, except that answers have all their fields, and names are not said twice."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        found = super().default_schema(schema)
        if self.mode == "serialization":
            found.pop("default", None)
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


_JSON: Json = {"$ref": SCHEMAS + "JsonValue"}
_ANY_JSON: Json = {
    "anyOf": [
        *({"type": each} for each in ("string", "number", "boolean", "null")),
        {"type": "array", "items": _JSON},
        {"type": "object", "additionalProperties": _JSON},
    ]
}
"""Spelled out, since generated code takes a schema that says nothing for something unknown."""


class _Schemas:
    """The schemas of models, and of those types that are worth a name. named: the latter."""

    def __init__(self, models: Iterable[tuple[Any, Mode]]) -> None:
        further = _further()
        wanted = [*dict.fromkeys(models), (Problem, "serialization"), *further.values()]
        adapters = {(str(number), mode): TypeAdapter(kind) for number, (kind, mode) in enumerate(wanted)}
        inputs = [(key, mode, adapter) for (key, mode), adapter in adapters.items()]
        found, rest = TypeAdapter.json_schemas(inputs, ref_template=SCHEMAS + "{model}", schema_generator=_Generator)
        by_want = {want: found[key] for want, key in zip(wanted, adapters, strict=True)}
        self.named = {name: {"$ref": SCHEMAS + name} for name in further}
        unions: dict[str, Json] = {name: by_want[want] for name, want in further.items() if "$ref" not in by_want[want]}
        self._all: dict[str, Json] = {
            name: _naming(each, unions) for name, each in rest.get("$defs", {}).items()
        } | unions
        if "JsonValue" in self._all:
            self._all["JsonValue"] = _ANY_JSON
        self._found: dict[tuple[Any, Mode], Json] = {want: _naming(each, unions) for want, each in by_want.items()}

    def of(self, model: Any, mode: Mode) -> Json:
        """The schema of what was wanted, mostly a reference."""
        return self._found[model, mode]

    def whole(self, model: Any, mode: Mode) -> Json:
        """The same, looked up where it is a reference."""
        found = self.of(model, mode)
        return self._all[found["$ref"].removeprefix(SCHEMAS)] if "$ref" in found else found

    def reached_from(self, document: object) -> dict[str, Json]:
        """All that a document refers to, by its name."""
        reached: set[str] = set()
        waiting = [document]
        while waiting:
            new = {each for part in waiting for each in _references(part)} - reached
            reached |= new
            waiting = [self._all[name] for name in new]
        return {name: self._all[name] for name in sorted(reached)}


def _further() -> dict[str, tuple[Any, Mode]]:
    """Types that get a name although no route needs one, for those who generate code from the document."""
    from ..definition import NodeDefinition
    from ..jobs.model import JobEvent, JobState
    from ..ports.types import PortType
    from ..ports.widgets import Widget
    from ..workflow.defects import Defect
    from ..workflow.model import Workflow

    told = {
        "NodeDefinition": NodeDefinition,
        "PortType": PortType,
        "Widget": Widget,
        "JobEvent": JobEvent,
        "JobState": JobState,
        "Defect": Defect,
    }
    answers: dict[str, tuple[Any, Mode]] = {name: (each, "serialization") for name, each in told.items()}
    return {**answers, "RunEvents": (_run_events(), "serialization"), "Workflow": (Workflow, "validation")}


def _run_events() -> type[BaseModel]:
    """What `data` of a job's event holds, by its kind, for those that tell of nodes."""
    from ..execution.events import Event, NodePreview
    from ..jobs.telling import event_kind

    told: dict[str, Any] = {}
    for each in get_args(Event):
        hints = get_type_hints(each)
        held: dict[str, Any] = {name: (hints[name], ...) for name in hints if name != "sequence"}
        if each is not NodePreview:
            told[event_kind(each)] = (create_model(each.__name__, __doc__=each.__doc__, **held), ...)
    return create_model("RunEvents", __doc__=_run_events.__doc__, **told)


def _naming(schema: Any, named: Mapping[str, Json]) -> Any:
    """A schema in which those that have a name are referred to by it."""
    if isinstance(schema, list):
        return [_naming(each, named) for each in schema]
    if not isinstance(schema, dict):
        return schema
    for name, each in named.items():
        if all(key in schema and schema[key] == value for key, value in each.items()):
            return {"$ref": SCHEMAS + name, **{key: schema[key] for key in schema if key not in each}}
    if isinstance(said := schema.get("description"), str):
        schema = {**schema, "description": inspect.cleandoc(said)}
    return {key: _naming(each, named) for key, each in schema.items()}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)
    elif isinstance(schema, dict):
        if isinstance(found := schema.get("$ref"), str) and found.startswith(SCHEMAS):
            yield found.removeprefix(SCHEMAS)
        for each in schema.values():
            yield from _references(each)


def _present(schema: Json) -> Json:
    """The schema of a parameter: one that is null is left out instead."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    return {**rest, **choices[0]} if len(choices) == 1 else schema


def _names(routes: Sequence[Route]) -> list[str]:
    """What operations are called: as their functions, with the resource before it where several are called so."""
    counts = Counter(each.endpoint.__name__ for each in routes)
    return [
        name if counts[name := each.endpoint.__name__] == 1 else f"{each.endpoint.__module__.rpartition('.')[2]}_{name}"
        for each in routes
    ]


def _said(endpoint: Any) -> tuple[str, str]:
    """The first sentence of a docstring, and the rest."""
    first, _, rest = (inspect.getdoc(endpoint) or "").partition("\n\n")
    return " ".join(first.split()), rest


def _response(name: str) -> Json:
    return {"$ref": f"#/components/responses/{name}"}


def _error_answers() -> Iterator[tuple[str, Json]]:
    """How errors are told, with all their codes."""
    statuses = {"internal": 500, **{code_of(kind): status for kind, status in STATUS.items()}}
    for group, name in GROUPS.items():
        codes = sorted((status, code) for code, status in statuses.items() if str(status)[0] == group[0])
        told = "; ".join(f"{status}: {code}" for status, code in codes)
        content = {"application/json": {"schema": {"$ref": f"{SCHEMAS}{Problem.__name__}"}}}
        yield name, {"description": f"{told}.", "content": content}
