"""A sampling that was stopped goes on between the same two steps, with the same bits and nothing evaluated twice."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from nodegraph import Cancelled, Workflow
from nodegraph.catalog import Catalog, load_catalog
from nodegraph.execution.cancel import CancelToken
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings
from nodegraph.testing import local_context
from nodes.samplers.dpmpp_2m import Multistep
from nodes.samplers.resuming import Reached
from nodes.samplers.sample import sample
from nodes.types import Sigmas, State

from ...nodegraph.flows import flow, link
from ...nodegraph.packs import write_pack
from ..oracles import FLOW, Oracle
from .test_parts import GRIDS, picture

PACK = """
from typing import Literal

import torch

from nodegraph import node
from nodes.types import Guider, Latent, Mask, Sigmas

MADE = []


@node(category="test")
def oracle(schedule: Literal["flow", "ve"] = "flow") -> Guider:
    "A guider that is known in closed form and counts how often it is asked."
    from tests.nodes.oracles import FLOW, VE, Oracle

    MADE.append(Oracle(oracle_schedule={"flow": FLOW, "ve": VE}[schedule]))
    return MADE[-1]


@node(category="test")
def grid(schedule: Literal["flow", "ve"] = "flow") -> Sigmas:
    "A few levels."
    from tests.nodes.samplers.test_parts import GRIDS

    return Sigmas.of(GRIDS[schedule])


@node(category="test")
def noisy(batch: int = 2) -> Latent:
    "Latents."
    from tests.nodes.oracles import SPACE

    samples = torch.randn(batch, 1, 4, 6, generator=torch.Generator().manual_seed(batch))
    return Latent(samples=samples, space=SPACE)


@node(category="test")
def ramp() -> Mask:
    "A mask with every value."
    return Mask(values=torch.linspace(0, 1, 24).reshape(1, 1, 4, 6))
