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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from PIL import Image as Picture
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

STYLES: dict[str, str] = {
    "noto": "noto",
    "fluent-emoji": "fluent",
    "fluent-emoji-flat": "flat",
    "twemoji": "twemoji",
    "emojione": "emojione",
}
"""The style word of each icon set."""

_TONE = re.compile(r"-(?:medium-light|medium-dark|light|medium|dark)(?:-skin-tone)?(?=-|$)")


@dataclass(frozen=True, kw_only=True)
class IconEntry:
    """What is known about one picture.

    name: its name in its set. style: the set's style word. captions: what it shows, in words, the first the name
    itself.
    """

    name: str
    style: str
    captions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
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


def fetch_icon_set(name: str, folder: Path) -> Path:
    """Fetch an icon set's package from the npm registry into `folder` and unpack it; the folder with its `icons.json`.

    Raises RuntimeError when npm is missing or cannot reach the registry.
    """
    target = folder / name
    if (target / "icons.json").is_file():
        return target
    target.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", "--pack-destination", str(target), f"@iconify-json/{name}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)  # noqa: S603
    except FileNotFoundError as error:
        raise RuntimeError("fetching icon sets needs npm, which is not installed") from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"npm could not fetch @iconify-json/{name}: {error.stderr.strip()}") from error
    archive = target / done.stdout.strip().splitlines()[-1]
    with tarfile.open(archive) as files:
        for member in ("icons.json", "info.json", "package.json"):
            content = files.extractfile(f"package/{member}")
            assert content is not None
            (target / member).write_bytes(content.read())
    return target


def read_icon_set(folder: Path, style: str) -> Iterator[tuple[IconEntry, str]]:
    """The icons of an unpacked set with their SVG texts, without skin-tone variants."""
    document = json.loads((folder / "icons.json").read_text("utf-8"))
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


def build_icon_data(folder: Path, *, size: int = 64, on_set: Callable[[int, int], None] | None = None) -> IconData:
    """Fetch (where needed) and render all sets of `STYLES`.

    folder: where fetched packages lie. size: pixels on a side. on_set: told how many sets of how many are done.
    """
    entries: list[IconEntry] = []
    pictures: list[Tensor] = []
    sources = []
    for number, (name, style) in enumerate(STYLES.items()):
        unpacked = fetch_icon_set(name, folder)
        info = json.loads((unpacked / "info.json").read_text("utf-8"))
        version = json.loads((unpacked / "package.json").read_text("utf-8"))["version"]
        licence = info["license"]
        sources.append({"set": name, "style": style, "title": info["name"], "version": version,
                        "licence": licence["spdx"], "url": licence.get("url", "")})  # fmt: skip
        for entry, svg in read_icon_set(unpacked, style):
            picture = render(svg, size)
            if int(picture.min()) < 250:  # an empty picture teaches nothing
                entries.append(entry)
                pictures.append(picture)
        if on_set is not None:
            on_set(number + 1, len(STYLES))
    return IconData(pixels=torch.stack(pictures), entries=tuple(entries), sources=tuple(sources))


def save_icon_data(data: IconData, path: Path) -> None:
    """Write the pictures and their captions into one safetensors file."""
    document = {
        "entries": [{"name": each.name, "style": each.style, "captions": each.captions} for each in data.entries],
        "sources": data.sources,
    }
    partial = path.with_name(f".{path.name}.partial")
    save_file({"pixels": data.pixels.contiguous()}, partial, {"icons": json.dumps(document)})
    partial.replace(path)


def load_icon_data(path: Path) -> IconData:
    """Read what `save_icon_data` wrote."""
    with safe_open(path, "pt") as file:
        document = json.loads(file.metadata()["icons"])
        pixels = file.get_tensor("pixels")
    entries = tuple(
        IconEntry(name=each["name"], style=each["style"], captions=tuple(each["captions"]))
        for each in document["entries"]
    )
    return IconData(pixels=pixels, entries=entries, sources=tuple(document["sources"]))
