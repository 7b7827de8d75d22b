"""`nodegraph reproduce` and `nodegraph diff` on pictures of a tiny model."""

from __future__ import annotations

import json
import os
from pathlib import Path
from shutil import copyfile

import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

from nodegraph.cli.app import app
from nodegraph.recipe import METADATA_KEY, NoRecipe, Recipe, read_recipe

from .tiny import tiny_weights, write_checkpoint

FLOW = Path(__file__).parents[2] / "workflows" / "text_to_image.json"
SMALL = ["--steps", "2", "--width", "16", "--height", "16", "--set", "model.checkpoint=tiny.safetensors"]


@pytest.fixture
def home(tmp_path: Path, tiny_checkpoint: Path, definitions_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with settings of its own and the tiny checkpoint in its models folder."""
    for name in [name for name in os.environ if name.startswith("NODEGRAPH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    folders = {name: str(tmp_path / name) for name in ("models", "input", "state")}
    settings = {**folders, "cache": str(definitions_cache), "output": str(tmp_path / "output")}
    lines = [*(f"{name} = {json.dumps(value)}" for name, value in settings.items()), "threads = 1", "plugins = []"]
    (tmp_path / "nodegraph.toml").write_text("\n".join(lines))
    checkpoint = tmp_path / "models" / "checkpoint" / "tiny.safetensors"
    checkpoint.parent.mkdir(parents=True)
    copyfile(tiny_checkpoint, checkpoint)
    return tmp_path


def nodegraph(*arguments: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def draw(*options: str) -> Path:
    document = json.loads(nodegraph("run", FLOW, *SMALL, *options, "--json"))
    return Path(document["outputs"]["files"][-1])


def test_a_picture_is_made_again_bit_by_bit(home: Path) -> None:
    picture = draw("--prompt", "cat", "--seed", "3")
    before = picture.read_bytes()
    document = json.loads(nodegraph("reproduce", picture, "--json"))
    assert (document["identical"], document["largest_difference"], document["changes"]) == (True, 0, [])
    assert picture.read_bytes() == before
    assert list((home / "output").iterdir()) == [picture]


def test_the_second_of_a_batch_is_found(home: Path) -> None:
    assert json.loads(nodegraph("reproduce", draw("--batch", "2"), "--json"))["identical"]


def test_the_new_picture_never_replaces_the_old_one(home: Path) -> None:
    picture = draw()
    before = picture.read_bytes()
    made = Path(json.loads(nodegraph("reproduce", picture, "--output", picture.parent, "--json"))["made"])
    assert made != picture
    assert made.read_bytes() == picture.read_bytes() == before


def test_other_weights_are_named_and_the_difference_measured(home: Path) -> None:
    picture = draw()
    write_checkpoint(home / "models" / "checkpoint" / "tiny.safetensors", *tiny_weights(seed=1))
    document = json.loads(nodegraph("reproduce", picture, "--json", code=5))
    assert document["largest_difference"] > 0
    assert document["psnr"] < 60
    assert [(each["kind"], each["name"]) for each in document["changes"]] == [("file", "checkpoint/tiny.safetensors")]
    assert "different: by at most" in nodegraph("reproduce", picture, code=5)


def test_an_altered_picture_and_other_versions_are_told(home: Path) -> None:
    picture = draw()
    recipe = read_recipe(picture)
    assert recipe is not None
    with Pillow.open(picture) as opened:
        pixels = opened.convert("RGB")
    red, *others = pixels.getpixel((0, 0))  # type: ignore[misc]
    pixels.putpixel((0, 0), (red ^ 4, *others))
    info = PngInfo()
    info.add_text(METADATA_KEY, json.dumps({**recipe, "versions": {"torch": "1.0"}, "computed_on": "a machine"}))
    pixels.save(picture, pnginfo=info)
    document = json.loads(nodegraph("reproduce", picture, "--json", code=5))
    assert document["largest_difference"] == 4
    assert {(each["kind"], each["before"]) for each in document["changes"]} == {
        ("version", "1.0"),
        ("device", "a machine"),
    }


def test_a_resized_picture_is_told_by_its_sizes(home: Path) -> None:
    picture = draw()
    recipe = read_recipe(picture)
    info = PngInfo()
    info.add_text(METADATA_KEY, json.dumps(recipe))
    with Pillow.open(picture) as opened:
        width, height = opened.size
        opened.resize((width // 2, height)).save(picture, pnginfo=info)
    result = CliRunner().invoke(app, ["reproduce", str(picture)])
    sizes = f"different: {width // 2} x {height} RGB then, {width} x {height} RGB now"
    assert result.stdout == f"{picture}: {sizes}\n"
    assert "keep the new picture with --output DIR" in result.stderr


def test_a_picture_that_is_not_there_is_said_plainly(home: Path) -> None:
    result = CliRunner().invoke(app, ["reproduce", "lost.png"])
    assert result.stderr.strip() == "nodegraph: lost.png cannot be read as a picture: No such file or directory"


def test_a_missing_model_is_a_defect_and_not_a_crash(home: Path) -> None:
    picture = draw()
    (home / "models" / "checkpoint" / "tiny.safetensors").rename(home / "models" / "checkpoint" / "tiny2.safetensors")
    document = json.loads(nodegraph("reproduce", picture, "--json", code=3))
    assert "tiny2.safetensors" in document["error"]


@pytest.mark.parametrize("content", ["none", "text", "no picture", "wrong"])
def test_files_without_a_recipe_are_refused(home: Path, content: str) -> None:
    path, info = home / "other.png", PngInfo()
    if content == "no picture":
        path.write_bytes(b"hello")
    else:
        texts = {"text": "hello", "wrong": json.dumps({"workflow": {"format": "nodegraph/1"}})}
        if content in texts:
            info.add_text(METADATA_KEY, texts[content])
        Pillow.new("RGB", (4, 4)).save(path, pnginfo=info)
    with pytest.raises(NoRecipe):
        Recipe.of(path)
    nodegraph("reproduce", path, code=1)


def test_diff_of_pictures_tells_what_was_done_differently(home: Path) -> None:
    one, other = draw("--prompt", "cat"), draw("--prompt", "dog and bird", "--seed", "9")
    assert nodegraph("diff", one, one) == "the same recipe\n"
    shown = nodegraph("diff", one, other, code=5)
    assert shown.splitlines() == ['~ prompt.text: "cat" -> "dog and bird"', "~ sample.seed: 0 -> 9"]
    document = json.loads(nodegraph("diff", one, FLOW, "--json", code=5))
    assert {each["place"] for each in document["differences"]} >= {"prompt.text", "model.checkpoint"}
    assert document["surroundings"] == []


def test_diff_of_weights(home: Path) -> None:
    one = draw().rename(home / "one.png")
    write_checkpoint(home / "models" / "checkpoint" / "tiny.safetensors", *tiny_weights(seed=1))
    assert "content of checkpoint/tiny.safetensors" in nodegraph("diff", one, draw(), code=5)