"""

SAMPLERS: dict[str, dict[str, Any]] = {
    "euler": {},
    "euler churned": {"s_churn": 4.0},
    "euler_ancestral": {},
    "heun": {},
    "heun churned": {"s_churn": 4.0},
    "ddim": {},
    "ddim ancestral": {"eta": 1.0},
    "ddpm": {},
    "dpmpp_2m": {},
}

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "exploding": {"schedule": "ve"},
    "soft mask": {"mask": link("mask.mask"), "batch": 3},
    "differential mask": {"mask": link("mask.mask"), "masking": "differential"},
    "comfyui": {"noise": "comfyui", "batch": 3},
    "a1111": {"noise": "a1111"},
    "first part": {"until": 4},
    "last part": {"start": 1, "add_noise": False, "original": link("latent.latent"), "mask": link("mask.mask")},
    "one picture": {"batch": 1},
}


def workflow(sampler: str, variant: str) -> Workflow:
    options = dict(VARIANTS[variant])
    schedule, batch = options.pop("schedule", "flow"), options.pop("batch", 2)
    wires = {name: link(f"{name}.{name}") for name in ("guider", "sampler", "sigmas", "latent")}
    nodes = {
        "guider": ("oracles.oracle", {"schedule": schedule}),
        "sigmas": ("oracles.grid", {"schedule": schedule}),
        "sampler": (sampler.split()[0], SAMPLERS[sampler]),
        "latent": ("oracles.noisy", {"batch": batch}),
        "mask": ("oracles.ramp", {}),
        "sample": ("sample", {**wires, "seed": 7, **options}),
    }
    return flow(nodes, {"latent": "sample.latent"})


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory, definitions_cache: Path) -> tuple[Path, Catalog]:
    """A folder with the pack of oracles, and the catalog with it."""
    folder = tmp_path_factory.mktemp("packs")
    write_pack(folder, "oracles", PACK)
    found = load_catalog(Settings(cache=definitions_cache, plugins=[folder]))
    assert not found.failures, found.failures
    return folder, found


class Sampled(NamedTuple):
    """samples: None where it was stopped. asked: the levels that were evaluated."""

    samples: Tensor | None
    asked: list[float]


Run = Callable[..., Sampled]


@pytest.fixture
def run(packs: tuple[Path, Catalog], tmp_path: Path) -> Iterator[Run]:
    """Runs a workflow as in a new process, in a folder; stops it once a number of evaluations were made."""
    plugins, catalog = packs

    def once(document: Workflow, folder: str, stop: int | None = None) -> Sampled:
        places = {name: tmp_path / folder / name for name in ("models", "input", "output", "state", "cache")}
        settings = Settings(**places, plugins=[plugins], threads=1, checkpoint_seconds=0.0)
        cancel = CancelToken()
        with Runner(settings, catalog=catalog) as runner:
            made = made_oracles()
            made.clear()
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(Oracle, "denoise", counting(cancel, stop))
                try:
                    samples = runner.run(document, cancel=cancel).outputs["latent"].samples
                except Cancelled:
                    samples = None
            return Sampled(samples, made[-1].asked if made else [])

    return once


def made_oracles() -> list[Oracle]:
    module = sys.modules.get("nodegraph_plugins.oracles")
    return module.MADE if module is not None else []


def counting(cancel: CancelToken, stop: int | None) -> Callable[[Oracle, Tensor, Tensor], Tensor]:
    denoise = Oracle.denoise

    def counted(self: Oracle, x: Tensor, sigma: Tensor) -> Tensor:
        found = denoise(self, x, sigma)
        if len(self.asked) == stop:
            cancel.cancel()
        return found

    return counted


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampling_stopped_after_any_evaluation_goes_on(run: Run, sampler: str, variant: str) -> None:
    document = workflow(sampler, variant)
    whole = run(document, "whole")
    assert whole.samples is not None
    each = 2 if sampler.startswith("heun") else 1  # evaluations of a step
    for stop in range(1, len(whole.asked)):
        first = run(document, f"stopped {stop}", stop)
        assert first == (None, whole.asked[:stop])
        second = run(document, f"stopped {stop}")
        assert second.samples is not None
        assert torch.equal(second.samples, whole.samples)
        assert second.asked == whole.asked[stop - stop % each :]


def test_a_sampling_stopped_again_and_again_arrives(run: Run) -> None:
    document = workflow("dpmpp_2m", "soft mask")
    whole = run(document, "whole")
    asked: list[float] = []
    found = Sampled(None, [])
    while found.samples is None:
        found = run(document, "stopped", 1)
        asked += found.asked
    assert torch.equal(found.samples, whole.samples)
    assert asked == whole.asked


def test_progress_goes_on_where_it_was(tmp_path: Path) -> None:
    sigmas = Sigmas.of(GRIDS["flow"])
    from nodes.samplers.euler import euler

    ctx = local_context(tmp_path)
    whole = sample(Oracle(oracle_schedule=FLOW), euler(), sigmas, picture(), ctx=ctx)
    assert [each.done for each in ctx.reported] == [0, 1, 2, 3, 4, 5]
    assert len(ctx.checkpoints) == 5
    for state in ctx.checkpoints:
        assert isinstance(state, Reached)
        again = local_context(tmp_path, resumed=state)
        found = sample(Oracle(oracle_schedule=FLOW), euler(), sigmas, picture(), ctx=again)
        assert torch.equal(found.samples, whole.samples)
        assert [each.done for each in again.reported] == [*range(state.step, 6)]
        assert len(again.previews) == 5 - state.step


def test_a_foreign_state_is_passed_over(tmp_path: Path) -> None:
    from nodes.samplers.euler import euler

    ctx = local_context(tmp_path, resumed=("another", 3))
    sample(Oracle(oracle_schedule=FLOW), euler(), Sigmas.of(GRIDS["flow"]), picture(), ctx=ctx)
    assert ctx.reported[0].done == 0


def test_tensors_lie_in_memory_as_they_lay(tmp_path: Path) -> None:
    x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    state = Multistep(x=x, sigmas=torch.ones(3).double(), previous=torch.randn(1, 3, 4, 5).expand(2, 3, 4, 5))
    ctx = local_context(tmp_path)
    ctx.checkpoint(lambda: Reached.of(4, state))
    [reached] = ctx.checkpoints
    assert isinstance(reached, Reached)
    found = reached.again(torch.device("cpu"))
    assert isinstance(found, Multistep)
    assert found.previous is not None
    assert state.previous is not None
    for new, old in ((found.x, x), (found.sigmas, state.sigmas), (found.previous, state.previous)):
        assert torch.equal(new, old)
        assert new.dtype == old.dtype
    assert found.x.stride() == x.stride()
    assert found.previous.is_contiguous()


def test_tensors_come_back_to_the_guiders_device(tmp_path: Path) -> None:
    there = torch.device("meta")
    reached = Reached.of(1, State(x=torch.ones(1, 1, 2, 2, device=there), sigmas=torch.ones(3).double()))
    found = reached.again(there)
    assert (found.x.device, found.sigmas.device.type) == (there, "cpu")


STEPWISE = """
import os
from dataclasses import dataclass

