"""The CLIP text encoder against the transformers library, its counts, and OpenCLIP's layout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from nodes.checkpoints.open_clip import from_open_clip, open_clip_sources, to_open_clip
from nodes.checkpoints.sources import taken_shape
from nodes.models import on_cpu
from nodes.models.clip_text import ClipText
from nodes.models.configs import CLIP_END, CLIP_L, CLIP_START, OPEN_CLIP_BIGG, OPEN_CLIP_H, ClipTextConfig
from nodes.models.costs import clip_text_parameters, clip_text_pass

from ..tiny_clip import TINY_G, TINY_L, tiny_network

IDS = torch.tensor([[CLIP_START, 320, 1125, 49000, CLIP_END, *[CLIP_END] * 6], [CLIP_START, 5, CLIP_END, *[0] * 8]])


def reference(config: ClipTextConfig) -> Any:
    """The same network of the transformers library with the weights of `tiny_network`."""
    theirs = CLIPTextConfig(
        vocab_size=config.vocabulary,
        hidden_size=config.width,
        intermediate_size=config.mlp_width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.heads,
        max_position_embeddings=config.length,
        hidden_act=config.activation,
        projection_dim=config.projection or 8,
        bos_token_id=CLIP_START,
        eos_token_id=CLIP_END,
    )
    model: Any = (CLIPTextModel if config.projection is None else CLIPTextModelWithProjection)(theirs).eval()
    state = tiny_network(config).state_dict()
    if not any(name.startswith("text_model.") for name in model.state_dict()):
        state = {name.removeprefix("text_model."): value for name, value in state.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert (unexpected, [name for name in missing if "position_ids" not in name]) == ([], [])
    return model


@pytest.mark.parametrize("config", [TINY_L, TINY_G], ids=["openai", "openclip"])
@pytest.mark.parametrize("layer", [1, 2])
def test_hidden_states_and_pooled_are_those_of_transformers(config: ClipTextConfig, layer: int) -> None:
    network, model = tiny_network(config), reference(config)
    with torch.no_grad():
        theirs = model(IDS, output_hidden_states=True)
        ours = network(IDS, layer=layer, final_norm=False)
        normed = network(IDS, layer=layer)
    # the transformers library gives the last hidden state before or after the norm, as its versions go
    if layer == 1:
        torch.testing.assert_close(normed.hidden, theirs.last_hidden_state, atol=1e-5, rtol=1e-5)
    else:
        torch.testing.assert_close(ours.hidden, theirs.hidden_states[-layer], atol=1e-5, rtol=1e-5)
    norm = network.text_model.final_layer_norm
    torch.testing.assert_close(norm(ours.hidden), normed.hidden, atol=1e-6, rtol=1e-6)
    pooled = theirs.pooler_output if config.projection is None else theirs.text_embeds
    torch.testing.assert_close(ours.pooled, pooled, atol=1e-5, rtol=1e-5)


def test_without_a_pooled_vector_the_hidden_states_are_the_same() -> None:
    network = tiny_network(TINY_G)
    for layer in (1, 2, 3):
        ours = network(IDS, layer=layer, pool=False)
        assert ours.pooled is None
        assert torch.equal(ours.hidden, network(IDS, layer=layer).hidden)


@pytest.mark.parametrize("layer", [0, 4])
def test_layers_that_are_not_there_are_refused(layer: int) -> None:
    with pytest.raises(ValueError, match="has 3"):
        tiny_network(TINY_G)(IDS, layer=layer)


def test_vectors_in_place_of_ids() -> None:
    network = tiny_network()
    assert torch.equal(network(IDS, network.embed(IDS)).hidden, network(IDS).hidden)
    with pytest.raises(ValueError, match="78 tokens"):
        network(torch.zeros(1, 78, dtype=torch.int64))


def test_no_token_sees_those_after_it() -> None:
    network = tiny_network()
    changed = IDS.clone()
    changed[:, 6:] = 77
    assert torch.equal(network(IDS).hidden[:, :6], network(changed).hidden[:, :6])
    assert not torch.equal(network(IDS).hidden[:, 6:], network(changed).hidden[:, 6:])


@pytest.mark.parametrize(
    ("config", "count"),
    [(CLIP_L, 123_060_480), (OPEN_CLIP_H, 354_032_640), (OPEN_CLIP_BIGG, 694_659_840)],
    ids=["L", "H", "bigG"],
)
def test_parameters(config: ClipTextConfig, count: int) -> None:
    with torch.device("meta"):
        network = ClipText(config).eval()
        hidden = network(torch.zeros(2, 77, dtype=torch.int64)).hidden
    found = sum(each.numel() for each in network.parameters())
    assert found == clip_text_parameters(config) == count
    assert hidden.shape == (2, 77, config.width)


def test_the_work_of_a_pass_is_what_torch_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cpu, "_here", lambda *_: False)  # the counter does not know oneDNN's products
    network = tiny_network(TINY_G)
    ids = torch.full((3, 77), CLIP_END)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(ids)
    assert clip_text_pass(TINY_G, 3).work == pytest.approx(counter.get_total_flops(), rel=0.1)


def open_clip_state(depth: int, width: int, projection: int | None) -> dict[str, Tensor]:
    """As OpenCLIP's text tower names its weights."""
    made = torch.Generator().manual_seed(0)

    def new(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=made)

    state = {"positional_embedding": new(77, width), "token_embedding.weight": new(50, width)}
    state |= {"ln_final.weight": new(width), "ln_final.bias": new(width)}
    if projection is not None:
        state["text_projection"] = new(width, projection)
    for layer in range(depth):
        at = f"transformer.resblocks.{layer}."
        state |= {at + "attn.in_proj_weight": new(3 * width, width), at + "attn.in_proj_bias": new(3 * width)}
        state |= {at + "attn.out_proj.weight": new(width, width), at + "attn.out_proj.bias": new(width)}
        state |= {at + f"ln_{n}.{kind}": new(width) for n in (1, 2) for kind in ("weight", "bias")}
        state |= {at + "mlp.c_fc.weight": new(4 * width, width), at + "mlp.c_fc.bias": new(4 * width)}
        state |= {at + "mlp.c_proj.weight": new(width, 4 * width), at + "mlp.c_proj.bias": new(width)}
    return state


