"""What a LoRA file holds, from its header: which layers it changes, in whichever layout it is written. No torch.

Layouts differ in how they name layers and factors. Here every layer is named by its path with underscores for dots,
which all layouts can be brought to: those of kohya have lost the dots, and no two layers differ in dots alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nodegraph import InvalidInput

from ..checkpoints.errors import InvalidMatch
from ..checkpoints.families.stable_diffusion_folder import json_table
from ..checkpoints.header import Header, read_header
from ..checkpoints.kinds import CONTEXTS, kind_of

Shape = tuple[int, ...]

UNET, TEXT, TEXT_2 = "unet", "text_encoder", "text_encoder_2"

PREFIXES = (
    ("lora_unet_", UNET), ("lora_te1_", TEXT), ("lora_te2_", TEXT_2), ("lora_te_", TEXT),  # kohya
    ("text_encoder_2.", TEXT_2), ("text_encoder.", TEXT), ("unet.", UNET),  # diffusers
    ("base_model.model.", ""),  # PEFT; the layer tells the model
)  # fmt: skip
"""How names begin, and the model that they speak of."""

FACTORS: tuple[tuple[str, str], ...] = (
    (r"\.lora_down\.weight", "down"), (r"\.lora_up\.weight", "up"), (r"\.lora_mid\.weight", "mid"),  # kohya
    (r"\.lora_A(?:\.default)?\.weight", "down"), (r"\.lora_B(?:\.default)?\.weight", "up"),  # PEFT
    (r"\.lora(?:_linear_layer)?\.down\.weight", "down"), (r"\.lora(?:_linear_layer)?\.up\.weight", "up"),  # diffusers
    (r"_lora\.down\.weight", "down"), (r"_lora\.up\.weight", "up"),  # diffusers, attention processors
    (r"\.alpha", "alpha"),
)  # fmt: skip
"""How names end: .lora_up.weight, .lora_B.weight, .lora.up.weight, to_q_lora.up.weight, ..."""

ADAPTER_CONFIG = "adapter_config.json"
"""What PEFT writes beside its weights."""

ENDING = re.compile("|".join(f"(?P<{role}{i}>{pattern})" for i, (pattern, role) in enumerate(FACTORS)) + r"$")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What a file holds for one layer: names of tensors, "" where there is none, and the factors' shapes.

    The change is up @ mid @ down times alpha / rank. down: (rank, in, ...). up: (out, rank, ...). scale: what the
    metadata say in place of alpha / rank; None where they say nothing.
    """

    down: str
    up: str
    mid: str = ""
    alpha: str = ""
    down_shape: Shape
    up_shape: Shape
    scale: float | None = None

    @property
    def rank(self) -> int:
        """Columns of `up`, rows of `down`."""
        return self.down_shape[0]


@dataclass(frozen=True, kw_only=True)
class LoraFile:
    """A recognised file. parts: by model, "unet", "text_encoder" or "text_encoder_2", the layers by name."""

    header: Header
    layout: str
    parts: Mapping[str, Mapping[str, Layer]]

    @property
    def alpha_is_guessed(self) -> bool:
        """Whether it is PEFT's and nothing tells an alpha; the other layouts leave it out where it is the rank."""
        layers = [layer for part in self.parts.values() for layer in part.values()]
        return self.layout.startswith("PEFT") and any(not each.alpha and each.scale is None for each in layers)

    @property
    def made_for(self) -> str:
        """The model that the shapes speak of, "" where they do not."""
        for name, layer in self.parts.get(UNET, {}).items():
            if name.endswith(("attn2_to_k", "attn2_to_v")):
                version = CONTEXTS.get(layer.down_shape[1])
                return f"Stable Diffusion {version}" if version else ""
        return ""


def read_lora_file(path: Path) -> LoraFile:
    """From the header. Every tensor belongs to a layer.

    path: a file, or a folder of PEFT, whose adapter_config.json tells the alphas. Raises InvalidInput where it is
    something else, InvalidMatch where it is a LoRA that is broken.
    """
    told = json_table(path / ADAPTER_CONFIG) if path.is_dir() else None
    header = read_header(path if told is None else _weights_in(path))
    kind = kind_of(header)
    tucker = kind == "a LyCORIS adapter (LoCon)"
    if not (kind.startswith("a LoRA") or tucker) or "DoRA" in kind:
        raise InvalidInput("lora", path.name, f"it is {kind}, no LoRA that can be read here", "choose a LoRA or LoCon")
    if any(re.fullmatch(r"\w+:\d+:(up|down)", name) for name in header.tensors):
        return LoraFile(header=header, layout="cloneofsimo", parts=_numbered(header))
    scales = Scales(_in_metadata(header) if told is None else told)
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name in header.tensors:
        part, layer, role = _parse(header, name)
        roles = found.setdefault(part, {}).setdefault(layer, {})
        if role in roles:
            raise InvalidMatch(path, f"{roles[role]} and {name} are the same factor of one layer")
        roles[role] = name
    parts: dict[str, dict[str, Layer]] = {}
    for part, layers in found.items():
        made = {path: _layer(header, path, roles) for path, roles in layers.items()}
        parts[part] = {
            path.replace(".", "_"): replace(layer, scale=scales.of(part, path, layer.rank))
            for path, layer in made.items()
        }
    layout = "kohya layout" if tucker else kind.removeprefix("a LoRA (").removesuffix(")")
    return LoraFile(header=header, layout=layout, parts=parts)


