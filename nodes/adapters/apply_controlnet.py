"""The nodes that load ControlNets, begin new ones, and apply them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from nodegraph import Context, PathOf, Seed, Slider, node

from ..checkpoints.families.stable_diffusion import version
from ..checkpoints.families.stable_diffusion_parts import read_files
from ..checkpoints.family import Device
from ..checkpoints.weights import build
from ..image.pixels import to_rgb
from ..models import controlnet as networks
from ..models.unet_shapes import controlnet_shapes
from ..types import Denoiser, Image
from . import controlnet_specs as specs
from .controlnet import ControlNet, ControlPatch
from .controlnet_files import read_controlnet_file
from .controlnet_specs import Fit, Weighting, check_fit, check_part, check_source

Part = Annotated[float, Field(ge=0, le=1), Slider(step=0.01)]


@node(category="adapters", output="controlnet", spec=specs.load_controlnet)
def load_controlnet(controlnet: Annotated[Path, PathOf("controlnet")], ctx: Context | None = None) -> ControlNet:
    """Load a ControlNet

    For Stable Diffusion 1, 2 and XL, in the original layout (also inside the whole checkpoint that it was trained in)
    or in that of diffusers; version and layout are recognised by the tensors. Zhang et al. 2023.

    controlnet: a safetensors file in the controlnet folder, or a folder of diffusers.
    """
    file = read_controlnet_file(controlnet)
    if ctx is not None:
        ctx.log(f"{controlnet.name}: {file.layout} layout, for {version(file.config)}")
    place = Device(ctx.device if ctx else "cpu", ctx.precision if ctx else "float32")
    weights = read_files(file.headers, place, file.sources)
    network = build(controlnet, lambda: networks.ControlNet(file.config), weights, "")
    return ControlNet(network=network, bgr=file.bgr, pooled=file.pooled)


@node(category="adapters", output="controlnet", spec=specs.controlnet_from_denoiser)
def controlnet_from_denoiser(denoiser: Denoiser, seed: Seed = 0) -> ControlNet:
    """Begin a new ControlNet as a copy of a model's encoder

    Its outputs are zero, so that it changes nothing until it is trained. Patches of the model are left out. Zhang et
    al. 2023, section 3.1.

    denoiser: a model with a UNet of Stable Diffusion.
    seed: of the random weights in the convolutions that read the hint.
    """
    config = check_source(getattr(denoiser.network, "config", None))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = networks.hint_block(config).state_dict(prefix="input_hint_block.")
    encoder = denoiser.network.state_dict()
    weights = {}
    for name, shape in controlnet_shapes(config).items():
        found = encoder.get(name, fresh.get(name))
        value = torch.zeros(shape) if found is None else found.clone()
        weights[name] = value.to(denoiser.device, denoiser.dtype)
    return ControlNet(network=build(Path("a new ControlNet"), lambda: networks.ControlNet(config), weights, ""))


@node(category="adapters", spec=specs.apply_controlnet)
def apply_controlnet(
    denoiser: Denoiser,
    controlnet: ControlNet,
    hint: Image,
    strength: Annotated[float, Field(ge=0, le=10), Slider(step=0.05)] = 1.0,
    start: Part = 0.0,
    end: Part = 1.0,
    fit: Fit = "crop",
    weighting: Weighting = "even",
) -> Denoiser:
    """Let a picture say where things are

    Adds what the ControlNet makes of the hint to the skips and the middle of the UNet, for the positive and the
    negative prompt alike. Several are applied one after the other, in any order: their outputs are added up. Zhang et
    al. 2023, eq. 2.

    denoiser: a model with a UNet of Stable Diffusion, of the version that the ControlNet is for.
    controlnet: from load_controlnet or controlnet_from_denoiser.
    hint: edges, depth, pose or whatever the ControlNet was trained with; one for all pictures, or one for each.
    strength: 0 leaves the model as it is, 1 is as trained.
    start: from which fraction of the training times, counted from pure noise, it takes part; of the model's noise
        schedule as it is here, so change that before.
    end: until which fraction; outside of these it costs nothing.
    fit: what is done with hints of another size than the picture: crop scales them and cuts off what is too much,
        stretch changes their proportions, exact refuses them.
    weighting: soft lets finer outputs count less, 0.825 times as much as the next, so that the prompt has more say.
    """
    check_fit(getattr(denoiser.network, "config", None), controlnet.network.config)
    check_part(start, end)
    if strength == 0.0:
        return denoiser
    return denoiser.patch(
        ControlPatch(
            control=controlnet,
            hint=to_rgb(hint.pixels),
            strength=strength,
            highest=denoiser.schedule.at_progress(start),
            lowest=denoiser.schedule.at_progress(end),
            fit=fit,
            weighting=weighting,
        )
    )
