"""What the OpenAPI document promises is what the server does, whatever schemathesis thinks of to send."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from nodegraph.catalog import Catalog
from nodegraph.server.app import ROUTES
from nodegraph.server.http import PREFIX
from nodegraph.server.openapi import openapi
from nodegraph.settings import Settings

from .conftest import Served
from .requests import finish, request, workflow

pytestmark = pytest.mark.slow

EXAMPLES = 100
DOCUMENT = openapi(ROUTES)
OPERATIONS = [(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods]
KEPT = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
        "response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance")  # fmt: skip


@schemathesis.serializer("application/jsonl")
def as_it_is(context: object, value: Any) -> dict[str, Any]:
    """Bytes that schemathesis made, without a form of their own."""
    return {"data": getattr(value, "data", value)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path, catalog: Catalog) -> Iterator[Served]:
    """A server with a few jobs, of which one is done."""
    folder = tmp_path_factory.mktemp("server")
    names = ("models", "input", "output", "state", "cache", "workflows")
    options: dict[str, Any] = {name: folder / name for name in names}
    served = Served(Settings(**options, plugins=[Path(__file__).parents[2] / "packs"], threads=1))
    (folder / "cache").mkdir(exist_ok=True)
    (folder / "cache" / "definitions").symlink_to(definitions_cache / "definitions")
    for _ in range(3):
        assert served.ask("POST", "/jobs", request()).status == 201
    finish(served.table, outputs={"n": 2})
    assert served.ask("PUT", "/workflows/fox", {"workflow": workflow(), "base": None}).status == 200
    yield served
    served.stop()


def known_values(served: Served, path: str) -> dict[str, list[str]]:
    """What may stand in a path, by the names that it has for it."""
    ids = [each.id for each in served.table.page().jobs] if path.startswith("/jobs") else []
    names = ["fox", "text_to_image"] if path.startswith(("/workflows", "/templates")) else []
    return {"id": ids, "name": names, "number": ["0", "1"], "file": ["a.png"]}


def cases(served: Served, path: str, method: str) -> st.SearchStrategy[schemathesis.Case]:
    """Requests for an operation, right ones and wrong ones, half of them for what there is."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.config.update(base_url=f"{served.url}{PREFIX}")
    operation = schema[path][method]
    known = known_values(served, path)
    modes = [operation.as_strategy(generation_mode=each) for each in GenerationMode]

    def fitting(case: schemathesis.Case, chooser: random.Random) -> schemathesis.Case:
        for name, values in known.items():
            if name in case.path_parameters and values:
                case.path_parameters[name] = chooser.choice(values)
        if isinstance(case.body, dict) and isinstance(case.body.get("workflow"), dict):
            case.body["workflow"] = workflow()
        return case

    return st.one_of(*modes, *(st.builds(fitting, mode, st.randoms(use_true_random=False)) for mode in modes))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_server_keeps_its_promises(server: Served, path: str, method: str) -> None:
    load_all_checks()  # pytest loads them only for schemathesis' own tests
    checks = CHECKS.get_by_names(list(KEPT))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(server, path, method))
    def keeps(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=checks, timeout=60)

    keeps()
