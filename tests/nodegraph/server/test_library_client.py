"""The client about nodes, workflows, pictures and models."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pillow

from nodegraph import Workflow
from nodegraph.catalog import Catalog
from nodegraph.client import ServerRefused
from nodegraph.errors import WorkflowFormatError

from .conftest import Served
from .requests import workflow


def test_nodes_and_checks(served: Served, catalog: Catalog) -> None:
    with served.client() as client:
        assert len(client.definitions().definitions) == len(catalog)
        assert client.validate(Workflow.from_document(workflow()), {"value": 2}, targets=["n"]).defects == []
        (defect,) = client.validate(workflow(), {"valu": 2}).defects
        assert "did you mean 'value'" in defect.remedy
        assert client.preflight(workflow()).ready
        with pytest.raises(WorkflowFormatError):
            client.validate({"nodes": 3})


def test_workflows(served: Served) -> None:
    with served.client() as client:
        assert client.save_workflow("a/b c", workflow(1)).version == 1
        assert client.save_workflow("a/b c", Workflow.from_document(workflow(2)), 1).version == 2
        with pytest.raises(ServerRefused, match="has changed since its version 1") as refused:
            client.save_workflow("a/b c", workflow(3), 1)
        assert (refused.value.code, refused.value.defects[0]["version"]) == ("workflow_changed", 2)
        assert client.rename_workflow("a/b c", "d").name == "d"
        assert [each.name for each in client.workflows()] == ["d"]
        assert [each.version for each in client.workflow_versions("d")] == [2, 1]
        assert Workflow.from_document(client.workflow("d", 1).workflow) == Workflow.from_document(workflow(1))
        assert client.delete_workflow("d").version == 2
        with pytest.raises(ServerRefused, match="there is no workflow 'd'"):
            client.workflow("d")
        named = client.templates()[0].name
        assert client.template(named).nodes


def test_pictures_and_models(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "fox.png"
    Pillow.new("RGB", (8, 4), "red").save(path)
    with served.client() as client:
        sent = client.upload(path, kind="mask")
        assert (sent.width, sent.height) == (8, 4)
        assert sent.file in [each.file for each in client.inputs()]
        with pytest.raises(ServerRefused, match="holds no recipe"):
            client.recipe(path)
        assert "bundled:icons" in [each.name for each in client.models("checkpoint")]
        assert len(client.models()) >= len(client.models("checkpoint"))
