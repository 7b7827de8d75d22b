"""The nodes that there are, as the editor gets them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from nodegraph.catalog import Catalog
from nodegraph.definition import NodeDefinition
from nodegraph.server.schemas_definitions import DefinitionList

from ..packs import node_source, write_pack
from .conftest import Serve, Served


def test_all_nodes_with_their_packs(served: Served, catalog: Catalog) -> None:
    answer = served.ask("GET", "/definitions")
    found = DefinitionList.model_validate_json(answer.content)
    assert [each.id for each in found.definitions] == list(catalog)
    assert found.definitions[0] == NodeDefinition.model_validate(catalog[found.definitions[0].id])
    assert {each.name: each.error for each in found.packs} == dict.fromkeys(("control", "nodes", "toy"), "")
    assert sum(each.nodes for each in found.packs) == len(catalog)
    assert answer.headers["etag"] == f'"{found.code}"'
    assert answer.headers["cache-control"] == "no-cache"


def test_who_has_them_already_gets_nothing(served: Served) -> None:
    tag = served.ask("GET", "/definitions").headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = served.ask("GET", "/definitions", headers={"If-None-Match": known})
        assert (answer.status, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert served.ask("GET", "/definitions", headers={"If-None-Match": '"other"'}).status == 200


def test_they_come_compressed_where_that_is_understood(served: Served) -> None:
    plain = served.ask("GET", "/definitions")
    packed = served.ask("GET", "/definitions", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 4


def test_a_changed_pack_changes_them(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    served = serve(plugins=[folder])
    before = served.ask("GET", "/definitions")
    write_pack(folder, "fresh", node_source("first"))
    after = served.ask("GET", "/definitions", headers={"If-None-Match": before.headers["etag"]})
    assert after.status == 200
    assert "fresh.first" in [each["id"] for each in after.json()["definitions"]]
    again = served.ask("GET", "/definitions", headers={"If-None-Match": after.headers["etag"]})
    assert again.status == 304


def test_a_broken_pack_says_why_without_paths(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    write_pack(folder, "broken", node_source("first") + f"\nraise OSError({str(tmp_path / 'plugins')!r} + ' is odd')")
    served = serve(plugins=[folder])
    answer = served.ask("GET", "/definitions")
    (pack,) = [each for each in answer.json()["packs"] if each["name"] == "broken"]
    assert "OSError" in pack["error"]
    assert str(tmp_path) not in answer.content.decode()
    assert served.ask("GET", "/definitions").headers["etag"] == answer.headers["etag"]
    write_pack(folder, "broken", node_source("first"))
    packs = json.loads(served.ask("GET", "/definitions").content)["packs"]
    assert {"name": "broken", "nodes": 1, "error": ""} in packs
