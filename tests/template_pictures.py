"""`make template-pictures`: run the templates and keep a small picture of what each makes, for the editor to show.

Those whose models are not here, and those that train, have none. Names given as arguments are done alone.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image as Pillow

from nodegraph import Settings, Workflow
from nodegraph.execution.preflight import preflight
from nodegraph.execution.run import Runner

FOLDER = Path(__file__).parent.parent / "workflows"
SIZE = 256
MOST_BYTES = 20_000

SHOWN = {
    "text_to_image": {"prompt": "a dog face"},
    "hires_fix": {"prompt": "a hamburger"},
    "compare": {"second": "image_to_image.png", "view": "difference"},
}
"""Inputs that show more of what a template is for than its defaults do."""

LAST = "compare"
"""Works with a picture that another one made."""


def small(path: Path) -> bytes:
    """A WebP of a picture, as good as fits."""
    with Pillow.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((SIZE, SIZE), Pillow.Resampling.LANCZOS)
    for quality in range(90, 0, -10):
        target = BytesIO()
        picture.save(target, "WEBP", quality=quality, method=6)
        if target.tell() <= MOST_BYTES:
            return target.getvalue()
    raise AssertionError(f"{path} does not fit into {MOST_BYTES} bytes")


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        folders = {name: here / name for name in ("models", "input", "output", "state")}
        with Runner(Settings(**folders, plugins=[], device="cpu", disk_cache_bytes=0)) as runner:
            for path in sorted(FOLDER.glob("*.json"), key=lambda each: (each.stem == LAST, each.name)):
                workflow = Workflow.load(path)
                if (names and path.stem not in names) or preflight(runner, workflow).defects:
                    continue
                files = runner.run(workflow, SHOWN.get(path.stem)).files
                folders["input"].mkdir(exist_ok=True)
                shutil.copyfile(files[-1], folders["input"] / f"{path.stem}{files[-1].suffix}")
                target = FOLDER / "pictures" / f"{path.stem}.webp"
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(small(files[-1]))
                print(f"{target.name}: {target.stat().st_size} bytes, of {len(files)} pictures")


if __name__ == "__main__":
    main(sys.argv[1:])
