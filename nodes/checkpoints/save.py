"""The node that writes a model of Stable Diffusion."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from nodegraph import Context, InvalidInput, NodegraphError, node
from nodegraph.files import MODEL_INDEX, replacing_folder
from nodegraph.recipe import METADATA_KEY, recipe_text

from ..conditioning.clip import ClipTextEncoder
from ..conditioning.clip_tokens import read_merges, vocabulary
from ..conditioning.unet import predict_unet
from ..models.patching import Change, with_changes
from ..specs.models import AutoencoderSpec, DenoiserSpec
from ..types import Autoencoder, Denoiser, Patch, TextEncoder
from . import diffusers_configs as configs
from . import save_specs, stored
from .families.ldm_autoencoder_parts import LdmKLAutoencoder
from .families.stable_diffusion import AUTOENCODER, UNET, asks_weights
from .families.stable_diffusion_told import MODEL_KEY, V_MARK, ZERO_TERMINAL_MARK
from .save_specs import Facts, Layout, Precision, check_model
from .stored import Stored
from .tensor_files import DoesNotFit, Written, write_tensors

Name = Annotated[str, Field(min_length=1, max_length=150)]


class CheckpointNotWritten(NodegraphError):
    """A model could not be written; nothing was left behind."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """The weights of a network with what patches add to them, one at a time."""

    network: nn.Module
    changes: Mapping[str, Sequence[Change]]

    @classmethod
    def of(cls, network: nn.Module, patches: Iterable[Patch], name: str) -> Merged:
        """Of a network and its patches. InvalidInput about `name` where a patch does more than change weights."""
        changes: dict[str, list[Change]] = {}
        others = []
        for patch in patches:
            if patch.branches() or type(patch).taps is not Patch.taps or type(patch).channels is not Patch.channels:
                others.append(type(patch).__name__)
            for weight, several in patch.changes().items():
                changes.setdefault(weight, []).extend(several)
        if others:
            raise InvalidInput(
                name, ", ".join(others), "these change what is computed beside the weights, which no checkpoint holds",
                "wire the model from before they are applied; a LoRA is written where its mode is merge",
            )  # fmt: skip
        return cls(network=network, changes=changes)

    def weight(self, name: str) -> Tensor:
        """A weight, as the patched network has it."""
        path, _, leaf = name.rpartition(".")
        module = self.network.get_submodule(path)
        for check in module._forward_pre_hooks.values():  # whether the file is sound that the weights are mapped from
            check(module, ())
        weight = module.get_parameter(leaf)
        several = self.changes.get(name)
        if several is None:
            return weight
        alone = nn.Module()
        alone.register_parameter("weight", weight)
        return with_changes(alone, {"weight": several}).get_parameter("weight")

    def written(self, tensor: Stored, dtype: torch.dtype | None) -> Written:
        """One tensor of a file. dtype: None for that of the weights."""
        own = self.network.get_parameter(tensor.weights[0]).dtype

        def make() -> Tensor:
            return tensor.assemble([self.weight(name) for name in tensor.weights])

        return Written(name=tensor.name, shape=tensor.shape, dtype=dtype or own, make=make)


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """All that is written: what is known of a model, and the weights of its networks."""

    facts: Facts
    unet: Merged
    autoencoder: Merged
    texts: tuple[Merged, ...]

    @classmethod
    def of(cls, denoiser: Denoiser, text_encoder: TextEncoder, autoencoder: Autoencoder, layout: Layout) -> Model:
        """InvalidInput where it is no model of Stable Diffusion, or one that such a file cannot hold."""
        for name, value, fits in (
            ("denoiser", denoiser, denoiser.predict is predict_unet),
            ("text_encoder", text_encoder, isinstance(text_encoder, ClipTextEncoder)),
            ("autoencoder", autoencoder, isinstance(autoencoder, LdmKLAutoencoder)),
        ):
            if not fits:
                save_specs.not_stable_diffusion(name, type(value).__name__)
        assert isinstance(text_encoder, ClipTextEncoder)
        assert isinstance(autoencoder, LdmKLAutoencoder)
        about = DenoiserSpec.of(denoiser), text_encoder.spec(), AutoencoderSpec.of(autoencoder)
        return cls(
            facts=check_model(*about, layout),
            unet=Merged.of(denoiser.network, denoiser.patches, "denoiser"),
            autoencoder=Merged.of(autoencoder.network, (), "autoencoder"),
            texts=tuple(Merged.of(tower.network, tower.patches, "text_encoder") for tower in text_encoder.towers),
        )

    def networks(self) -> tuple[Merged, ...]:
        """UNet, autoencoder, text encoders."""
        return (self.unet, self.autoencoder, *self.texts)


@node(category="models", effect=True, lane="io", output="file", spec=save_specs.save_checkpoint)
def save_checkpoint(
    denoiser: Denoiser,
    text_encoder: TextEncoder,
    autoencoder: Autoencoder,
    ctx: Context,
    name: Name = "model",
    layout: Layout = "single_file",
    precision: Precision = "unchanged",
) -> str:
    """Write a model of Stable Diffusion as a checkpoint

    The three models go to one safetensors file in the original layout, or to a folder as diffusers has them, tokenizers
    included. load_checkpoint reads both back exactly, prediction type, noise schedule and clip skip included. LoRAs
    with mode merge are written into the weights; learned words are not written. It lies in the output folder, whole or
    not at all, and holds the recipe. Tensors are written one by one, so this needs no second copy of the model.

    denoiser: a UNet of Stable Diffusion 1, 2 or XL.
    text_encoder: of the same model.
    autoencoder: of the same model.
    name: the beginning of the file's name; may hold folders divided by / and values, such as {model.checkpoint}.
    layout: single_file is the original one, diffusers a folder with a model_index.json.
    precision: unchanged is what the model was loaded in, which the settings say; float16 and bfloat16 halve a file of
        float32.
    file: where it was written, a file or a folder.
    """
    model = Model.of(denoiser, text_encoder, autoencoder, layout)
    assert isinstance(text_encoder, ClipTextEncoder)
    if text_encoder.learned:
        ctx.log(f"the learned words {', '.join(sorted(text_encoder.learned))} are no part of the checkpoint")
    try:
        path = ctx.output_file(name, ".safetensors" if layout == "single_file" else "")
        writer = Writer(model=model, ctx=ctx, precision=precision)
        if layout == "single_file":
            writer.single_file(path)
        else:
            with replacing_folder(path) as folder:
                writer.folder(folder)
    except OSError as error:
        raise CheckpointNotWritten(
            f"{error.filename or name} could not be written: {error.strerror or error}; nothing was left behind; "
            "free some space or choose another output folder"
        ) from error
    return str(path)


class Writer:
    """Writes one model. Its progress is counted in bytes."""

    def __init__(self, *, model: Model, ctx: Context, precision: Precision) -> None:
        self.model, self.ctx, self.precision = model, ctx, precision
        self.dtype: torch.dtype | None = None if precision == "unchanged" else getattr(torch, precision)
        parameters = [each for merged in model.networks() for each in merged.network.parameters()]
        self.total = sum(each.numel() * (self.dtype or each.dtype).itemsize for each in parameters)
        self.done = 0

    def single_file(self, path: Path) -> None:
        """The original layout."""
        facts = self.model.facts
        tensors = self._of(self.model.unet, stored.unet_original(facts.unet, UNET))
        autoencoder: Any = self.model.autoencoder.network
        tensors += self._of(self.model.autoencoder, stored.autoencoder_original(autoencoder.config, AUTOENCODER))
        for index, (tower, merged) in enumerate(zip(facts.towers, self.model.texts, strict=True)):
            prefix = f"conditioner.embedders.{index}." if facts.xl else "cond_stage_model."
            if tower.config.activation == "gelu":
                tensors += self._of(merged, stored.text_open_clip(tower.config, f"{prefix}model."))
            else:
                tensors += self._of(merged, stored.text_transformers(tower.config, f"{prefix}transformer."))
        told = facts.told
        if told.prediction == "v" and not asks_weights(facts.unet):
            marks = [V_MARK, ZERO_TERMINAL_MARK] if told.zero_terminal else [V_MARK]
            tensors += [mark(each) for each in marks]
        self._write(path, tensors, {MODEL_KEY: told.model_dump_json()})

    def folder(self, folder: Path) -> None:
        """The layout of diffusers."""
        facts, weights = self.model.facts, "diffusion_pytorch_model.safetensors"
        autoencoder: Any = self.model.autoencoder.network
        self._part(folder / "unet", weights, self.model.unet, stored.unet_diffusers(facts.unet))
        _json(folder / "unet" / "config.json", configs.unet_config(facts.unet))
        self._part(folder / "vae", weights, self.model.autoencoder, stored.autoencoder_diffusers(autoencoder.config))
        _json(folder / "vae" / "config.json", configs.autoencoder_config(autoencoder.config, facts.space))
        classes = configs.text_classes(len(facts.towers), xl=facts.xl)
        for (part, kind), tower, merged in zip(classes.items(), facts.towers, self.model.texts, strict=True):
            self._part(folder / part, "model.safetensors", merged, stored.text_transformers(tower.config, ""))
            _json(folder / part / "config.json", configs.text_config(tower, kind, xl=facts.xl))
            _tokenizer(folder / part.replace("text_encoder", "tokenizer"), tower.pad)
        scheduler = configs.scheduler_config(facts.told.prediction or "eps", zero_terminal=facts.told.zero_terminal)
        _json(folder / "scheduler" / "scheduler_config.json", scheduler)
        _json(folder / MODEL_INDEX, configs.model_index(facts.unet, classes))

    def _of(self, merged: Merged, tensors: Iterable[Stored]) -> list[Written]:
        return [merged.written(each, self.dtype) for each in tensors]

    def _part(self, folder: Path, name: str, merged: Merged, tensors: Iterable[Stored]) -> None:
        self._write(folder / name, self._of(merged, tensors), {})

    def _write(self, path: Path, tensors: Sequence[Written], metadata: Mapping[str, str]) -> None:
        recipe = recipe_text(self.ctx.provenance())
        try:
            write_tensors(path, tensors, {"format": "pt", METADATA_KEY: recipe, **metadata}, self._told)
        except DoesNotFit as error:
            reason = f"{error} has weights that are infinite or NaN in it"
            raise InvalidInput("precision", self.precision, reason, "choose float32 or bfloat16") from error

    def _told(self, size: int) -> None:
        self.done += size
        self.ctx.progress(self.done, self.total)


def mark(name: str) -> Written:
    """A tensor without a number."""
    return Written(name=name, shape=(0,), dtype=torch.float32, make=lambda: torch.zeros(0))


def _tokenizer(folder: Path, pad: int) -> None:
    """Vocabulary and merges of CLIP."""
    merges = read_merges()
    _json(folder / "vocab.json", vocabulary(merges))
    text = "".join(f"{first} {second}\n" for first, second in merges)
    (folder / "merges.txt").write_text(f"#version: 0.2\n{text}", "utf-8")
    _json(folder / "tokenizer_config.json", configs.tokenizer_config(pad))


def _json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
