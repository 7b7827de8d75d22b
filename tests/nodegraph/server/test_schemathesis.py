"""What the OpenAPI document promises is what the server does, whatever schemathesis thinks of to send."""

from __future__ import annotations

import json
import os
import random
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from nodegraph.catalog import Catalog
from nodegraph.client import Client
from nodegraph.server.app import ROUTES
from nodegraph.server.http import PREFIX
from nodegraph.server.openapi import openapi

from .requests import workflow
from .test_serving import Process

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


@dataclass(frozen=True)
class Place:
    """A server. known: what may stand in its paths, by the names that they have for it."""

    url: str
    known: Mapping[str, list[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path, catalog: Catalog) -> Iterator[Place]:
    """A server of its own process, with a saved workflow and a job that is done."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "cache").mkdir()
    (folder / "cache" / "definitions").symlink_to(definitions_cache / "definitions")
    names = ("models", "input", "output", "state", "cache", "workflows")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NODEGRAPH_")},
        **{f"NODEGRAPH_{name.upper()}": str(folder / name) for name in names},
        "NODEGRAPH_PLUGINS": str(Path(__file__).parents[2] / "packs"),
        "NODEGRAPH_THREADS": "1",
        "NODEGRAPH_WORKERS": "1",
        "XDG_CONFIG_HOME": str(folder),
    }
    process = Process(environment)
    try:
        url = process.url()
        with Client(url) as client:
            job = client.wait(client.submit(workflow()).id)
            assert job.state == "done"
            keys = [str(each.data["key"]) for each in client.past_events(job.id).events if each.data.get("key")]
        body = json.dumps({"workflow": workflow(), "base": None}).encode()
        saving = urllib.request.Request(f"{url}{PREFIX}/workflows/fox", body, method="PUT")
        with urllib.request.urlopen(saving) as answer:
            assert answer.status == 200
        known = {
            "id": [job.id],
            "name": ["fox"],
            "number": ["0", "1"],
            "file": ["a.png"],
            "key": keys,
            "output": ["number"],
        }
        yield Place(url, known)
        assert process.process.poll() is None
    finally:
        process.process.kill()
        process.end()


def cases(server: Place, path: str, method: str) -> st.SearchStrategy[schemathesis.Case]:
    """Requests for an operation, right ones and wrong ones, half of them for what there is."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.config.update(base_url=f"{server.url}{PREFIX}")
    operation = schema[path][method]
    modes = [operation.as_strategy(generation_mode=each) for each in GenerationMode]

    def fitting(case: schemathesis.Case, chooser: random.Random) -> schemathesis.Case:
        for name, values in server.known.items():
            if name in case.path_parameters and values:
                case.path_parameters[name] = chooser.choice(values)
        if isinstance(case.body, dict) and isinstance(case.body.get("workflow"), dict):
            case.body["workflow"] = workflow()
        return case

    return st.one_of(*modes, *(st.builds(fitting, mode, st.randoms(use_true_random=False)) for mode in modes))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_server_keeps_its_promises(server: Place, path: str, method: str) -> None:
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
