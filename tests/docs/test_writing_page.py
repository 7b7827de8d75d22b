"""docs/writing-nodes.md: the examples of choosing, blocking and expanding are nodes that do what the page says."""

from __future__ import annotations

from pathlib import Path

from nodegraph import Settings
from nodegraph.execution.run import Runner
from tests.nodegraph.flows import flow, link
from tests.nodegraph.packs import write_pack

from .pages import DOCS, blocks, sections

EXAMPLES = blocks(sections(DOCS / "writing-nodes.md")["Choosing, blocking, expanding"], "python")


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
