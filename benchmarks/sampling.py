"""How long a picture takes with a network of Stable Diffusion 1.5's size, here and in diffusers.

The weights are random, the batch is 1 with guidance (two passes in one call). Both programs compute in one process
with the same number of threads, by turns, each in its best variant: diffusers with channels_last weights and inputs
and torch's fused attention. A line gives seconds here, there and their ratio; ratios up to 1 mean no slower. The best
of several turns counts, as wall time and as CPU time, which other programs on the machine disturb less.

The last part runs `nodegraph run` in processes of their own on a file of true size (written first, 4.3 GB): how long
loading and the first step take beyond a later step, torch being imported and the file's digest known, and the largest
resident set.

`--bundled` measures the bundled model instead.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as the command line does

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

START_LIMIT, MEMORY_LIMIT = 1.0, 4.5e9

CHILD = """
import resource, sys, time
from pathlib import Path
from nodegraph import Settings, Workflow
from nodegraph.execution.events import NodeFinished, NodeProgress, NodeStarted
from nodegraph.execution.run import Runner
import nodes.checkpoints.families.stable_diffusion_parts, nodes.image.save, nodes.samplers.sample  # part of the start

flow, models, cache, file, precision, side, output = sys.argv[1:]
moments, spans = [], {}

def listen(event):
    now = time.perf_counter()
    if isinstance(event, NodeStarted) and event.node == "sample":
        moments.append(now)
    elif isinstance(event, NodeProgress) and event.node == "sample" and event.progress.done >= 1:
        moments.append(now)
    elif isinstance(event, NodeFinished):
        spans[event.node] = event.seconds

settings = Settings(
    models=Path(models), cache=Path(cache), state=Path(cache), output=Path(output), precision=precision, device="cpu"
)
values = {"checkpoint": file, "steps": 3, "width": int(side), "height": int(side)}
with Runner(settings) as runner:
    runner.run(Workflow.load(flow), values, on_event=listen, use_cache=False)