from nodegraph import node
from nodes.samplers.dpmpp_2m import DPMpp2M
from nodes.types import Sampler


@dataclass(frozen=True, kw_only=True)
class Stepwise(DPMpp2M):
    def step(self, state, i, denoise, noise):
        with open(os.environ["STEPS"], "a") as steps:
            print(i, file=steps)
        if i == int(os.environ.get("LAST", -1)):
            with open(os.environ["REACHED"], "w") as reached, open(os.environ["NEVER"]) as never:
                print("reached", file=reached, flush=True)
                never.read()
        return super().step(state, i, denoise, noise)


@node(category="test")
def stepwise() -> Sampler:
    "Tells of its steps, and waits for ever at one of them."
    return Stepwise()
"""


def test_a_killed_process_goes_on_with_the_same_command(tmp_path: Path) -> None:
    """The bundled model through `nodegraph run`, killed in the middle of sampling."""
    write_pack(tmp_path / "packs", "stepwise", STEPWISE)
    document = json.loads((Path(__file__).parents[3] / "workflows" / "text_to_image.json").read_text("utf-8"))
    for each in document["nodes"].values():
        if each["type"] in SAMPLERS:
            each.update(type="stepwise.stepwise", inputs={})
    (tmp_path / "flow.json").write_text(json.dumps(document), "utf-8")
    for name in ("reached", "never"):
        os.mkfifo(tmp_path / name)
    command = [sys.executable, "-m", "nodegraph", "run", str(tmp_path / "flow.json"), "--prompt", "a blue car"]
    command += ["--steps", "6", "--seed", "7", "--device", "cpu"]

    def begin(folder: str, **more: str) -> subprocess.Popen[bytes]:
        places = {name: str(tmp_path / folder / name) for name in ("output", "state", "cache")}
        environment = {
            **os.environ,
            **{f"NODEGRAPH_{name.upper()}": path for name, path in places.items()},
            "NODEGRAPH_PLUGINS": str(tmp_path / "packs"),
            "NODEGRAPH_CHECKPOINT_SECONDS": "0",
            "STEPS": str(tmp_path / f"{folder}.steps"),
            "REACHED": str(tmp_path / "reached"),
            "NEVER": str(tmp_path / "never"),
            **more,
        }
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def finish(folder: str) -> tuple[list[int], bytes]:
        _, said = (process := begin(folder)).communicate(timeout=300)
        assert process.returncode == 0, said.decode()
        [file] = (tmp_path / folder / "output").iterdir()
        return [int(line) for line in (tmp_path / f"{folder}.steps").read_text("utf-8").split()], file.read_bytes()

    steps, wanted = finish("whole")
    assert steps == [*range(6)]
    reached, never = (os.open(tmp_path / name, os.O_RDWR) for name in ("reached", "never"))
    try:
        with begin("killed", LAST="4") as process:
            assert select.select([reached], [], [], 300)[0], "it never came to step 4"
            process.kill()
    finally:
        os.close(reached)
        os.close(never)
    assert len(list((tmp_path / "killed" / "state" / "checkpoints").iterdir())) == 1
    assert not (tmp_path / "killed" / "output").exists()
    steps, found = finish("killed")
    assert steps == [*range(5), 4, 5]
    assert found == wanted
    assert not list((tmp_path / "killed" / "state" / "checkpoints").iterdir())
