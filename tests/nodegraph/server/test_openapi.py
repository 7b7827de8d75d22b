"""The OpenAPI document: what it says of routes and models, and that the published one is it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from nodegraph.execution import events
from nodegraph.execution.context import Progress
from nodegraph.jobs.telling import event_data, event_kind
from nodegraph.server.app import ROUTES
from nodegraph.server.http import Raw, Reply, Route
from nodegraph.server.openapi import openapi
from nodegraph.server.services import Services

from .conftest import Served

PUBLISHED = Path(__file__).parents[3] / "docs" / "openapi.json"


class Asked(BaseModel):
    """What is asked."""

    name: str
    size: int = 3


class Told(BaseModel):
    """What is told."""

    number: int = 1
    more: Asked | None = None


class Chosen(BaseModel):
    """Which ones."""

    words: tuple[str, ...] = ()
    until: int | None = None
    limit: int = 5


def ask(services: Services, id: str, number: int, body: Asked, query: Chosen) -> Reply[Told]:
    """Ask for one thing
    over two lines.

    And more of it.
    """
    raise NotImplementedError


async def listen(request: Any) -> Any:
    """Hear it."""


def document() -> dict[str, Any]:
    return openapi(
        [
            Route("POST", "/things/{id}/{number}", ask),
            Route("PUT", "/things/{name:[a-z]{2}}", listen, Raw(takes="image/*", gives=("image/webp",), answer=Told)),
            Route("GET", "/other", listen, Raw(query=Chosen, statuses=(200, 304))),
        ]
    )


def test_the_published_document_is_that_of_the_routes(served: Served) -> None:
    found = served.ask("GET", "/openapi.json")
    assert found.status == 200
    assert found.json() == json.loads(PUBLISHED.read_text("utf-8")), (
        "write it anew: nodegraph openapi > docs/openapi.json"
    )


def test_it_is_written_in_the_same_order_each_time() -> None:
    assert json.dumps(openapi(ROUTES), indent=2) + "\n" == PUBLISHED.read_text("utf-8")


def test_every_route_is_an_operation_with_its_own_name() -> None:
    paths = openapi(ROUTES)["paths"]
    found = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert found == {(each.method, re.sub(r":.*?}(?=/|$)", "}", each.path)) for each in ROUTES}
    names = [each["operationId"] for methods in paths.values() for each in methods.values()]
    assert len(set(names)) == len(names)


def test_every_operation_says_what_it_does_and_gives() -> None:
    for path, methods in openapi(ROUTES)["paths"].items():
        for each in methods.values():
            assert each["summary"].endswith("."), path
            for status, answer in each["responses"].items():
                assert "$ref" in answer or "content" in answer or status in ("101", "304"), path


def references(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(references, part))
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own.union(*map(references, part.values()))


def test_all_that_is_referred_to_is_there() -> None:
    found = openapi(ROUTES)
    for each in references(found):
        part = found
        for name in each.removeprefix("#/").split("/"):
            part = part[name]


def test_a_typed_function_says_it_all() -> None:
    found = document()["paths"]["/things/{id}/{number}"]["post"]
    assert (found["summary"], found["description"]) == ("Ask for one thing over two lines.", "And more of it.")
    assert [(each["name"], each["in"], each["required"]) for each in found["parameters"]] == [
        ("id", "path", True),
        ("number", "path", True),
        ("words", "query", False),
        ("until", "query", False),
        ("limit", "query", False),
    ]
    assert [each["schema"] for each in found["parameters"]][1:] == [
        {"type": "integer"},
        {"type": "array", "items": {"type": "string"}, "default": []},
        {"type": "integer"},
        {"type": "integer", "default": 5},
    ]
    body = found["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Asked-Input"}
    assert list(found["responses"]) == ["200", "201", "4XX", "5XX"]
    assert found["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Told"}


def test_what_is_told_has_all_its_fields_and_what_is_sent_need_not() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["Asked-Input"]["required"] == ["name"]
    assert schemas["Asked-Output"]["required"] == ["name", "size"]
    assert schemas["Told"]["required"] == ["number", "more"]
    assert schemas["Asked-Input"]["properties"]["size"] == {"type": "integer", "default": 3}
    assert schemas["Asked-Output"]["properties"]["size"] == {"type": "integer"}


def test_a_raw_route_is_described_by_what_it_declares() -> None:
    paths = document()["paths"]
    put = paths["/things/{name}"]["put"]
    assert put["parameters"][0]["schema"] == {"type": "string", "pattern": "^[a-z]{2}$"}
    assert list(put["requestBody"]["content"]) == ["image/*"]
    assert list(put["responses"]["200"]["content"]) == ["image/webp", "application/json"]
    get = paths["/other"]["get"]
    assert [each["name"] for each in get["parameters"]] == ["words", "until", "limit"]
    assert get["responses"]["304"] == {"description": "Not Modified"}


@pytest.mark.parametrize(
    "name", ["NodeDefinition", "PortType", "Widget", "JobEvent", "JobState", "Workflow", "Defect", "Problem"]
)
def test_types_that_clients_need_have_names(name: str) -> None:
    schemas = openapi(ROUTES)["components"]["schemas"]
    assert name in schemas
    assert schemas["InputDefinition"]["properties"]["type"] == {"$ref": "#/components/schemas/PortType"}
    assert schemas["PortType"]["discriminator"]["propertyName"] == "kind"
    assert schemas["WorkflowOutput"]["required"] == ["from"]


def test_events_of_nodes_are_described_by_their_kinds() -> None:
    schemas = openapi(ROUTES)["components"]["schemas"]
    kinds = schemas["RunEvents"]["properties"]
    assert {"run_started", "node_started", "node_progress", "node_finished", "node_erred", "run_finished"} <= set(kinds)
    assert "node_preview" not in kinds
    for kind, each in kinds.items():
        described = schemas[each["$ref"].rpartition("/")[2]]
        assert event_kind(getattr(events, described["title"])) == kind
        assert set(described["required"]) == set(described["properties"])
    progress = events.NodeProgress(node="n", progress=Progress(1, 2, "", None, None))
    assert set(event_data(progress)) == set(schemas["NodeProgress"]["properties"]) == {"node", "progress"}


def test_errors_are_told_with_their_codes() -> None:
    answers = openapi(ROUTES)["components"]["responses"]
    assert "404: no_such_path" in answers["Refused"]["description"]
    assert "500: internal" in answers["Failed"]["description"]
