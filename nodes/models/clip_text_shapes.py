"""The names and shapes of a CLIP text encoder's weights, from the config alone. No torch."""

from __future__ import annotations

from .configs import ClipTextConfig

Shape = tuple[int, ...]


def clip_text_shapes(config: ClipTextConfig) -> dict[str, Shape]:
    """Of a `ClipText`, in no particular order."""
    d, hidden = config.width, config.mlp_width
    found: dict[str, Shape] = {
        "text_model.embeddings.token_embedding.weight": (config.vocabulary, d),
        "text_model.embeddings.position_embedding.weight": (config.length, d),
    }
    norms = ["text_model.final_layer_norm"]
    for layer in range(config.depth):
        inner = f"text_model.encoder.layers.{layer}."
        norms += [f"{inner}layer_norm1", f"{inner}layer_norm2"]
        linear = {f"self_attn.{each}": (d, d) for each in ("q_proj", "k_proj", "v_proj", "out_proj")}
        linear |= {"mlp.fc1": (hidden, d), "mlp.fc2": (d, hidden)}
        for name, (out, width) in linear.items():
            found[f"{inner}{name}.weight"] = (out, width)
            found[f"{inner}{name}.bias"] = (out,)
    for norm in norms:
        found[f"{norm}.weight"] = found[f"{norm}.bias"] = (d,)
    if config.projection is not None:
        found["text_projection.weight"] = (config.projection, d)
    return found