@pytest.mark.parametrize("projection", [None, 6])
def test_open_clip_weights_map_onto_the_network_and_back(projection: int | None) -> None:
    state = open_clip_state(2, 8, projection)
    sources = open_clip_sources(2, projection is not None)
    assert {source.name for source in sources.values()} == state.keys()
    ours = from_open_clip(state, sources)
    network = ClipText(
        ClipTextConfig(vocabulary=50, width=8, depth=2, heads=2, mlp_width=32, activation="gelu", projection=projection)
    )
    network.load_state_dict(ours)
    assert {name: taken_shape(source, tuple(state[source.name].shape)) for name, source in sources.items()} == {
        name: tuple(value.shape) for name, value in network.state_dict().items()
    }
    back = to_open_clip(ours, sources)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], value) and back[name].is_contiguous() for name, value in state.items())
    again = from_open_clip(back, sources)
    assert all(torch.equal(again[name], value) for name, value in ours.items())


def test_open_clip_attention_is_torch_s_own() -> None:
    """The order of queries, keys and values: torch's fused attention, which OpenCLIP uses, gives the same."""
    state = open_clip_state(1, 8, None)
    config = ClipTextConfig(vocabulary=50, width=8, depth=1, heads=2, mlp_width=32, activation="gelu")
    network = ClipText(config)
    network.load_state_dict(from_open_clip(state, open_clip_sources(1, False)))
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    at = "transformer.resblocks.0.attn."
    theirs.load_state_dict({name.removeprefix(at): value for name, value in state.items() if name.startswith(at)})
    x = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    mask = torch.nn.Transformer.generate_square_subsequent_mask(5)
    expected, _ = theirs(x, x, x, attn_mask=mask)
    torch.testing.assert_close(network.text_model.encoder.layers[0].self_attn(x), expected, atol=1e-5, rtol=1e-5)
