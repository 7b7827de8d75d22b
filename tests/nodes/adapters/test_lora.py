"""What LoRA keeps whatever the file: identities, sums, parts, precision, sharing; and files that are refused."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from nodegraph import InvalidInput, NodegraphError
from nodes.adapters.apply_lora import apply_lora, apply_lora_text, load_lora
from nodes.adapters.lora import Lora, Mode
from nodes.models.unet import UNet
from nodes.types import Denoiser

from .. import tiny_lora as tiny
from ..ldm_autoencoders import ldm_state
from ..tiny_clip import tiny_clip
from ..tiny_controlnet import encoding, latent, tensors, tiny_denoiser
from ..tiny_sd import original_tensors

MODES: list[Mode] = list(get_args(Mode))


@pytest.fixture
def denoiser() -> Denoiser:
    return tiny_denoiser()


def unet_of(denoiser: Denoiser) -> UNet:
    assert isinstance(denoiser.network, UNet)
    return denoiser.network


def lora_of(folder: Path, denoiser: Denoiser, seed: int = 0, **options: Any) -> Lora:
    made = tiny.factors(unet_of(denoiser), tiny.everything, seed, **options)
    return load_lora(tiny.write(folder / f"{seed}.safetensors", tiny.kohya("lora_unet_", made)))


def denoised(denoiser: Denoiser) -> Tensor:
    with torch.no_grad():
        return denoiser.denoise(latent(), torch.tensor(2.0, dtype=torch.float64), encoding())


@pytest.mark.parametrize("mode", MODES)
def test_strength_zero_is_the_model_itself(tmp_path: Path, denoiser: Denoiser, mode: Mode) -> None:
    lora = lora_of(tmp_path, denoiser)
    assert apply_lora(denoiser, lora, 0.0, mode) is denoiser
    assert apply_lora(denoiser, lora, 1.0, mode, [0.0, 0.0, 0.0]) is denoiser


@pytest.mark.parametrize("mode", MODES)
def test_a_new_lora_changes_no_bit(tmp_path: Path, denoiser: Denoiser, mode: Mode) -> None:
    made = tiny.factors(unet_of(denoiser), tiny.everything)
    made = {name: replace(each, up=torch.zeros_like(each.up)) for name, each in made.items()}
    lora = load_lora(tiny.write(tmp_path / "new.safetensors", tiny.kohya("lora_unet_", made)))
    assert torch.equal(denoised(apply_lora(denoiser, lora, 1.0, mode)), denoised(denoiser))


def test_merged_and_beside_are_the_same(tmp_path: Path, denoiser: Denoiser) -> None:
    lora = lora_of(tmp_path, denoiser)
    merged, beside = (denoised(apply_lora(denoiser, lora, 0.8, mode)) for mode in MODES)
    assert (merged - denoised(denoiser)).abs().max() > 1e-2
    assert (merged - beside).abs().max() <= 1e-5 * float(merged.abs().max())


@pytest.mark.parametrize("mode", MODES)
def test_several_add_up_in_any_order(tmp_path: Path, denoiser: Denoiser, mode: Mode) -> None:
    one, two = (lora_of(tmp_path, denoiser, seed, rank=rank) for seed, rank in ((0, 3), (1, 5)))
    there = apply_lora(apply_lora(denoiser, one, 0.6, mode), two, -0.4, mode)
    back = apply_lora(apply_lora(denoiser, two, -0.4, mode), one, 0.6, mode)
    if mode == "merge":
        assert torch.equal(denoised(there), denoised(back))
    state = unet_of(denoiser).state_dict()
    for seed, rank, strength in ((0, 3, 0.6), (1, 5, -0.4)):
        for name, each in tiny.factors(unet_of(denoiser), tiny.everything, seed, rank).items():
            weight = state[f"{name}.weight"]
            state[f"{name}.weight"] = weight + (strength * each.delta).reshape(weight.shape).float()
    exact = UNet(unet_of(denoiser).config).eval()
    exact.load_state_dict(state)
    wanted = denoised(replace(denoiser, network=exact.requires_grad_(False)))
    for found in (there, back):
        assert (denoised(found) - wanted).abs().max() <= 1e-5 * float(wanted.abs().max())


def test_the_sum_of_two_is_not_the_average_of_their_factors(tmp_path: Path, denoiser: Denoiser) -> None:
    """cloneofsimo's `lora_add` averages up and down by themselves, which gives another change."""
    name = "middle_block.1.transformer_blocks.0.attn1.to_q"
    one, two = (tiny.factors(unet_of(denoiser), lambda each: each == name, seed) for seed in (0, 1))
    up, down = (one[name].up + two[name].up) / 2, (one[name].down + two[name].down) / 2
    average = {name: tiny.Factors(up=up, down=down, alpha=one[name].alpha)}
    written = [
        load_lora(tiny.write(tmp_path / f"{i}.safetensors", tiny.kohya("lora_unet_", each)))
        for i, each in enumerate((one, two, average))
    ]
    halves = apply_lora(apply_lora(denoiser, written[0], 0.5), written[1], 0.5)
    weight, base = halves.patched.get_parameter(f"{name}.weight"), unet_of(denoiser).get_parameter(f"{name}.weight")
    exact = (one[name].delta + two[name].delta) / 2
    assert ((weight - base) - exact).abs().max() <= 1e-6
    other = apply_lora(denoiser, written[2]).patched.get_parameter(f"{name}.weight")
    assert ((other - base) - exact).abs().max() > 1e-2