steps = [b - a for a, b in zip(moments, moments[1:])][:3]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print("MEASURED", spans["model"], steps[0], min(steps[1:]), peak)
"""


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def by_turns(name: str, ours: Callable[[], object], theirs: Callable[[], object], turns: int) -> None:
    """Print the best times of both, after one call each to warm up."""
    ours(), theirs()
    pairs = [(timed(ours), timed(theirs)) for _ in range(turns)]
    for index, kind in enumerate(("wall", "CPU")):
        here, there = min(pair[0][index] for pair in pairs), min(pair[1][index] for pair in pairs)
        print(f"{name:<24} {kind:<4}  {here:7.3f} s  diffusers {there:7.3f} s  ratio {here / there:.2f}", flush=True)


def networks(sides: Sequence[int], dtype_name: str, turns: int) -> None:
    """Steps, decoding and encoding in one dtype."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    from nodes.models.clip_text import ClipText
    from nodes.models.configs import CLIP_L, SD1, LdmAutoencoderConfig
    from nodes.models.ldm_autoencoder import LdmAutoencoder
    from nodes.models.unet import UNet

    dtype: torch.dtype = getattr(torch, dtype_name)
    form = torch.channels_last

    def ready(network: Any) -> Any:
        return network.to(dtype).requires_grad_(False).eval()

    torch.manual_seed(0)
    short = {"float32": "fp32", "bfloat16": "bf16"}[dtype_name]
    with torch.no_grad():
        ids = torch.full((2, 77), 49407)
        ids[:, 0] = 49406
        width = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
        text, other_text = ready(ClipText(CLIP_L)), ready(CLIPTextModel(CLIPTextConfig(vocab_size=49408, **width)))
        by_turns(f"{short} encode", lambda: text(ids), lambda: other_text(ids), turns)
        del text, other_text
        unet = ready(UNet(SD1))
        other = ready(UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)).to(memory_format=form)
        context, now = torch.randn(2, 77, 768).to(dtype), torch.full((2,), 500.0)
        for side in sides:
            x = torch.randn(2, 4, side // 8, side // 8).to(dtype)
            same = x.contiguous(memory_format=form)
            by_turns(
                f"{short} step {side} x {side}",
                lambda x=x: unet(x, now, context),
                lambda x=same: other(x, now[0], context),
                turns,
            )
        del unet, other
        gc.collect()
        vae = ready(LdmAutoencoder(LdmAutoencoderConfig())).to(memory_format=form)
        kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
        other = ready(
            AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, **kinds)
        ).to(memory_format=form)
        for side in sides:
            z = torch.randn(1, 4, side // 8, side // 8).to(dtype).contiguous(memory_format=form)
            image = torch.rand(1, 3, side, side).to(dtype).contiguous(memory_format=form)
            by_turns(
                f"{short} decode {side} x {side}",
                lambda z=z: vae.decode(z),
                lambda z=z: other.decode(z).sample,
                max(1, turns - 1),
            )
            by_turns(
                f"{short} encode {side} x {side}",
                lambda image=image: vae.encode(image),
                lambda image=image: other.encode(image).latent_dist.mean,
                max(1, turns - 1),
            )


def whole_runs(side: int, runs: int) -> None:
    """Runs of the command's machinery on files of true size; the first of each remembers the file's digest."""
    from random_checkpoints import LAYOUTS, write  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stored, precision in (("float32", "bfloat16"), ("bfloat16", "bfloat16")):
            file = write(folder / "models" / "checkpoint" / f"{stored}.safetensors", LAYOUTS["sd15"], stored)
            time.sleep(2.1)  # a file that has just been written has no digest to remember
            flow = ROOT / "workflows" / "stable_diffusion.json"
            values = [flow, folder / "models", folder / "cache", file.name, precision, side, folder / "output"]
            found = []
            for _ in range(runs + 1):
                command = [sys.executable, "-c", CHILD, *map(str, values)]
                done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
                found.append([float(each) for each in done.stdout.split("MEASURED")[1].split()])
            load, first, warm, _ = min(found[1:], key=lambda each: each[0] + each[1] - each[2])
            peak = max(each[3] for each in found)
            extra = load + first - warm
            print(
                f"{stored} file in {precision}, {side} x {side}: load {load:.2f} s, first step {first:.2f} s, later "
                f"{warm:.2f} s; load + first - later {extra:.2f} s, limit {START_LIMIT} s, ratio "
                f"{extra / START_LIMIT:.2f}; peak {peak / 1e9:.2f} GB, limit {MEMORY_LIMIT / 1e9} GB, ratio "
                f"{peak / MEMORY_LIMIT:.2f}",
                flush=True,
            )
            file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], help="sides of the pictures")
    parser.add_argument("--dtypes", nargs="+", choices=["bfloat16", "float32"], default=["bfloat16", "float32"])
    parser.add_argument("--turns", type=int, default=3, help="calls of each that count (default: 3)")
    parser.add_argument("--threads", type=int, default=None, help="of both programs; default: torch's")
    parser.add_argument("--parts", nargs="+", choices=["networks", "runs"], default=["networks", "runs"])
    parser.add_argument("--quick", action="store_true", help="256 x 256 and two turns only")
    parser.add_argument("--bundled", action="store_true", help="the bundled model instead; see bundled_sampling.py")
    given = parser.parse_args()
    if given.bundled:
        subprocess.run([sys.executable, str(Path(__file__).with_name("bundled_sampling.py"))], check=True)
        return
    sizes, turns = ([256], 2) if given.quick else (given.sizes, given.turns)
    if "networks" in given.parts:
        import torch

        if given.threads:
            torch.set_num_threads(given.threads)
        load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads{load}")
        for dtype in given.dtypes:
            networks(sizes, dtype, turns)
    if "runs" in given.parts:
        whole_runs(min(sizes), 1 if given.quick else 2)


if __name__ == "__main__":
    main()