def _parse(header: Header, name: str) -> tuple[str, str, str]:
    """The model, the layer's path, and the factor that a tensor is."""
    match = ENDING.search(name)
    if match is None:
        raise InvalidMatch(header.path, f"{name} is no part of a LoRA")
    role = next(key for key, value in match.groupdict().items() if value is not None).rstrip("0123456789")
    path = name[: match.start()]
    part = ""
    for prefix, model in PREFIXES:
        if path.startswith(prefix):
            path, part = path[len(prefix) :], model
            break
    path = path.removeprefix("unet.") if part in ("", UNET) else path
    part = part or (TEXT if path.startswith(("text_model.", "encoder.layers.")) else UNET)
    path = path.replace(".processor.", ".")
    if path.endswith((".to_out", "_to_out")):  # attention processors have no list there
        path += ".0"
    return part, path, role


def _weights_in(folder: Path) -> Path:
    """The one file of weights of a folder."""
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        raise InvalidInput(
            "lora", folder.name, f"the folder holds {len(found)} safetensors files, not one", "name a file itself"
        )
    return found[0]


def _in_metadata(header: Header) -> Mapping[str, object]:
    """What newer versions of diffusers write of alphas, as JSON in the header."""
    try:
        found = json.loads(header.metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, RecursionError) as error:
        raise InvalidMatch(header.path, f"its lora_adapter_metadata are no JSON ({error})") from error
    return found if isinstance(found, dict) else {}


class Scales:
    """What is said of alphas beside the tensors: PEFT's configuration of each model."""

    def __init__(self, said: Mapping[str, object]) -> None:
        self._said = said

    def of(self, part: str, path: str, rank: int) -> float | None:
        """alpha / rank of a layer, or alpha / sqrt(rank) for rank-stabilised ones (Kalajdzievski 2023, 2312.03732)."""
        pattern, alpha = self._about(part, "alpha_pattern"), self._about(part, "lora_alpha")
        for name, value in pattern.items() if isinstance(pattern, dict) else ():
            if path == name or path.endswith(f".{name}"):
                alpha = value
                break
        if not isinstance(alpha, (int, float)) or isinstance(alpha, bool):
            return None
        return float(alpha) / (rank**0.5 if self._about(part, "use_rslora") is True else rank)

    def _about(self, part: str, key: str) -> object:
        """Files for one model alone leave out which."""
        return self._said.get(f"{part}.{key}", self._said.get(key))


def _layer(header: Header, layer: str, roles: Mapping[str, str]) -> Layer:
    missing = [role for role in ("down", "up") if role not in roles]
    if missing:
        raise InvalidMatch(header.path, f"its layer {layer} has no factor {missing[0]!r}")
    down, up = (header.tensors[roles[role]].shape for role in ("down", "up"))
    if len(down) < 2 or len(up) < 2 or 0 in (*down, *up) or up[1] != down[0]:
        raise InvalidMatch(header.path, f"the factors of its layer {layer} do not fit: {list(up)} and {list(down)}")
    return Layer(
        down=roles["down"],
        up=roles["up"],
        mid=roles.get("mid", ""),
        alpha=roles.get("alpha", ""),
        down_shape=down,
        up_shape=up,
    )


# cloneofsimo's layout: layers are numbered in the order in which diffusers visits them


