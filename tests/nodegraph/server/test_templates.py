"""Workflows that come with node packs."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image as Pillow

from nodegraph.plugins import discover
from nodegraph.server.templates import templates_of

from ..packs import node_source, write_pack
from .conftest import Serve, Served
from .requests import workflow

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "workflows").rglob("*.json"))


def test_the_workflows_of_the_repository_are_templates(served: Served) -> None:
    found = {each["name"]: each for each in served.ask("GET", "/templates").json()["templates"]}
    assert found.keys() == {each.relative_to(ROOT / "workflows").with_suffix("").as_posix() for each in FILES}
    assert found["training/icons"]["group"] == "training"
    assert found["text_to_image"]["group"] == ""
    assert (found["text_to_image"]["title"], found["text_to_image"]["needs"]) == ("Text to image", [])
    assert found["stable_diffusion"]["needs"] == ["sd15.safetensors"]
    for name, each in found.items():
        loaded = served.ask("GET", f"/templates/{quote(name, safe='')}").json()
        assert loaded["workflow"]["title"] == each["title"]
        assert (
            served.ask("POST", "/validate", {"workflow": loaded["workflow"]}).json()["defects"] == [] or each["needs"]
        )


def test_every_workflow_without_missing_models_has_a_small_picture(served: Served) -> None:
    for each in served.ask("GET", "/templates").json()["templates"]:
        if each["needs"] or each["group"] == "training":
            continue
        path = each["picture"].removeprefix("/api/v1")
        answer = served.ask("GET", path)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/webp"), each["name"]
        assert len(answer.content) <= 20_000
        assert "max-age" in answer.headers["cache-control"]
        assert served.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]}).status == 304


def test_no_picture_lacks_its_workflow() -> None:
    pictures = ROOT / "workflows" / "pictures"
    named = {each.relative_to(pictures).with_suffix("") for each in pictures.rglob("*.webp")}
    assert named <= {each.relative_to(ROOT / "workflows").with_suffix("") for each in FILES}
    for path in pictures.rglob("*.webp"):
        with Pillow.open(path) as picture:
            assert max(picture.size) <= 256


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A pack with a good template and a broken one."""
    folder = write_pack(tmp_path / "plugins", "mine", {"nodes.py": node_source("a")})
    (folder / "workflows" / "deep").mkdir(parents=True)
    (folder / "workflows" / "deep" / "one.json").write_text(json.dumps(workflow()))
    (folder / "workflows" / "broken.json").write_text("{")
    return tmp_path / "plugins"


def test_packs_bring_templates_of_their_own(serve: Serve, plugins: Path) -> None:
    served = serve(plugins=[plugins])
    found = {each["name"]: each for each in served.ask("GET", "/templates").json()["templates"]}
    assert found["mine.deep/one"] == {
        "name": "mine.deep/one",
        "title": "mine.deep/one",
        "description": "",
        "group": "deep",
        "picture": None,
        "needs": [],
    }
    assert "mine.broken" not in found
    assert served.ask("GET", "/templates/mine.broken").json()["code"] == "workflow_format_error"
    for path in ("gone", "mine.deep%2Fone/picture", "..%2F..%2Fetc%2Fpasswd", "gone/picture"):
        answer = served.ask("GET", f"/templates/{path}")
        assert (answer.status, answer.json()["code"]) == (404, "unknown_template")


def test_a_folder_beside_a_pack_belongs_to_it_in_a_project_only(tmp_path: Path) -> None:
    write_pack(tmp_path, "mine", {"nodes.py": node_source("a")})
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "one.json").write_text(json.dumps(workflow()))
    (pack,) = [each for each in discover([tmp_path]).packs if each.name == "mine"]
    assert [*templates_of(pack)] == []
    (tmp_path / "pyproject.toml").write_text("")
    assert [each.name for each in templates_of(pack)] == ["mine.one"]
