"""LoRA, ControlNet and FreeU on one model: for each pair whether the order matters, and why.

LoRA changes weights or works beside layers, ControlNet adds where encoder and middle end, FreeU filters what goes into
the decoder. No two of them share a place, so each pair gives the same bits in either order. Within a kind: changes of
weights are summed first, so two LoRAs give the same bits; ControlNets are sums of three terms, equal but for rounding;
FreeU after FreeU multiplies, equal but for rounding in version 1, while in version 2 the second looks at what the first
has made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, permutations
from typing import Literal

import pytest
import torch
from torch import Tensor

from nodes.adapters.apply_controlnet import apply_controlnet
from nodes.adapters.freeu import Version, freeu
from nodes.adapters.lora import LoraPatch, LowRank, Mode
from nodes.types import Denoiser

from ..tiny_controlnet import encoding, hint, latent, tiny_controlnet, tiny_denoiser

Step = Callable[[Denoiser], Denoiser]


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def lora(seed: int, mode: Mode = "merge") -> Step:
    """A LoRA on every matrix of the encoder's and the decoder's attention to the text."""
    generator = torch.Generator().manual_seed(seed)

    def applied(denoiser: Denoiser) -> Denoiser:
        layers = {
            name: LowRank(
                down=torch.randn(2, weight.shape[1], generator=generator.manual_seed(seed)),
                up=torch.randn(weight.shape[0], 2, generator=generator),
                mid=None,
                scale=0.02,
            )
            for name, weight in denoiser.network.state_dict().items()
            if ".attn2.to_" in name and name.endswith(("to_q.weight", "to_k.weight"))
        }
        return denoiser.patch(LoraPatch(layers=layers, mode=mode))

    return applied


def control(seed: int, strength: float = 1.0) -> Step:
    handle, picture = tiny_controlnet(seed=seed), hint(seed=seed)
    return lambda denoiser: apply_controlnet(denoiser, handle, picture, strength)


def stronger(version: Version, b: float = 1.3, s: float = 0.5) -> Step:
    return lambda denoiser: freeu(denoiser, b, b, s, s, version)


def result(*steps: Step) -> Tensor:
    denoiser = tiny_denoiser()
    for step in steps:
        denoiser = step(denoiser)
    return denoiser.denoise(latent() * 3.0, torch.tensor(2.0, dtype=torch.float64), encoding())


KINDS: dict[str, Step] = {
    "LoRA": lora(1),
    "LoRA beside": lora(2, "runtime"),
    "ControlNet": control(3),
    "FreeU": stronger("v2"),
}

PAIRS: list[tuple[str, Step, Step, Literal["same bits", "rounding", "no"]]] = [
    *[(f"{one}, {other}", KINDS[one], KINDS[other], "same bits") for one, other in combinations(KINDS, 2)],  # type: ignore[list-item]
    ("two LoRAs", lora(1), lora(5), "same bits"),
    ("two LoRAs beside", lora(1, "runtime"), lora(5, "runtime"), "rounding"),
    ("two ControlNets", control(3), control(6, 0.5), "rounding"),
    ("FreeU 1 twice", stronger("v1", 1.3), stronger("v1", 0.8), "rounding"),
    ("FreeU 1 and 2", stronger("v1", 1.5), stronger("v2", 1.9), "no"),
]


@pytest.mark.parametrize("pair", PAIRS, ids=[name for name, *_ in PAIRS])
def test_whether_the_order_matters(pair: tuple[str, Step, Step, str]) -> None:
    _, one, other, expected = pair
    there, back, plain = result(one, other), result(other, one), result()
    difference = float((there - back).abs().max())
    assert (there - result(one)).abs().max() > 1e-3  # both have their say
    assert (there - result(other)).abs().max() > 1e-3
    if expected == "same bits":
        assert difference == 0.0
    elif expected == "rounding":
        assert difference <= 1e-5 * float(plain.abs().max())
    else:
        assert difference > 1e-3


def test_all_of_them_in_any_order() -> None:
    several = [result(*each) for each in permutations(KINDS.values())]
    assert len(several) == 24
    assert all(torch.equal(each, several[0]) for each in several)


def test_freeu_filters_what_a_controlnet_added() -> None:
    """Its gains meet the sum of skip and residual: with all low frequencies damped both are."""
    alone, both = result(stronger("v1", 1.0, 0.2)), result(control(3), stronger("v1", 1.0, 0.2))
    assert (both - alone).abs().max() > 1e-3
    assert not torch.allclose(both - alone, result(control(3)) - result(), atol=1e-4)
