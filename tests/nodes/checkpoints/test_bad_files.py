"""Files of the wrong kind and damaged files, at every node that loads a model of Stable Diffusion: each is named."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from nodegraph import InvalidInput
from nodegraph.spec import SpecContext
from nodegraph.testing import local_context
from nodes.adapters import specs as adapter_specs
from nodes.adapters.apply_lora import load_lora
from nodes.checkpoints import autoencoder_specs, errors, single, specs
from nodes.checkpoints.autoencoder import load_autoencoder
from nodes.checkpoints.errors import CheckpointError
from nodes.checkpoints.load import load_checkpoint
from nodes.checkpoints.load_parts import load_denoiser, load_text_encoder
from nodes.checkpoints.save import save_checkpoint

from ..tiny_sd import original_tensors, write_sd

UNET, VAE, CLIP = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."


def below(prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): v for n, v in original_tensors("1").items() if n.startswith(prefix)}


def some(*names: str) -> dict[str, Tensor]:
    return {name: torch.zeros(4, 4) for name in names}


KINDS: dict[str, Callable[[], dict[str, Tensor]]] = {
    "a LoRA (kohya layout)": lambda: some("lora_unet_mid_block_attentions_0_proj_in.lora_up.weight"),
    "a LoRA (PEFT layout)": lambda: some("base_model.model.mid_block.to_q.lora_A.weight"),
    "a LyCORIS adapter (LoHa)": lambda: some("lora_unet_x.hada_w1_a", "lora_unet_x.hada_w2_b"),
    "an autoencoder (original layout)": lambda: below(VAE),
    "a CLIP text encoder (transformers layout)": lambda: below(CLIP),
    "a ControlNet (original layout)": lambda: some("control_model.zero_convs.0.0.weight"),
    "a ControlNet (diffusers layout)": lambda: some("controlnet_cond_embedding.conv_in.weight", "conv_in.weight"),
    "an IP-Adapter": lambda: some("ip_adapter.1.to_k_ip.weight"),
    "an embedding (textual inversion) for Stable Diffusion 1": lambda: {"emb_params": torch.zeros(2, 768)},
    "an upscaler (ESRGAN)": lambda: some("model.1.sub.0.RDB1.conv1.0.weight"),
    "a tiny autoencoder (TAESD)": lambda: some("encoder.layers.0.weight"),
    "the denoiser of Flux alone (original layout)": lambda: some("double_blocks.0.img_attn.qkv.weight"),
    "a whole checkpoint of Stable Diffusion 3": lambda: some(
        f"{UNET}joint_blocks.0.x_block.attn.qkv.weight", f"{VAE}encoder.conv_in.weight"
    ),
    "a file of no known kind": lambda: some("foo", "bar"),
}

LOADERS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any], str]] = {
    "load_checkpoint": (load_checkpoint, lambda p: specs.load_checkpoint(p, SpecContext()), "-"),
    "load_denoiser": (load_denoiser, lambda p: single.load_denoiser(p, "eps", SpecContext()), "-"),
    "load_text_encoder": (
        lambda p: load_text_encoder([p]),
        lambda p: single.load_text_encoder([p], "sd1", SpecContext()),
        "a CLIP",
    ),
    "load_autoencoder": (
        load_autoencoder,
        lambda p: autoencoder_specs.load_autoencoder(p, "sd", SpecContext()),
        "an autoencoder",
    ),
    "load_lora": (load_lora, adapter_specs.load_lora, "a LoRA"),
}
"""Of each node: itself, its spec, and how what it takes is called."""


@pytest.mark.parametrize(
    ("loader", "kind"),
    [(name, kind) for name, (_, _, own) in LOADERS.items() for kind in KINDS if not kind.startswith(own)],
)
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path: Path, kind: str, loader: str) -> None:
    load, spec, _ = LOADERS[loader]
    save_file(KINDS[kind](), tmp_path / "model.safetensors")
    for each in (load, spec):
        with pytest.raises((CheckpointError, InvalidInput)) as caught:
            each(tmp_path / "model.safetensors")
        assert f"it is {kind}" in str(caught.value)
        assert "model.safetensors" in str(caught.value)


@pytest.mark.parametrize("loader", [name for name in LOADERS if name not in ("load_checkpoint", "load_denoiser")])
def test_a_whole_checkpoint_is_called_so(tmp_path: Path, loader: str) -> None:
    load, spec, _ = LOADERS[loader]
    path = write_sd(tmp_path / "model.safetensors", "1")
    for each in (load, spec):
        with pytest.raises((CheckpointError, InvalidInput), match="a whole checkpoint of"):
            each(path)


# damage in each part of a file


PARTS = {
    "denoiser": f"{UNET}middle_block.0.in_layers.2.weight",
    "autoencoder": f"{VAE}decoder.conv_out.weight",
    "text encoder": f"{CLIP}text_model.encoder.layers.1.mlp.fc1.weight",
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_bad_weight_is_named(tmp_path: Path, part: str, value: float) -> None:
    tensors = original_tensors("1")
    tensors[PARTS[part]].view(-1)[7] = value
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(errors.DamagedWeights, match=PARTS[part].replace(".", r"\.")):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_and_an_unknown_tensor_are_named(tmp_path: Path, part: str) -> None:
    name = PARTS[part]
    tensors = original_tensors("1")
    value = tensors.pop(name)
    save_file(tensors, tmp_path / "a.safetensors")
    word = name.replace(".", r"\.")
    for load in (load_checkpoint, lambda p: specs.load_checkpoint(p, SpecContext())):
        save_file(tensors, tmp_path / "a.safetensors")
        with pytest.raises(errors.MissingTensors, match=f"lacks {word}"):
            load(tmp_path / "a.safetensors")
        save_file({**tensors, name: value, f"{name}.more": torch.zeros(1)}, tmp_path / "a.safetensors")
        with pytest.raises(errors.UnknownTensors, match=rf"holds {word}\.more"):
            load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 100, 0.3, 0.99])
def test_a_file_that_ends_early_is_told(tmp_path: Path, kept: float) -> None:
    path = write_sd(tmp_path / "a.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept > 1 or kept == 0 else kept * len(content))])
    for load in (load_checkpoint, lambda p: specs.load_checkpoint(p, SpecContext())):
        with pytest.raises((errors.TruncatedCheckpoint, errors.EmptyCheckpoint)):
            load(path)


# damage in each part of a folder

FILES = {
    "unet": "unet/diffusion_pytorch_model.safetensors",
    "vae": "vae/diffusion_pytorch_model.safetensors",
    "text_encoder": "text_encoder/model.safetensors",
}


def change(path: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = {name: value.clone() for name, value in load_file(path).items()}
    edit(tensors)
    save_file(tensors, path)


def largest(tensors: dict[str, Tensor]) -> str:
    return max((name for name in tensors if tensors[name].ndim > 1), key=lambda name: (tensors[name].numel(), name))


DAMAGE: dict[str, tuple[Callable[[Path], object], type[CheckpointError], str]] = {
    "cut off": (lambda p: p.write_bytes(p.read_bytes()[:-4]), errors.TruncatedCheckpoint, "4 of"),
    "empty": (lambda p: p.write_bytes(b""), errors.EmptyCheckpoint, "empty"),
    "a pickle": (lambda p: p.write_bytes(pickle.dumps({}, protocol=2)), errors.PickleRefused, "pickle"),
    "a pointer": (
        lambda p: p.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        errors.LfsPointer,
        "git lfs pull",
    ),
    "no file": (lambda p: p.unlink(), errors.MissingTensors, "holds no file of weights"),
    "not a number": (
        lambda p: change(p, lambda t: t[largest(t)].fill_(float("nan"))),
        errors.DamagedWeights,
        "hold NaN",
    ),
    "a tensor more": (lambda p: change(p, lambda t: t.update(more=torch.zeros(1))), CheckpointError, "more"),
    "a tensor less": (lambda p: change(p, lambda t: t.pop(largest(t))), CheckpointError, "lacks|no usable"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("folder")
    model = load_checkpoint(write_sd(where / "a.safetensors", "1"))
    return Path(save_checkpoint(*model, ctx=local_context(where), layout="diffusers"))


@pytest.mark.parametrize("part", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_to_a_part_of_a_folder_is_told(tmp_path: Path, folder: Path, damage: str, part: str) -> None:
    edit, kind, message = DAMAGE[damage]
    shutil.copytree(folder, tmp_path / "model")
    edit(tmp_path / "model" / FILES[part])
    with pytest.raises(kind, match=message):
        load_checkpoint(tmp_path / "model")