def _numbered(header: Header) -> dict[str, dict[str, Layer]]:
    """Layers by their numbers, as "unet": {"0": ...}."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name in header.tensors:
        match = re.fullmatch(r"(\w+):(\d+):(up|down)", name)
        if match is None:
            if header.metadata.get(name) == "<embed>":
                continue
            raise InvalidMatch(header.path, f"{name} is no part of a LoRA")
        found.setdefault(match[1], {}).setdefault(match[2], {})[match[3]] = name
    return {
        part: {number: _layer(header, number, roles) for number, roles in layers.items()}
        for part, layers in found.items()
    }


ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
RESNET = ("conv1", "time_emb_proj", "conv2", "conv_shortcut")


def unet_orders(modules: Mapping[str, str], metadata: Mapping[str, str]) -> Iterator[list[str]]:
    """The orders in which versions of diffusers visit the layers of a UNet's attention, GEGLU and residual blocks.

    modules: all layers of the UNet by their names in diffusers, in any order, with our names. metadata: of the file;
    it names the classes that were changed, residual blocks only where it says so. Younger versions put the feed-forward
    layer after both attentions, older ones between them.
    """
    classes = _targets(metadata, UNET, ["CrossAttention", "Attention", "GEGLU"])
    found = {name.partition(".attn1.")[0] for name in modules if ".attn1." in name}
    if "ResnetBlock2D" in classes:
        found |= {name.rpartition(".")[0] for name in modules if ".resnets." in name}
    blocks = sorted(found, key=_visited)
    attention = [f"{{}}.{each}" for each in ATTENTION] if any("Attention" in each for each in classes) else []
    gate = ["ff.net.0.proj"] if "GEGLU" in classes else []
    first, second = ([each.format(part) for each in attention] for part in ("attn1", "attn2"))
    for order in ([*first, *second, *gate], [*first, *gate, *second]):
        names = (f"{block}.{each}" for block in blocks for each in (RESNET if ".resnets." in block else order))
        yield [modules[name] for name in names if name in modules]


def text_order(depth: int) -> list[str]:
    """The order in which transformers visits the linear layers of CLIP's attention."""
    return [
        f"text_model.encoder.layers.{layer}.self_attn.{each}"
        for layer in range(depth)
        for each in ("k_proj", "v_proj", "q_proj", "out_proj")
    ]


def _visited(block: str) -> tuple[int, int, bool, list[int]]:
    """Encoder, decoder, middle; in each of their blocks attention before residual blocks; then by number."""
    parts = block.split(".")
    place = {"down_blocks": 0, "up_blocks": 1, "mid_block": 2}[parts[0]]
    numbers = [int(each) for each in parts if each.isdigit()]
    return place, numbers[0] if parts[1].isdigit() else 0, "resnets" in parts, numbers


def _targets(metadata: Mapping[str, str], part: str, default: list[str]) -> list[str]:
    """The classes whose layers were changed."""
    try:
        found = json.loads(metadata.get(part, "null"))
    except ValueError:
        return default
    return [str(each) for each in found] if isinstance(found, list) and found else default


Shapes = Mapping[str, Shape]
"""Of a model's weights by our names."""


def targets(
    file: LoraFile,
    part: str,
    shapes: Shapes,
    names: Mapping[str, str],
    strength: Callable[[str], float] = lambda _: 1.0,
) -> dict[str, Layer]:
    """Which weights of a model a file changes, and by which of its layers.

    shapes: of the model's weights. names: our names of its layers by their names with underscores, in all layouts.
    strength: of a weight by its name; those of strength 0 are left out. Raises InvalidInput where a layer is not the
    model's.
    """
    layers = file.parts.get(part, {})
    if file.layout == "cloneofsimo":
        layers = _by_name(file, part, layers, shapes, names)
    found: dict[str, Layer] = {}
    strange: list[str] = []
    for name, layer in layers.items():
        weight = f"{names[name]}.weight" if name in names else ""
        if weight not in shapes or not fits(layer, shapes[weight]):
            strange.append(name)
        elif strength(weight) != 0.0:
            found[weight] = layer
    if strange:
        raise misfit(file, part, strange, len(layers))
    return found


def fits(layer: Layer, weight: Shape) -> bool:
    """Whether the change has as many rows and columns as the weight."""
    columns, inner = math.prod(weight[1:]), math.prod(layer.down_shape[1:])
    return layer.up_shape[0] == weight[0] and (inner == columns or (bool(layer.mid) and inner == weight[1]))


def misfit(file: LoraFile, part: str, strange: list[str], count: int) -> InvalidInput:
    """The error for layers that a model does not have."""
    made_for = f"it seems to be made for {file.made_for}" if file.made_for else "it is made for another model"
    shown = ", ".join(strange[:3])
    return InvalidInput(
        "lora",
        file.header.path.name,
        f"{len(strange)} of its {count} layers for the {part.replace('_', ' ')} do not fit this model ({shown}); "
        f"{made_for}",
        "use it with the model that it was made for",
    )


def _by_name(
    file: LoraFile, part: str, layers: Mapping[str, Layer], shapes: Shapes, names: Mapping[str, str]
) -> dict[str, Layer]:
    """Numbered layers by name: in the order in which all shapes fit."""
    back = {ours: name for name, ours in names.items()}
    dotted = {name: ours for name, ours in names.items() if "." in name}
    if part == UNET:
        orders = list(unet_orders(dotted, file.header.metadata))
    else:
        orders = [text_order(len({name.split(".")[3] for name in shapes if ".layers." in name}))]
    for order in orders:
        pairs = {order[int(number)]: layer for number, layer in layers.items() if int(number) < len(order)}
        if len(pairs) == len(layers) and all(fits(layer, shapes[f"{name}.weight"]) for name, layer in pairs.items()):
            return {back[name]: layer for name, layer in pairs.items()}
    raise misfit(file, part, sorted(layers, key=int), len(layers))
