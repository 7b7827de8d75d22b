"""Written checkpoints come back as they were, also to diffusers, and what cannot be written is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from nodegraph import Cancelled, InvalidInput, Workflow
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.run import Runner
from nodegraph.recipe import METADATA_KEY, Recipe
from nodegraph.settings import Settings
from nodegraph.spec import SpecContext
from nodegraph.testing import local_context
from nodes.adapters.freeu import freeu
from nodes.adapters.lora import LoraPatch, LowRank
from nodes.checkpoints import errors, specs, weights
from nodes.checkpoints.families.stable_diffusion_told import MODEL_KEY
from nodes.checkpoints.load import LoadedCheckpoint, load_checkpoint
from nodes.checkpoints.save import CheckpointNotWritten, save_checkpoint
from nodes.conditioning.clip import ClipTextEncoder
from nodes.conditioning.clip_options import clip_skip
from nodes.conditioning.text import encode_text
from nodes.parameterisations import Velocity
from nodes.schedules.handles import set_noise_schedule, set_prediction, zero_terminal_snr

from ..tiny_sd import VERSIONS, networks, original_tensors, write_sd
from .test_diffusers_folders import change_json, pipeline, saved

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    yield


def model_of(folder: Path, version: str = "1", **changes: Tensor | None) -> LoadedCheckpoint:
    return load_checkpoint(write_sd(folder / "source.safetensors", version, **changes))


def written(folder: Path, model: LoadedCheckpoint, layout: str = "single_file", **options: Any) -> Path:
    return Path(save_checkpoint(*model, ctx=local_context(folder), layout=layout, **options))  # type: ignore[arg-type]


def everything(path: Path) -> dict[str, Tensor]:
    """All tensors of a file or a folder."""
    if path.is_file():
        return load_file(path)
    return {f"{each.parent.name}/{n}": v for each in path.rglob("*.safetensors") for n, v in load_file(each).items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(
        value.dtype is b[name].dtype and value.shape == b[name].shape and torch.equal(value, b[name])
        for name, value in a.items()
    )


# round trips


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_comes_back_through_a_folder(tmp_path: Path, version: str) -> None:
    original = write_sd(tmp_path / "source.safetensors", version)
    folder = written(tmp_path / "a", load_checkpoint(original), "diffusers")
    assert folder.is_dir()
    again = written(tmp_path / "b", load_checkpoint(folder))
    assert same(everything(again), everything(original))
    assert same(everything(written(tmp_path / "c", load_checkpoint(again), "diffusers")), everything(folder))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_known_of_a_file_comes_back(tmp_path: Path, version: str) -> None:
    original = model_of(tmp_path, version)
    for layout in ("single_file", "diffusers"):
        found = load_checkpoint(written(tmp_path / layout, original, layout))
        a, b = original.text_encoder, found.text_encoder
        assert isinstance(a, ClipTextEncoder)
        assert isinstance(b, ClipTextEncoder)
        assert a.spec() == b.spec()
        assert torch.equal(a.encode(["a fox"]).tokens, b.encode(["a fox"]).tokens)
        assert found.denoiser.network.config == original.denoiser.network.config
        assert found.denoiser.parameterisation == original.denoiser.parameterisation
        assert torch.equal(found.denoiser.schedule.levels, original.denoiser.schedule.levels)  # type: ignore[attr-defined]
        assert (found.denoiser.space, found.autoencoder.space) == (original.denoiser.space, original.autoencoder.space)


@pytest.mark.parametrize("xl", [False, True])
def test_a_folder_of_diffusers_comes_back(tmp_path: Path, xl: bool) -> None:
    source = saved(tmp_path / "model", pipeline(xl=xl))
    again = written(tmp_path / "a", load_checkpoint(source), "diffusers")
    found = {name.replace("text_model.", ""): value for name, value in everything(again).items()}
    assert same(found, {name.replace("text_model.", ""): value for name, value in everything(source).items()})


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("layout", ["single_file", "diffusers"])
def test_the_precision_is_the_wanted_one(tmp_path: Path, precision: str, layout: str) -> None:
    dtype = getattr(torch, precision)
    path = written(tmp_path / "a", model_of(tmp_path, "2"), layout, precision=precision)
    assert {value.dtype for value in everything(path).values()} == {dtype}
    if layout == "single_file":
        assert same(everything(path), {name: value.to(dtype) for name, value in original_tensors("2").items()})


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_unchanged_is_what_it_was_loaded_in(tmp_path: Path, precision: str) -> None:
    tensors = {name: value.to(getattr(torch, precision)) for name, value in original_tensors("1").items()}
    save_file(tensors, tmp_path / "half.safetensors")
    model = load_checkpoint(tmp_path / "half.safetensors", local_context(tmp_path, precision=precision))
    folder = load_checkpoint(written(tmp_path / "a", model, "diffusers"), local_context(tmp_path, precision=precision))
    assert same(everything(written(tmp_path / "b", folder)), tensors)


# what the tensors do not tell


@pytest.mark.parametrize("layout", ["single_file", "diffusers"])
@pytest.mark.parametrize("version", ["1", "2", "XL"])
def test_prediction_and_schedule_can_be_read_again(tmp_path: Path, version: str, layout: str) -> None:
    model = model_of(tmp_path, version)
    denoiser = zero_terminal_snr(set_prediction(model.denoiser, "v"))
    path = written(tmp_path / "a", model._replace(denoiser=denoiser), layout)
    found = load_checkpoint(path).denoiser
    assert found.parameterisation == Velocity()
    assert torch.equal(found.schedule.levels, denoiser.schedule.levels)  # type: ignore[attr-defined]
    spec = specs.load_checkpoint(path, SpecContext()).outputs["denoiser"]
    assert spec.prediction == "v"
    assert spec.schedule.sigma_max == pytest.approx(found.schedule.sigma_max)
    other = "diffusers" if layout == "single_file" else "single_file"
    again = load_checkpoint(written(tmp_path / "b", load_checkpoint(path), other)).denoiser
    assert again.parameterisation == Velocity()
    assert torch.equal(again.schedule.levels, denoiser.schedule.levels)  # type: ignore[attr-defined]


def test_marks_of_other_programs_come_back(tmp_path: Path) -> None:
    for names in (["v_pred"], ["v_pred", "ztsnr"]):
        model = model_of(tmp_path, "XL", **{name: torch.zeros(0) for name in names})
        assert (model.denoiser.schedule.sigma_max > 4000) is ("ztsnr" in names)
        again = load_checkpoint(written(tmp_path / "a", model, "diffusers"))
        assert same(everything(written(tmp_path / "b", again)), everything(tmp_path / "source.safetensors"))


@pytest.mark.parametrize("version", ["1", "2", "XL"])
def test_clip_skip_can_be_read_again(tmp_path: Path, version: str) -> None:
    model = model_of(tmp_path, version)
    for layers in (1, 2):
        encoder = clip_skip(model.text_encoder, layers)
        found = load_checkpoint(written(tmp_path / "a", model._replace(text_encoder=encoder))).text_encoder
        assert torch.equal(found.encode(["a fox"]).tokens, encoder.encode(["a fox"]).tokens)


@pytest.mark.parametrize(
    ("text", "word"),
    [("{", "Invalid JSON"), ('{"prediction": "x"}', "at prediction"), ('{"text_layers": [7]}', r"text layers \[7\]"),
     ('{"text_layers": [1, 1]}', r"text layers \[1, 1\]"), ('{"more": 1}', "at more")],
)  # fmt: skip
def test_metadata_that_cannot_be_read_are_named(tmp_path: Path, text: str, word: str) -> None:
    save_file(original_tensors("1"), tmp_path / "a.safetensors", {MODEL_KEY: text})
    with pytest.raises(errors.InvalidMatch, match=word):
        load_checkpoint(tmp_path / "a.safetensors")


def test_a_folder_without_a_scheduler_predicts_noise(tmp_path: Path) -> None:
    folder = written(tmp_path / "a", model_of(tmp_path), "diffusers")
    change_json(folder / "scheduler" / "scheduler_config.json", prediction_type="v_prediction")
    assert load_checkpoint(folder).denoiser.parameterisation == Velocity()
    (folder / "scheduler" / "scheduler_config.json").unlink()
    assert load_checkpoint(folder).denoiser.parameterisation != Velocity()


# patches


def low_rank(shape: torch.Size, seed: int) -> LowRank:
    generator = torch.Generator().manual_seed(seed)
    down = torch.randn(2, *shape[1:], generator=generator)
    return LowRank(down=down, up=torch.randn(shape[0], 2, generator=generator), mid=None, scale=0.1)


def loras(network: Any, seed: int, mode: str = "merge") -> LoraPatch:
    shapes = {name: value.shape for name, value in network.state_dict().items() if value.ndim > 1 and "blocks" in name}
    layers = {name: low_rank(shape, seed + index) for index, (name, shape) in enumerate(shapes.items())}
    return LoraPatch(layers=layers, mode=mode)  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", ["single_file", "diffusers"])
def test_merged_patches_are_written_into_the_weights(tmp_path: Path, layout: str) -> None:
    model = model_of(tmp_path, "2")
    encoder = model.text_encoder
    assert isinstance(encoder, ClipTextEncoder)
    denoiser = model.denoiser.patch(loras(model.denoiser.network, 0)).patch(loras(model.denoiser.network, 100))
    text_patch = LoraPatch(
        layers={
            name: low_rank(value.shape, 7)
            for name, value in encoder.towers[0].network.state_dict().items()
            if value.ndim == 2 and ".layers." in name
        }
    )
    towers = tuple(replace(tower, patches=(text_patch,)) for tower in encoder.towers)
    changed = model._replace(denoiser=denoiser, text_encoder=replace(encoder, towers=towers))
    found = load_checkpoint(written(tmp_path / "a", changed, layout))
    assert found.denoiser.patches == ()
    for mine, theirs in ((found.denoiser.network, denoiser.patched), (found.text_encoder, changed.text_encoder)):
        a = mine.towers[0].network if isinstance(mine, ClipTextEncoder) else mine
        b = theirs.towers[0].patched if isinstance(theirs, ClipTextEncoder) else theirs
        assert same(a.state_dict(), dict(b.state_dict()))
    plain = model.denoiser.network.state_dict()
    assert not same(found.denoiser.network.state_dict(), plain)
    assert same(dict(plain), dict(networks("2")[0].state_dict()))


@pytest.mark.parametrize("part", ["denoiser", "text_encoder"])
def test_patches_beside_the_weights_are_named(tmp_path: Path, part: str) -> None:
    model = model_of(tmp_path)
    encoder = model.text_encoder
    assert isinstance(encoder, ClipTextEncoder)
    patch = loras(model.denoiser.network, 0, "runtime")
    if part == "denoiser":
        changed = model._replace(denoiser=freeu(model.denoiser.patch(patch)))
        names = "LoraPatch, FreeU"
    else:
        towers = tuple(replace(tower, patches=(patch,)) for tower in encoder.towers)
        changed = model._replace(text_encoder=replace(encoder, towers=towers))
        names = "LoraPatch"
    with pytest.raises(InvalidInput, match=f"^{part} = '{names}'.*no checkpoint holds.*mode is merge"):
        written(tmp_path / "a", changed)


# what cannot be written


Change = Callable[[LoadedCheckpoint, Path], LoadedCheckpoint]

REFUSED: dict[str, tuple[Change, str]] = {
    "another prediction": (
        lambda m, _: m._replace(denoiser=set_prediction(m.denoiser, "x0")),
        "predict eps or v; choose one with set_prediction",
    ),
    "another schedule": (
        lambda m, _: m._replace(denoiser=set_noise_schedule(m.denoiser, "linear")),
        "noise schedule is not that of Stable Diffusion.*set_noise_schedule",
    ),
    "another autoencoder": (
        lambda m, f: m._replace(autoencoder=model_of(f / "x", "XL").autoencoder),
        "latents are those of 'sdxl', the denoiser's of 'sd'",
    ),
    "another text encoder": (
        lambda m, f: m._replace(text_encoder=model_of(f / "x", "XL").text_encoder),
        r"widths \[64, 64\], the denoiser reads 64",
    ),
    "a text encoder used otherwise": (
        lambda m, f: m._replace(text_encoder=model_of(f / "x", "XL refiner").text_encoder),
        "its last norm is used as in another version; load it with used_as sd1 or sd2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_be_read_again_is_refused(tmp_path: Path, name: str) -> None:
    change, message = REFUSED[name]
    changed = change(model_of(tmp_path), tmp_path)
    for layout in ("single_file", "diffusers"):
        with pytest.raises(InvalidInput, match=message):
            written(tmp_path / "a", changed, layout)
    assert not list((tmp_path / "a").rglob("*"))


def test_heads_that_shapes_do_not_tell_need_a_folder(tmp_path: Path) -> None:
    model = load_checkpoint(saved(tmp_path / "model", pipeline()))
    with pytest.raises(InvalidInput, match=r"2 heads.*that layout cannot tell; save it as diffusers"):
        written(tmp_path / "a", model)


def test_weights_beyond_float16_are_named(tmp_path: Path) -> None:
    model = model_of(tmp_path, model__diffusion_model__out__2__bias=torch.full((4,), 1e6))
    with pytest.raises(InvalidInput, match=r"model\.diffusion_model\.out\.2\.bias has weights.*bfloat16"):
        written(tmp_path / "a", model, precision="float16")
    assert not [each for each in (tmp_path / "a").rglob("*") if each.is_file()]


# files


@pytest.mark.parametrize("layout", ["single_file", "diffusers"])
def test_what_was_there_stays_until_the_new_one_is_whole(tmp_path: Path, layout: str) -> None:
    first = written(tmp_path / "a", model_of(tmp_path), layout)
    before = everything(first)
    other = model_of(tmp_path, model__diffusion_model__out__2__bias=torch.ones(4))
    cancel = CancelToken()
    ctx = local_context(tmp_path / "a", cancel=cancel)
    cancel.cancel()
    with pytest.raises(Cancelled):
        save_checkpoint(*other, ctx=ctx, layout=layout)  # type: ignore[arg-type]
    assert same(everything(first), before)
    assert list(first.parent.iterdir()) == [first]
    assert written(tmp_path / "a", other, layout) == first
    assert not same(everything(first), before)
    assert list(first.parent.iterdir()) == [first]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    ctx = local_context(tmp_path / "a")
    model = model_of(tmp_path)
    target = ctx.output_file("model", ".safetensors")
    (target / "x").mkdir(parents=True)
    with pytest.raises(CheckpointNotWritten, match=r"could not be written.*nothing was left behind"):
        save_checkpoint(*model, ctx=ctx)
    assert list(target.parent.iterdir()) == [target]


def test_equal_models_give_equal_bytes_that_hold_no_time(tmp_path: Path) -> None:
    a, b = (written(tmp_path / name, model_of(tmp_path)) for name in "ab")
    assert a.read_bytes() == b.read_bytes()


def test_a_mapped_source_that_changes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAPPED_FROM", 0)
    model = model_of(tmp_path)
    with (tmp_path / "source.safetensors").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(errors.CheckpointChanged):
        written(tmp_path / "a", model)


def test_a_mapped_source_may_be_replaced_by_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAPPED_FROM", 0)
    path = written(tmp_path / "a", model_of(tmp_path))
    before = everything(path)
    assert written(tmp_path / "a", load_checkpoint(path)) == path
    assert same(everything(path), before)


def test_the_file_holds_the_workflow(make_runner: Callable[..., Runner], settings: Settings) -> None:
    write_sd(settings.folders_of("checkpoint")[0] / "model.safetensors")
    wires = {name: {"from": f"model.{name}"} for name in ("denoiser", "text_encoder", "autoencoder")}
    workflow = Workflow.from_document(
        {
            "format": "nodegraph/1",
            "nodes": {
                "model": {"type": "load_checkpoint", "inputs": {"checkpoint": "model.safetensors"}},
                "save": {"type": "save_checkpoint", "inputs": {**wires, "name": "mine"}},
            },
            "outputs": {"file": {"from": "save.file"}},
        }
    )
    path = Path(make_runner().run(workflow).outputs["file"])
    assert path.parent == settings.output
    assert path.name.startswith("mine-")
    with safe_open(path, "pt") as file:
        found = json.loads(file.metadata()[METADATA_KEY])
    assert Recipe.model_validate({**found, "workflow": Workflow.from_document(found["workflow"])}).node == "save"
    assert list(found["files"]) == ["checkpoint/model.safetensors"]
    assert encode_text(load_checkpoint(path).text_encoder, "a fox").entries
