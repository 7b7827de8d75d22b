"""Reading, splitting and storing icon sets, on a made-up set in the iconify format."""

import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch

from nodes.training.captions import TEMPLATES, all_wordings, draw_caption, word_caption
from nodes.training.icon_data import (
    IconData,
    IconEntry,
    IconSet,
    IconSetError,
    build_icon_data,
    fetch_icon_set,
    held_out,
    is_held_out,
    read_icon_set,
    render,
    split,
)
from nodes.training.state import generator

HELD_OUT_OF_60 = [27, 33, 59]
SQUARE = '<path fill="#ff0000" d="M0 0h8v16H0z"/>'


@pytest.fixture
def document() -> dict[str, Any]:
    icons = {
        "red-square": {"body": SQUARE},
        "thumbs-up": {"body": SQUARE},
        "thumbs-up-dark": {"body": SQUARE},
        "thumbs-up-medium-light-skin-tone": {"body": SQUARE},
        "dark-horse": {"body": SQUARE},
        "gone": {"body": SQUARE, "hidden": True},
    }
    aliases = {"crimson-block": {"parent": "red-square"}, "turned": {"parent": "red-square", "hFlip": True}}
    return {"prefix": "test", "icons": icons, "aliases": aliases, "width": 16, "height": 16}


@pytest.fixture
def icons(document: dict[str, Any], tmp_path: Path) -> IconSet:
    """A set whose archive lies in `tmp_path`."""
    archive = tmp_path / "iconify-json-test-1.0.0.tgz"
    info = {"name": "Test set", "license": {"spdx": "MIT", "url": "https://example.org"}}
    with tarfile.open(archive, "w:gz") as files:
        for name, content in (("icons", document), ("info", info), ("package", {"version": "1.0.0"})):
            text = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}.json")
            member.size = len(text)
            files.addfile(member, io.BytesIO(text))
    digest = sha256(archive.read_bytes()).hexdigest()
    return IconSet(name="test", style="flat", version="1.0.0", sha256=digest)


def made_up(names: list[tuple[str, ...]]) -> IconData:
    entries = tuple(IconEntry(name=each[0], style="flat", captions=each) for each in names)
    pixels = torch.arange(len(names), dtype=torch.uint8)[:, None, None, None].expand(-1, 8, 8, 3).contiguous()
    return IconData(pixels=pixels, entries=entries, sources=({"set": "test"},))


def test_skin_tones_and_hidden_icons_are_left_out(document: dict[str, Any]) -> None:
    found = {entry.name: entry.captions for entry, _ in read_icon_set(document, "flat")}
    assert found == {
        "red-square": ("red square", "crimson block"),
        "thumbs-up": ("thumbs up",),
        "dark-horse": ("dark horse",),
    }


def test_rendering_is_on_white(document: dict[str, Any]) -> None:
    _, svg = next(read_icon_set(document, "flat"))
    picture = render(svg, 8)
    assert picture.shape == (8, 8, 3)
    assert picture[:, :4].unique(dim=0).shape[0] == 1
    assert picture[0, 0].tolist() == [255, 0, 0]
    assert picture[0, 7].tolist() == [255, 255, 255]


def test_the_list_of_held_out_captions_is_fixed_and_about_five_percent() -> None:
    captions = [f"caption {number}" for number in range(4000)]
    assert 0.035 < sum(map(is_held_out, captions)) / 4000 < 0.065
    assert [number for number in range(60) if is_held_out(f"caption {number}")] == HELD_OUT_OF_60


def test_split_is_disjoint_in_pictures_and_captions() -> None:
    out = next(f"thing {n}" for n in range(999) if is_held_out(f"thing {n}"))
    inside = [f"word {n}" for n in range(300) if not is_held_out(f"word {n}")][:30]
    data = made_up(
        [*((caption,) for caption in inside[:20]), (inside[20], out), (inside[21], inside[20]), (inside[21],)]
    )
    train, test = split(data)
    assert held_out(data) == [20, 21, 22]  # a shared caption carries the exclusion on
    assert len(train) + len(test) == len(data)
    assert train.pixels[:, 0, 0, 0].tolist() == list(range(20))
    captions = [{caption for entry in part.entries for caption in entry.captions} for part in (train, test)]
    assert not captions[0] & captions[1]
    assert not any(map(is_held_out, captions[0]))


def test_sets_are_rendered_with_their_captions_and_sources(icons: IconSet, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    data = build_icon_data(tmp_path, size=8, sets=[icons], on_set=lambda *each: done.append(each))
    assert [entry.name for entry in data.entries] == ["red-square", "thumbs-up", "dark-horse"]
    assert data.pixels.shape == (3, 8, 8, 3)
    expected = {"set": "test", "style": "flat", "title": "Test set", "version": "1.0.0", "licence": "MIT"}
    assert data.sources == (expected | {"url": "https://example.org"},)
    assert done == [(1, 1)]


def test_another_archive_than_the_pinned_one_is_refused(icons: IconSet, tmp_path: Path) -> None:
    with (tmp_path / "iconify-json-test-1.0.0.tgz").open("ab") as file:
        file.write(b"more")
    with pytest.raises(IconSetError, match="has the SHA-256"):
        fetch_icon_set(icons, tmp_path)


def test_without_npm_the_message_says_so(icons: IconSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(IconSetError, match="needs npm"):
        fetch_icon_set(icons, tmp_path / "elsewhere")


def test_a_failing_fetch_leaves_nothing_and_says_why(
    icons: IconSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no such package >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(IconSetError, match="no such package"):
        fetch_icon_set(icons, tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_wordings() -> None:
    entry = IconEntry(name="owl", style="noto", captions=("owl", "night bird"))
    assert word_caption(entry, "{article} {caption} icon, {style} style") == "an owl icon, noto style"
    assert word_caption(entry, "{article} {caption}", 1) == "a night bird"
    assert len(all_wordings((entry,))) == 2 * len(TEMPLATES)
    draw = generator(0, 0)
    drawn = [draw_caption(entry, draw, empty=0.25) for _ in range(400)]
    assert set(drawn) == {"", *all_wordings((entry,))}
    assert 0.18 < drawn.count("") / 400 < 0.32
