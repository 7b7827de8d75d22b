"""Processes that `sampling.py` measures: one with this project, one with diffusers, each with its models in memory.

A process reads one JSON object per line, {"part": "step", "side": 256}, does that part once, and answers with seconds
of the clock, seconds of the processor, and the largest memory it ever had. Both read the same file.
"""

from __future__ import annotations

import json
import os
import sys
import time
from abc import abstractmethod
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as the command line does
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

GUIDANCE = 7.0
STEPS = 20
PROMPT = "a photograph of a red fox in the snow"


def peak_bytes() -> int:
    """The largest resident set that this process ever had."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


class Side:
    """What is measured of either system."""

    @abstractmethod
    def step(self, side: int) -> Any:
        """One Euler step with guidance, batch 1."""

    @abstractmethod
    def decode(self, side: int) -> Any:
        """A picture from a latent."""

    @abstractmethod
    def encode(self, side: int) -> Any:
        """A latent from a picture."""

    @abstractmethod
    def text(self, side: int) -> Any:
        """The prompt and the empty prompt read by the text encoder, one after the other."""


class Ours(Side):
    """This project's own functions, as the nodes call them."""

    def __init__(self, checkpoint: Path, dtype: str) -> None:
        from nodes.checkpoints.family import Device
        from nodes.checkpoints.load import recognise
        from nodes.guidance.classifier_free import ClassifierFreeGuidance
        from nodes.samplers.euler import Euler
        from nodes.samplers.sample import Watched
        from nodes.schedules.scheduler import scheduler_sigmas

        self.parts = recognise(checkpoint)[1].load(Device("cpu", dtype))
        denoiser = self.parts.denoiser
        positive, negative = (self.parts.text_encoder.encode([text]) for text in (PROMPT, ""))
        guider = ClassifierFreeGuidance(denoiser=denoiser, positive=positive, negative=negative, scale=GUIDANCE)
        self.denoise = Watched(guider, lambda: None)
        self.sigmas = scheduler_sigmas(denoiser, "normal", STEPS).values
        self.sampler = Euler()

    def step(self, side: int) -> Any:
        """Through guider and sampler."""
        import torch

        x = latent(side) * float(self.sigmas[0])
        with torch.no_grad():
            state = self.sampler.init(x, self.sigmas)
            return self.sampler.step(state, 0, self.denoise, lambda *_: x).x

    def decode(self, side: int) -> Any:
        """Through the handle."""
        return self.parts.autoencoder.decode(latent(side))

    def encode(self, side: int) -> Any:
        """Through the handle."""
        return self.parts.autoencoder.encode(picture(side))

    def text(self, side: int) -> Any:
        """Through the handle."""
        return [self.parts.text_encoder.encode([text]) for text in (PROMPT, "")]


