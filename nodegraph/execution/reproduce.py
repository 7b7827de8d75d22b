"""Making a picture again from the recipe inside it, and saying what differs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from .. import __version__
from ..errors import NodegraphError
from ..recipe import Recipe
from .events import Event, Listener, NodeFile
from .keys import package_version
from .run import Runner

if TYPE_CHECKING:
    from PIL import Image


class NotReproducible(NodegraphError):
    """A recipe does not lead to a picture here."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something about the surroundings that is not as it was. before, after: "" where there was or is nothing."""

    kind: Literal["version", "file", "device"]
    name: str
    before: str
    after: str

    def __str__(self) -> str:
        shown = [each[:12] if self.kind == "file" else each for each in (self.before, self.after)]
        return f"{self.kind} {self.name}: {shown[0] or 'none'} then, {shown[1] or 'none'} now"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A picture and what its recipe makes now.

    largest: the largest difference of any sample, in levels of 0 to 255; None where the sizes differ. psnr: in dB,
    infinite where nothing differs. changes: what is not as it was when the picture was made.
    """

    original: Path
    made: Path
    largest: int | None
    psnr: float | None
    changes: tuple[Change, ...]

    @property
    def identical(self) -> bool:
        """Whether every sample is the same."""
        return self.largest == 0


def reproduce(picture: Path, runner: Runner, *, on_event: Listener | None = None) -> Reproduction:
    """Run the recipe in `picture` again, without the cache, and compare the two pictures.

    Writes into the runner's output folder. Raises NoRecipe, InvalidWorkflow where the recipe cannot run here any more
    (missing files and nodes included), NodeFailed, and NotReproducible where it no longer writes a picture.
    """
    recipe = Recipe.of(picture)
    targets = [recipe.node] if recipe.node else None
    changes = surroundings_changed(recipe, runner, targets)
    written: list[Path] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodeFile) and recipe.node in ("", event.node):
            written.append(event.path)
        if on_event is not None:
            on_event(event)

    result = runner.run(recipe.workflow, targets=targets, use_cache=False, on_event=listen, fields=recipe.fields)
    if recipe.item >= len(written):
        made = f"{len(written)} pictures, not number {recipe.item + 1}" if written else "no picture"
        raise NotReproducible(f"the recipe in {picture} ran {len(result.ran)} nodes and wrote {made}")
    largest, psnr = picture_difference(picture, written[recipe.item])
    return Reproduction(picture, written[recipe.item], largest, psnr, changes)


def surroundings_changed(recipe: Recipe, runner: Runner, targets: list[str] | None) -> tuple[Change, ...]:
    """Versions, contents of files and device that are not those of the recipe."""
    now = {
        f"{kind}/{name}": digest
        for (kind, name), digest in runner.prepare(recipe.workflow, targets=targets).files.items()
    }
    files = _changes("file", {name: digest for name, digest in recipe.files.items() if name in now}, now)
    versions = _changes("version", recipe.versions, {name: package_version(name) for name in recipe.versions})
    engine = _changes("version", {"nodegraph": recipe.nodegraph}, {"nodegraph": __version__})
    device = _changes("device", {"policy": recipe.computed_on}, {"policy": runner.policy.text})
    return (*engine, *versions, *files, *device)


def _changes(
    kind: Literal["version", "file", "device"], before: Mapping[str, str], after: Mapping[str, str]
) -> list[Change]:
    return [
        Change(kind, name, before[name], after.get(name, "")) for name in before if before[name] != after.get(name, "")
    ]


def picture_difference(one: Path, other: Path) -> tuple[int | None, float | None]:
    """The largest difference in levels and the PSNR in dB; None where the pictures differ in size or channels."""
    from PIL import Image, ImageChops

    with Image.open(one) as first, Image.open(other) as second:
        if (first.size, first.mode) != (second.size, second.mode):
            return None, None
        histogram = ImageChops.difference(first.convert(_plain(first)), second.convert(_plain(second))).histogram()
    counts = [sum(histogram[level::256]) for level in range(256)]
    largest = max((level for level, count in enumerate(counts) if count), default=0)
    error = sum(level * level * count for level, count in enumerate(counts)) / max(1, sum(counts))
    return largest, math.inf if error == 0 else 10.0 * math.log10(255.0**2 / error)


def _plain(picture: Image.Image) -> str:
    return "RGBA" if "A" in picture.mode or picture.mode == "P" else "RGB"


def as_document(found: Reproduction) -> dict[str, JsonValue]:
    """A reproduction as JSON."""
    return {
        "identical": found.identical,
        "original": str(found.original),
        "made": str(found.made),
        "largest_difference": found.largest,
        "psnr": None if found.psnr is None or math.isinf(found.psnr) else round(found.psnr, 2),
        "changes": [
            {"kind": each.kind, "name": each.name, "before": each.before, "after": each.after} for each in found.changes
        ],
    }
