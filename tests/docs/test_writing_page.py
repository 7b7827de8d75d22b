"""docs/writing-nodes.md: the examples of choosing, blocking, expanding and resuming are nodes that do as the page says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from nodegraph import Settings
from nodegraph.execution.run import Runner
from nodegraph.ports.looking import glimpse_of, picture_of
from nodegraph.testing import check_node, local_context
from nodes.types import Latent, LatentSpace
from tests.nodegraph.flows import flow, link
from tests.nodegraph.packs import write_pack

from .pages import DOCS, blocks, sections

PAGE = DOCS / "writing-nodes.md"
EXAMPLES = blocks(sections(PAGE)["Choosing, blocking, expanding"], "python")


def test_the_examples_of_control_flow_run(settings: Settings, tmp_path: Path) -> None:
    write_pack(tmp_path / "plugins", "page", {"nodes.py": "\n".join(EXAMPLES), "pack.toml": 'prefix = ""'})
    workflow = flow(
        {
            "twice": ("doubled", {"number": 3.0, "times": 4}),
            "never": ("doubled", {"number": 1.0, "times": 99}),
            "chosen": ("prefer", {"first": link("twice.value"), "second": link("never.value")}),
        },
        {"chosen": "chosen.result"},
    )
    with Runner(settings.model_copy(update={"plugins": [tmp_path / "plugins"]})) as runner:
        assert runner.catalog.failures == []
        result = runner.run(workflow)
    assert result.outputs["chosen"] == 48.0
    assert set(result.ran) == {"twice", "chosen"}


def test_the_example_of_a_long_node_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [example] = blocks(sections(PAGE)["What a node may rely on, and must keep"], "python")
    moving = "def move(x, step):\n    return 0.5 * x + step\n"
    (tmp_path / "page_walking.py").write_text(f"{example}\n\n{moving}", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    from page_walking import walk  # type: ignore[import-not-found]

    space = LatentSpace(name="page", channels=1, downscale=1, scale=(1.0,), shift=(0.0,))
    latent = Latent(samples=torch.ones(1, 1, 2, 2), space=space)
    whole = check_node(walk, tmp_path / "checked", latent=latent, steps=4)["latent"]
    ctx = local_context(tmp_path / "first")
    walk(latent, 4, ctx=ctx)
    assert [state.step for state in ctx.checkpoints] == [1, 2, 3, 4]  # type: ignore[attr-defined]
    again = local_context(tmp_path / "again", resumed=ctx.checkpoints[2])
    assert torch.equal(walk(latent, 4, ctx=again).samples, whole.samples)
    assert [each.done for each in again.reported] == [4]
    del sys.modules["page_walking"]


def test_the_example_of_a_value_that_shows_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value, seen = blocks(sections(PAGE)["What people see of a value"], "python")
    (tmp_path / "page_heights.py").write_text(value, "utf-8")
    (tmp_path / "seen.py").write_text(seen, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    from page_heights import Heights  # type: ignore[import-not-found]

    told = glimpse_of(Heights((3.0, 120.0, 40.0)))
    assert (told.text, told.charts[0].y) == ("3 heights up to 120 m", [3.0, 120.0, 40.0])
    picture = picture_of([Heights((3.0, 120.0))], 0)
    assert picture is not None
    assert (picture.size, picture.getpixel((1, 0))) == ((2, 1), 120)
    for name in ("page_heights", "seen"):
        del sys.modules[name]