class Theirs(Side):
    """The models and the scheduler of diffusers, called as its pipeline calls them, with attention as it chooses.

    channels_last: whether weights and activations have that format; both are measured and the faster is compared with.
    """

    def __init__(self, checkpoint: Path, dtype: str, channels_last: bool) -> None:
        import torch
        from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel

        from nodes.checkpoints.header import read_header
        from nodes.checkpoints.ldm_autoencoder import AutoencoderFile, diffusers_autoencoder_sources
        from nodes.checkpoints.sources import Source, take
        from nodes.checkpoints.unet_names import renamed, unet_modules
        from nodes.models.configs import SD1
        from nodes.models.unet_shapes import unet_shapes

        self.dtype: torch.dtype = getattr(torch, dtype)
        names = unet_modules(SD1)
        unet = {renamed(names, each) or each: Source(f"model.diffusion_model.{each}") for each in unet_shapes(SD1)}
        file = AutoencoderFile.of(read_header(checkpoint), "first_stage_model.")
        prefixed = {
            name: Source(f"first_stage_model.{source.name}", shape=source.shape)
            for name, source in diffusers_autoencoder_sources(file.config).items()
        }
        with torch.device("meta"):
            self.unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
            self.vae = AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                layers_per_block=2,
                latent_channels=4,
            )
        from safetensors import safe_open

        with safe_open(checkpoint, "pt") as stored:
            for network, sources in ((self.unet, unet), (self.vae, prefixed)):
                state = {
                    name: take(stored.get_tensor(each.name), each).to(self.dtype) for name, each in sources.items()
                }
                network.load_state_dict(state, assign=True)
                network.requires_grad_(False).eval()
                if channels_last:
                    network.to(memory_format=torch.channels_last)
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.scheduler = EulerDiscreteScheduler(
            num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
        )
        self.context = torch.randn(2, 77, 768, generator=torch.Generator().manual_seed(0)).to(self.dtype)

    def _placed(self, x: Any) -> Any:
        return x.to(self.dtype).contiguous(memory_format=self.format)

    def step(self, side: int) -> Any:
        """Both branches in one call."""
        import torch

        with torch.no_grad():
            self.scheduler.set_timesteps(STEPS)
            time_now = self.scheduler.timesteps[0]
            x = self._placed(latent(side) * self.scheduler.init_noise_sigma)
            both = self.scheduler.scale_model_input(torch.cat([x, x]), time_now)
            noise = self.unet(both, time_now, encoder_hidden_states=self.context, return_dict=False)[0]
            without, given = noise.chunk(2)
            return self.scheduler.step(without + GUIDANCE * (given - without), time_now, x, return_dict=False)[0]

    def decode(self, side: int) -> Any:
        """As its pipeline does."""
        import torch

        with torch.no_grad():
            image = self.vae.decode(self._placed(latent(side) / 0.18215), return_dict=False)[0]
            return (image / 2 + 0.5).clamp(0, 1).float()

    def encode(self, side: int) -> Any:
        """The mean of the distribution."""
        import torch

        with torch.no_grad():
            return self.vae.encode(self._placed(2 * picture(side) - 1)).latent_dist.mean.float() * 0.18215

    def text(self, side: int) -> Any:
        """Not measured: the text encoder is that of another library."""
        raise NotImplementedError


def latent(side: int) -> Any:
    """Unit noise for a picture of `side` pixels."""
    import torch

    return torch.randn(1, 4, side // 8, side // 8, generator=torch.Generator().manual_seed(1))


def picture(side: int) -> Any:
    """Numbers in [0, 1]."""
    import torch

    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(2))


def cold(checkpoint: Path, dtype: str, side: int, cache: Path) -> dict[str, float]:
    """A fresh process loads and takes one step, then another step with the model in memory; digests are known.

    Times are those of whole runs, less the nodes that read the prompts.
    """
    from nodegraph import Settings, Workflow
    from nodegraph.execution.events import Event, NodeFinished
    from nodegraph.execution.run import Runner

    flow = Workflow.load(ROOT / "workflows" / "stable_diffusion.json")
    folders = {"checkpoint": [checkpoint.parent]}
    spent: dict[str, float] = {}

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished):
            spent[event.node] = event.seconds

    found: dict[str, float] = {}

    with Runner(Settings(cache=cache, state=cache, folders=folders, precision=dtype, disk_cache_bytes=0)) as runner:
        for name, seed in (("first", 1), ("warm", 2)):
            values = {"checkpoint": checkpoint.name, "width": side, "height": side, "steps": 1, "seed": seed}
            spent.clear()
            begin = time.perf_counter()
            runner.run(flow, values, targets=["sample"], on_event=listen)
            texts = spent.get("prompt", 0.0) + spent.get("negative", 0.0)
            found[name] = time.perf_counter() - begin - texts
            found[f"{name} load"], found[f"{name} sample"] = spent.get("model", 0.0), spent["sample"]
    return {**found, "peak": float(peak_bytes())}


def serve(system: Side) -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        getattr(system, asked["part"])(asked["side"])
        seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak_bytes()}), flush=True)


def main() -> None:
    kind, checkpoint, dtype, threads, *rest = sys.argv[1:]
    import torch

    torch.set_num_threads(int(threads))
    if kind == "cold":
        print(json.dumps(cold(Path(checkpoint), dtype, int(rest[0]), Path(rest[1]))), flush=True)
    elif kind == "ours":
        serve(Ours(Path(checkpoint), dtype))
    else:
        serve(Theirs(Path(checkpoint), dtype, channels_last=kind == "theirs channels_last"))


if __name__ == "__main__":
    main()