def test_many_add_up(tmp_path: Path, denoiser: Denoiser) -> None:
    changed, name = denoiser, "middle_block.1.transformer_blocks.0.attn1.to_q"
    exact = unet_of(denoiser).get_parameter(f"{name}.weight").double()
    for seed in range(12):
        made = tiny.factors(unet_of(denoiser), lambda each: each == name, seed, rank=1 + seed % 5)
        written = tiny.write(tmp_path / f"{seed}.safetensors", tiny.kohya("lora_unet_", made))
        changed = apply_lora(changed, load_lora(written), 0.1 * seed)
        exact = exact + 0.1 * seed * made[name].delta
    assert len(changed.patches) == 11  # the first has strength 0
    assert (changed.patched.get_parameter(f"{name}.weight") - exact).abs().max() <= 1e-5


@pytest.mark.parametrize("alpha", [0.0, None])
def test_an_alpha_of_zero_or_none_is_the_rank(tmp_path: Path, denoiser: Denoiser, alpha: float | None) -> None:
    name = "middle_block.1.transformer_blocks.0.attn1.to_q"
    made = tiny.factors(unet_of(denoiser), lambda each: each == name, rank=4)
    tensors = tiny.kohya("lora_unet_", {name: replace(made[name], alpha=alpha or 0.0)})
    if alpha is None:
        tensors = {key: each for key, each in tensors.items() if not key.endswith(".alpha")}
    changed = apply_lora(denoiser, load_lora(tiny.write(tmp_path / "a.safetensors", tensors)))
    weight, base = (each.get_parameter(f"{name}.weight") for each in (changed.patched, unet_of(denoiser)))
    assert ((weight - base) - replace(made[name], alpha=4.0).delta).abs().max() <= 1e-6


def test_parts_have_strengths_of_their_own(tmp_path: Path, denoiser: Denoiser) -> None:
    changed = apply_lora(denoiser, lora_of(tmp_path, denoiser), 0.5, "merge", [1.0, 0.0, -2.0])
    made = tiny.factors(unet_of(denoiser), tiny.everything)
    factor = {"middle_block": 0.0, "output_blocks": -1.0, "out": -1.0}
    for name, each in made.items():
        base, weight = (network.get_parameter(f"{name}.weight") for network in (unet_of(denoiser), changed.patched))
        scale = factor.get(name.partition(".")[0], 0.5)
        assert ((weight - base) - (scale * each.delta).reshape(base.shape)).abs().max() <= 1e-6
        assert (weight is base) == (scale == 0.0)


def test_only_what_changes_is_copied_and_the_model_stays(tmp_path: Path, denoiser: Denoiser) -> None:
    before = {name: each.clone() for name, each in unet_of(denoiser).state_dict().items()}
    made = tiny.factors(unet_of(denoiser), tiny.attention)
    lora = load_lora(tiny.write(tmp_path / "a.safetensors", tiny.kohya("lora_unet_", made)))
    changed = apply_lora(denoiser, lora)
    assert changed.network is denoiser.network
    shared = dict(unet_of(denoiser).named_parameters())
    new = {name for name, each in changed.patched.named_parameters() if each is not shared[name]}
    assert new == {f"{name}.weight" for name in made}
    assert all(torch.equal(each, before[name]) for name, each in unet_of(denoiser).state_dict().items())


def test_coarse_weights_are_rounded_once(tmp_path: Path, denoiser: Denoiser) -> None:
    network = UNet(unet_of(denoiser).config).eval().requires_grad_(False)
    network.load_state_dict(unet_of(denoiser).state_dict())
    coarse = replace(denoiser, network=network.bfloat16())
    changed = apply_lora(apply_lora(coarse, lora_of(tmp_path, denoiser), 0.01), lora_of(tmp_path, denoiser, 1), 0.01)
    one, two = (tiny.factors(unet_of(denoiser), tiny.everything, seed) for seed in (0, 1))
    for name in one:
        weight = network.get_parameter(f"{name}.weight")
        delta = (0.01 * (one[name].delta + two[name].delta)).reshape(weight.shape)
        exact = weight.double() + delta
        found = changed.patched.get_parameter(f"{name}.weight")
        assert found.dtype is torch.bfloat16
        assert ((found.double() - exact).abs() <= 2.0**-8 * exact.abs() + 1e-6).all()
    beside = apply_lora(coarse, lora_of(tmp_path, denoiser), 0.5, "runtime")
    merged = apply_lora(coarse, lora_of(tmp_path, denoiser), 0.5)
    assert torch.nn.functional.cosine_similarity(denoised(beside).flatten(), denoised(merged).flatten(), 0) > 0.999


