"""Reading, splitting and storing icon sets, on a made-up set in the iconify format."""

import json
from pathlib import Path

import pytest
import torch

from nodes.training.captions import TEMPLATES, all_wordings, draw_caption, word_caption
from nodes.training.icon_data import (
    IconData,
    IconEntry,
    held_out,
    is_held_out,
    load_icon_data,
    read_icon_set,
    render,
    save_icon_data,
    split,
)
from nodes.training.state import generator

HELD_OUT_OF_60 = [27, 33, 59]
SQUARE = '<path fill="#ff0000" d="M0 0h8v16H0z"/>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    icons = {
        "red-square": {"body": SQUARE},
        "thumbs-up": {"body": SQUARE},
        "thumbs-up-dark": {"body": SQUARE},
        "thumbs-up-medium-light-skin-tone": {"body": SQUARE},
        "dark-horse": {"body": SQUARE},
        "gone": {"body": SQUARE, "hidden": True},
    }
    aliases = {"crimson-block": {"parent": "red-square"}, "turned": {"parent": "red-square", "hFlip": True}}
    document = {"prefix": "test", "icons": icons, "aliases": aliases, "width": 16, "height": 16}
    (tmp_path / "icons.json").write_text(json.dumps(document))
    return tmp_path


def made_up(names: list[tuple[str, ...]]) -> IconData:
    entries = tuple(IconEntry(name=each[0], style="flat", captions=each) for each in names)
    pixels = torch.arange(len(names), dtype=torch.uint8)[:, None, None, None].expand(-1, 8, 8, 3).contiguous()
    return IconData(pixels=pixels, entries=entries, sources=({"set": "test"},))


def test_skin_tones_and_hidden_icons_are_left_out(folder: Path) -> None:
    found = {entry.name: entry.captions for entry, _ in read_icon_set(folder, "flat")}
    assert found == {
        "red-square": ("red square", "crimson block"),
        "thumbs-up": ("thumbs up",),
        "dark-horse": ("dark horse",),
    }


def test_rendering_is_on_white(folder: Path) -> None:
    _, svg = next(read_icon_set(folder, "flat"))
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


def test_saved_data_is_the_same_again(tmp_path: Path) -> None:
    data = made_up([("a cat", "cat"), ("dog",)])
    save_icon_data(data, tmp_path / "data.safetensors")
    again = load_icon_data(tmp_path / "data.safetensors")
    assert torch.equal(again.pixels, data.pixels)
    assert (again.entries, again.sources) == (data.entries, data.sources)
    assert [each.name for each in tmp_path.iterdir()] == ["data.safetensors"]


def test_wordings() -> None:
    entry = IconEntry(name="owl", style="noto", captions=("owl", "night bird"))
    assert word_caption(entry, "{article} {caption} icon, {style} style") == "an owl icon, noto style"
    assert word_caption(entry, "{article} {caption}", 1) == "a night bird"
    assert len(all_wordings((entry,))) == 2 * len(TEMPLATES)
    draw = generator(0, 0)
    drawn = [draw_caption(entry, draw, empty=0.25) for _ in range(400)]
    assert set(drawn) == {"", *all_wordings((entry,))}
    assert 0.18 < drawn.count("") / 400 < 0.32
