"""What nodes write holds no times: the same recipe gives the same bytes, whenever it runs."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from nodegraph import Workflow
from nodegraph.catalog import Catalog, load_catalog
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from nodegraph.testing import local_context
from nodes.training.datasets import encode_dataset, train_tokenizer
from nodes.training.exports import save_matcher, save_text_to_image
from nodes.training.trainers import train_autoencoder, train_denoiser, train_matcher

from ..nodegraph.flows import flow, link
from .tiny_sd import write_sd
from .training.test_training import toy_data

YEAR = 365 * 24 * 3600
Write = Callable[[Path], None]
"""Lets a node write into the output folder below a folder."""


def set_clock_on(patched: pytest.MonkeyPatch, seconds: int) -> None:
    """Let a process believe that it is later."""
    now, now_ns, local, utc = time.time, time.time_ns, time.localtime, time.gmtime
    patched.setattr(time, "time", lambda: now() + seconds)
    patched.setattr(time, "time_ns", lambda: now_ns() + seconds * 10**9)
    patched.setattr(time, "localtime", lambda at=None: local(time.time() if at is None else at))
    patched.setattr(time, "gmtime", lambda at=None: utc(time.time() if at is None else at))

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(time.time(), tz)

    patched.setattr(datetime, "datetime", Later)


def contents(folder: Path) -> dict[str, bytes]:
    """All files by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_it(workflow: Workflow, source: Path, kind: str) -> Write:
    """Runs a workflow that reads one file."""

    def write(folder: Path) -> None:
        places = {name: folder / name for name in ("models", "output", "state", "cache")}
        settings = Settings(**places, input=source.parent, folders={kind: [source.parent]}, plugins=[], threads=1)
        with Runner(settings) as runner:
            runner.run(workflow)

    return write


def picture(folder: Path, **options: Any) -> Write:
    Pillow.new("RGB", (8, 6), (250, 90, 20)).save(folder / "a.png")
    nodes = {
        "load": ("load_image", {"file": "a.png"}),
        "save": ("save_image", {"image": link("load.image"), **options}),
    }
    return run_it(flow(nodes), folder / "a.png", "image")


def checkpoint(folder: Path, **options: Any) -> Write:
    write_sd(folder / "a.safetensors", "1")
    parts = {name: link(f"load.{name}") for name in ("denoiser", "text_encoder", "autoencoder")}
    nodes = {"load": ("load_checkpoint", {"checkpoint": "a.safetensors"}), "save": ("save_checkpoint", parts | options)}
    return run_it(flow(nodes), folder / "a.safetensors", "checkpoint")


def trained_model(folder: Path) -> Write:
    data, ctx = toy_data(), local_context(folder / "training")
    images = train_autoencoder(data, ctx, steps=1, batch=2, width=8)
    latents = encode_dataset(images, data, ctx)
    sizes: dict[str, Any] = {"width": 16, "depth": 1, "heads": 2, "text_width": 16, "text_depth": 1}
    ctx = local_context(folder / "training", key="1" * 64)
    model = train_denoiser(latents, train_tokenizer(data, 150), ctx, steps=1, batch=2, **sizes)
    return lambda target: print(save_text_to_image(model, images, latents, local_context(target)))


def trained_matcher(folder: Path) -> Write:
    data, ctx = toy_data(), local_context(folder / "training")
    tokenizer = train_tokenizer(data, 150)
    matcher = train_matcher(data, tokenizer, ctx, steps=1, batch=2, width=8, embedding=8, text_width=16)
    return lambda target: print(save_matcher(matcher, local_context(target)))


CASES: dict[str, Callable[[Path], Write]] = {
    "save_image as png": picture,
    "save_image as webp": lambda folder: picture(folder, format="webp"),
    "save_image as jpeg": lambda folder: picture(folder, format="jpeg"),
    "save_checkpoint as file": checkpoint,
    "save_checkpoint as folder": lambda folder: checkpoint(folder, layout="diffusers"),
    "save_text_to_image": trained_model,
    "save_matcher": trained_matcher,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
def test_the_same_recipe_gives_the_same_bytes_at_any_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    (tmp_path / "source").mkdir()
    write = CASES[case](tmp_path / "source")
    write(tmp_path / "first")
    for path in (tmp_path / "source").rglob("*"):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - YEAR))
    with monkeypatch.context() as patched:
        set_clock_on(patched, YEAR + 1)
        write(tmp_path / "second")
    first, second = (contents(tmp_path / name / "output") for name in ("first", "second"))
    assert first
    assert first == second


def test_every_node_that_writes_is_among_them(definitions_cache: Path) -> None:
    catalog: Catalog = load_catalog(Settings(cache=definitions_cache, plugins=[]))
    writing = {definition.id for definition in catalog.values() if definition.effect}
    assert {case.split()[0] for case in CASES} == writing


def test_the_clock_of_this_test_is_later(monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.time()
    with monkeypatch.context() as patched:
        set_clock_on(patched, YEAR)
        assert time.gmtime().tm_year > time.gmtime(before).tm_year
        assert datetime.datetime.now(datetime.UTC).timestamp() - before >= YEAR