def test_a_handle_without_the_patch_is_the_old_one(tmp_path: Path, denoiser: Denoiser) -> None:
    before = denoised(denoiser)
    changed = apply_lora(denoiser, lora_of(tmp_path, denoiser))
    assert not torch.equal(denoised(changed), before)
    assert torch.equal(denoised(replace(changed, patches=())), before)
    assert torch.equal(denoised(denoiser), before)


def test_the_log_tells_what_the_file_holds(tmp_path: Path, denoiser: Denoiser, ctx: Any) -> None:
    made = tiny.kohya("lora_unet_", tiny.factors(unet_of(denoiser), tiny.attention))
    load_lora(tiny.write(tmp_path / "style.safetensors", made), ctx)
    assert any("style.safetensors: kohya layout" in line and "unet" in line for line in ctx.logged)


def some(denoiser: Denoiser) -> dict[str, Tensor]:
    return tiny.kohya("lora_unet_", tiny.factors(unet_of(denoiser), tiny.attention))


KINDS = {
    "checkpoint": lambda: (original_tensors("1"), "a whole checkpoint of"),
    "autoencoder": lambda: (ldm_state(), "an autoencoder"),
    "controlnet": lambda: (tensors("1", "original"), "a ControlNet"),
    "embedding": lambda: ({"emb_params": torch.zeros(2, 768)}, "an embedding"),
    "loha": lambda: ({"lora_unet_x.hada_w1_a": torch.zeros(2, 2)}, "LoHa"),
    "lokr": lambda: ({"lora_unet_x.lokr_w1": torch.zeros(2, 2)}, "LoKr"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_file_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    found, words = KINDS[kind]()
    with pytest.raises(InvalidInput, match=words):
        load_lora(tiny.write(tmp_path / "a.safetensors", found))


def test_broken_files_say_what_is_broken(tmp_path: Path, denoiser: Denoiser) -> None:
    sound = some(denoiser)
    name = next(iter(sound)).removesuffix(".lora_down.weight")
    broken: dict[str, tuple[dict[str, Tensor], str]] = {
        "lonely": ({key: each for key, each in sound.items() if key != f"{name}.lora_up.weight"}, "no factor 'up'"),
        "ranks": (sound | {f"{name}.lora_up.weight": torch.zeros(32, 7)}, "do not fit"),
        "strange": (sound | {f"{name}.gate": torch.zeros(2)}, "no part of a LoRA"),
        "nan": (sound | {f"{name}.lora_up.weight": sound[f"{name}.lora_up.weight"] * torch.nan}, "NaN"),
        "twice": (sound | {f"{name.replace('lora_unet_', 'unet.')}.lora_A.weight": sound[f"{name}.lora_down.weight"]},
                  "the same factor"),
    }  # fmt: skip
    for key, (found, words) in broken.items():
        path = tiny.write(tmp_path / f"{key}.safetensors", found)
        with pytest.raises(NodegraphError, match=words):
            load_lora(path)
    short = tmp_path / "short.safetensors"
    short.write_bytes(tiny.write(tmp_path / "a.safetensors", sound).read_bytes()[:-100])
    with pytest.raises(NodegraphError, match=r"short\.safetensors"):
        load_lora(short)
    pickled = tmp_path / "pickle.pt"
    pickled.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(NodegraphError, match=r"pickle|safetensors"):
        load_lora(pickled)
    metadata = tiny.write(tmp_path / "metadata.safetensors", sound, {"lora_adapter_metadata": "{"})
    with pytest.raises(NodegraphError, match="no JSON"):
        load_lora(metadata)


def test_a_lora_for_another_model_says_for_which(tmp_path: Path, denoiser: Denoiser) -> None:
    other = tiny_denoiser("XL")
    with pytest.raises(InvalidInput, match="do not fit this model"):
        apply_lora(denoiser, lora_of(tmp_path, other))
    stem = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
    wide = {f"{stem}.lora_down.weight": torch.zeros(4, 2048), f"{stem}.lora_up.weight": torch.zeros(640, 4)}
    lora = load_lora(tiny.write(tmp_path / "wide.safetensors", wide))
    with pytest.raises(InvalidInput, match="made for Stable Diffusion XL"):
        apply_lora(denoiser, lora)


def test_a_lora_without_text_layers_leaves_the_encoder(tmp_path: Path, denoiser: Denoiser) -> None:
    encoder = tiny_clip()
    assert apply_lora_text(encoder, lora_of(tmp_path, denoiser)) is encoder
