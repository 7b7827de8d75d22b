"""The icons data set: openly licensed icon sets in the iconify JSON format, rendered to small pictures with captions.

The data is fetched and rendered when training and never stored in the repository. A set's `icons.json` holds SVG bodies
by name; the name is the caption ("red-apple" is "red apple"), aliases are further captions of the same picture.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from PIL import Image as Picture
from torch import Tensor

from nodegraph import NodegraphError, wire


@dataclass(frozen=True, kw_only=True)
class IconSet:
    """A pinned icon set of the npm registry.

    name: of the package `@iconify-json/{name}`. style: its style word in captions. version: of the package. sha256: of
    its archive.
    """

    name: str
    style: str
    version: str
    sha256: str


ICON_SETS: tuple[IconSet, ...] = (
    IconSet(
        name="noto",
        style="noto",
        version="1.2.9",
        sha256="3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
    ),
    IconSet(
        name="fluent-emoji",
        style="fluent",
        version="1.2.7",
        sha256="8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b",
    ),
    IconSet(
        name="fluent-emoji-flat",
        style="flat",
        version="1.2.6",
        sha256="7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
    ),
    IconSet(
        name="twemoji",
        style="twemoji",
        version="1.2.5",
        sha256="19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7",
    ),
    IconSet(
        name="emojione",
        style="emojione",
        version="1.2.3",
        sha256="26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e",
    ),
)
"""What the bundled model learns from."""

_TONE = re.compile(r"-(?:medium-light|medium-dark|light|medium|dark)(?:-skin-tone)?(?=-|$)")


class IconSetError(NodegraphError):
    """An icon set could not be had, or is not the one that was asked for."""


@dataclass(frozen=True, kw_only=True)
class IconEntry:
    """What is known about one picture.

    name: its name in its set. style: the set's style word. captions: what it shows, in words, the first the name
    itself.
    """

    name: str
    style: str
    captions: tuple[str, ...]


@wire(portable=True, shown="nodes.showing.training:IconDataShown")
@dataclass(frozen=True, kw_only=True, eq=False)
class IconData:
    """Pictures with captions; `sources` says per set its version, licence and URL."""

    pixels: UInt8[Tensor, "icons height width 3"]
    entries: tuple[IconEntry, ...]
    sources: tuple[dict[str, str], ...]

    def __len__(self) -> int:
        return len(self.entries)

    def subset(self, chosen: Iterable[int]) -> IconData:
        """The pictures with the given indices."""
        indices = list(chosen)
        return IconData(
            pixels=self.pixels[indices], entries=tuple(self.entries[index] for index in indices), sources=self.sources
        )


def is_held_out(caption: str, *, percent: int = 5) -> bool:
    """Whether a caption is never trained on: decided by the SHA-256 of its words, so the list is fixed for all time."""
    return int(sha256(f"nodegraph icons: {caption}".encode()).hexdigest(), 16) % 100 < percent


def held_out(data: IconData) -> list[int]:
    """Indices of the pictures that are never trained on.

    A picture is held out when one of its captions is, and then also every picture that shares a caption with it.
    """
    captions = [frozenset(entry.captions) for entry in data.entries]
    out = {caption for each in captions if any(map(is_held_out, each)) for caption in each}
    while reached := {caption for each in captions if each & out for caption in each} - out:
        out |= reached
    return [index for index, each in enumerate(captions) if each & out]


def split(data: IconData) -> tuple[IconData, IconData]:
    """Training and held-out pictures."""
    out = held_out(data)
    return data.subset(sorted(set(range(len(data))) - set(out))), data.subset(out)


def fetch_icon_set(icons: IconSet, folder: Path) -> Path:
    """The archive of an icon set in `folder`, fetched from the npm registry where it is not there yet.

    Raises IconSetError when npm is missing or cannot reach the registry, or when the archive is not the pinned one.
    """
    package = f"@iconify-json/{icons.name}@{icons.version}"
    archive = folder / f"iconify-json-{icons.name}-{icons.version}.tgz"
    if not archive.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as partial:
            command = ["npm", "pack", "--silent", "--pack-destination", partial, package]
            try:
                subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)  # noqa: S603
            except FileNotFoundError as error:
                raise IconSetError("fetching icon sets needs npm (it comes with Node.js), which is not here") from error
            except subprocess.SubprocessError as error:
                reason = str(getattr(error, "stderr", None) or error).strip()
                raise IconSetError(f"npm could not fetch {package}: {reason}") from error
            (Path(partial) / archive.name).replace(archive)
    found = sha256(archive.read_bytes()).hexdigest()
    if found != icons.sha256:
        raise IconSetError(f"{archive} has the SHA-256 {found}, not {icons.sha256}; remove it to fetch {package} again")
    return archive


def open_archive(archive: Path) -> dict[str, dict[str, Any]]:
    """The documents `icons`, `info` and `package` of an icon set's archive."""
    with tarfile.open(archive) as files:
        found = {}
        for name in ("icons", "info", "package"):
            content = files.extractfile(f"package/{name}.json")
            if content is None:
                raise IconSetError(f"{archive} holds no {name}.json")
            found[name] = json.loads(content.read())
    return found


def read_icon_set(document: Mapping[str, Any], style: str) -> Iterator[tuple[IconEntry, str]]:
    """The icons of a set's `icons.json` with their SVG texts, without skin-tone variants."""
    icons: dict[str, dict[str, Any]] = document["icons"]
    width, height = document.get("width", 16), document.get("height", 16)
    synonyms: dict[str, list[str]] = {}
    for alias, entry in document.get("aliases", {}).items():
        if not entry.keys() - {"parent"}:  # an alias that also turns the picture is another picture
            synonyms.setdefault(entry["parent"], []).append(alias)
    for name, icon in icons.items():
        if _is_skin_tone(name, icons) or icon.get("hidden"):
            continue
        captions = tuple(dict.fromkeys(each.replace("-", " ") for each in (name, *synonyms.get(name, ()))))
        box = f"{icon.get('left', 0)} {icon.get('top', 0)} {icon.get('width', width)} {icon.get('height', height)}"
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{box}">{icon["body"]}</svg>'
        )
        yield IconEntry(name=name, style=style, captions=captions), svg


def _is_skin_tone(name: str, icons: dict[str, Any]) -> bool:
    if "skin-tone" in name:
        return True
    without = _TONE.sub("", name)
    return without != name and without in icons


def render(svg: str, size: int) -> UInt8[Tensor, "size size 3"]:
    """Draw an SVG on white, at twice the size and then averaged down."""
    import resvg_py

    drawn = Picture.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * size, height=2 * size))))
    paper = Picture.new("RGBA", drawn.size, "white")
    paper.alpha_composite(drawn.convert("RGBA"))
    small = paper.convert("RGB").resize((size, size), Picture.Resampling.BOX)
    return torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).reshape(size, size, 3).clone()


def build_icon_data(
    folder: Path,
    *,
    size: int = 64,
    sets: Sequence[IconSet] = ICON_SETS,
    on_set: Callable[[int, int], None] | None = None,
) -> IconData:
    """Fetch (where needed) and render icon sets.

    folder: where fetched archives lie. size: pixels on a side. on_set: told how many sets of how many are done.
    """
    entries: list[IconEntry] = []
    pictures: list[Tensor] = []
    sources = []
    for number, icons in enumerate(sets):
        documents = open_archive(fetch_icon_set(icons, folder))
        info, licence = documents["info"], documents["info"]["license"]
        sources.append({"set": icons.name, "style": icons.style, "title": info["name"], "version": icons.version,
                        "licence": licence["spdx"], "url": licence.get("url", "")})  # fmt: skip
        for entry, svg in read_icon_set(documents["icons"], icons.style):
            picture = render(svg, size)
            if int(picture.min()) < 250:  # an empty picture teaches nothing
                entries.append(entry)
                pictures.append(picture)
        if on_set is not None:
            on_set(number + 1, len(sets))
    return IconData(pixels=torch.stack(pictures), entries=tuple(entries), sources=tuple(sources))
