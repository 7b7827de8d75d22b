"""The text encoders of Stable Diffusion: one or two CLIP towers that read the same prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from nodegraph.errors import shorten

from ..models.clip_text import ClipText
from ..models.configs import CLIP_END, CLIP_START
from ..specs.clip import BATCH, ClipTextEncoderSpec, tower_of
from ..types import Encoding, Patch, TextEncoder
from ..types.models import patched_network
from .clip_tokens import ClipTokenizer
from .prompts import EMPTY, Chunk, Vector, Weighting, chunks, network_tags, parse, unknown_words
from .weighting import weighted


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipTower:
    """One network, and how it is used.

    pad: the id that fills a chunk after its end token; the end token for OpenAI's CLIP, 0 for OpenCLIP. layer: whose
    hidden states are given, counted from the end: 1 is the last of the full model. final_norm: whether they go through
    the norm that follows the last layer. absent: how many layers at the end of the full model the network lacks; files
    that hold no layer but those in use have some. learned: the vectors (n, width) of learned words, in lower case.
    patches: changes to its weights.

    Stable Diffusion 1 takes layer 1 with the norm, 2 takes layer 2 with the norm, XL layer 2 of both towers without.
    """

    network: ClipText
    pad: int = CLIP_END
    layer: int = 1
    final_norm: bool = True
    absent: int = 0
    learned: Mapping[str, Tensor] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()

    @cached_property
    def patched(self) -> ClipText:
        """The network with what the patches add to its weights; made when it is first needed."""
        found = patched_network(self.network, self.patches)
        assert isinstance(found, ClipText)
        return found

    @property
    def pools(self) -> bool:
        """Whether it gives a pooled vector that a denoiser uses."""
        return self.network.config.projection is not None

    def ids(self, chunk: Chunk) -> list[int]:
        """A whole pass: start, slots, end, padding. A vector's place holds an id that is not the end's."""
        filled = [CLIP_START, *(0 if isinstance(slot, Vector) else slot for slot in chunk.slots), CLIP_END]
        return filled + [self.pad] * (self.network.config.length - len(filled))

    def encode(self, batch: Sequence[Chunk]) -> tuple[Float[Tensor, "chunks n d"], Float[Tensor, "chunks p"] | None]:
        """Hidden states and, where it pools, pooled vectors of chunks; float32 on the CPU. No weights are applied."""
        parts = [self._encode(batch[start : start + BATCH]) for start in range(0, len(batch), BATCH)]
        hidden = torch.cat([each for each, _ in parts])
        pooled = [each for _, each in parts if each is not None]
        return hidden, torch.cat(pooled) if pooled else None

    def _encode(self, batch: Sequence[Chunk]) -> tuple[Float[Tensor, "chunks n d"], Float[Tensor, "chunks p"] | None]:
        table = self.network.text_model.embeddings.token_embedding.weight
        ids = torch.tensor([self.ids(chunk) for chunk in batch], dtype=torch.int64, device=table.device)
        with torch.no_grad():
            hidden, pooled = self.patched(
                ids,
                self._vectors(ids, batch),
                layer=self.layer - self.absent,
                final_norm=self.final_norm,
                pool=self.pools,
            )
        return hidden.float().cpu(), None if pooled is None else pooled.float().cpu()

    def _vectors(self, ids: Int64[Tensor, "chunks n"], batch: Sequence[Chunk]) -> Float[Tensor, "chunks n d"]:
        """The vectors of all positions. A word that this tower has not learned is a vector of zeros."""
        vectors = self.network.embed(ids)
        for row, chunk in enumerate(batch):
            for place, slot in enumerate(chunk.slots, start=1):
                if isinstance(slot, Vector):
                    own = self.learned.get(slot.word)
                    vectors[row, place] = 0.0 if own is None else own[slot.row].to(vectors.device, vectors.dtype)
        return vectors


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipTextEncoder(TextEncoder):
    """Prompts to encodings of any length, in chunks of 77 tokens.

    towers: their tokens are put side by side, (b, 77 chunks, sum of widths); the last that has a projection gives the
    pooled vector, that of the first chunk. weighting: what weights in prompts do. tokenizer: shared by what is derived
    from this encoder.
    """

    towers: tuple[ClipTower, ...]
    weighting: Weighting = "comfyui"
    tokenizer: ClipTokenizer = field(default_factory=ClipTokenizer)

    @property
    def learned(self) -> dict[str, int]:
        """The learned words in lower case, and for how many vectors each stands."""
        return {word: len(vectors) for tower in self.towers for word, vectors in tower.learned.items()}

    def chunks(self, text: str) -> tuple[Chunk, ...]:
        """What the towers read of a prompt."""
        return chunks(text, self.tokenizer, self.learned)

    def encode(self, texts: Sequence[str]) -> Encoding:
        """Shorter prompts are filled with empty chunks up to the longest; every token counts."""
        plans = [self.chunks(text) for text in texts]
        most = max(map(len, plans))
        plans = [(*plan, *[EMPTY] * (most - len(plan))) for plan in plans]
        distinct = list(dict.fromkeys(chunk for plan in plans for chunk in plan))
        if self.weighting == "comfyui" and EMPTY not in distinct and any(chunk.weighted for chunk in distinct):
            distinct.append(EMPTY)
        places = {chunk: place for place, chunk in enumerate(distinct)}
        rows = torch.tensor([[places[chunk] for chunk in plan] for plan in plans])
        encoded = [tower.encode(distinct) for tower in self.towers]
        tokens = torch.cat([self._weighted(hidden, distinct, places.get(EMPTY)) for hidden, _ in encoded], dim=2)
        pooled = [each for _, each in encoded if each is not None]
        found = tokens[rows].flatten(1, 2)
        return Encoding(
            tokens=found,
            mask=torch.ones(found.shape[:2], dtype=torch.bool),
            pooled=pooled[-1][rows[:, 0]] if pooled else None,
        )

    def _weighted(self, z: Tensor, batch: Sequence[Chunk], empty: int | None) -> Tensor:
        weights = torch.ones(z.shape[:2])
        for row, chunk in enumerate(batch):
            weights[row, 1 : len(chunk.weights) + 1] = torch.tensor(chunk.weights)
        return weighted(z, weights, None if empty is None else z[empty : empty + 1], self.weighting)

    def dropped(self, text: str) -> tuple[int, int]:
        """Whole chunks are counted; nothing is left out."""
        return self.towers[0].network.config.length * len(self.chunks(text)), 0

    def remarks(self, text: str) -> list[str]:
        """Brackets without a partner, with their places, words that were not learned, and tags of other programs."""
        found = []
        if unmatched := parse(text).unmatched:
            shown = ", ".join(f"{text[place]!r} at {place}" for place in unmatched[:5])
            more = f" and {len(unmatched) - 5} more" if len(unmatched) > 5 else ""
            found.append(f"brackets without a partner are taken as text: {shown}{more}")
        if unknown := unknown_words(text, self.learned):
            found.append(f"no embedding is loaded for {', '.join(unknown[:5])}; it is taken as text")
        if tags := network_tags(text):
            shown = ", ".join(shorten(each) for each in tags[:5])
            found.append(f"{shown} is taken as text; a LoRA is applied by the nodes load_lora and apply_lora")
        return found

    def spec(self) -> ClipTextEncoderSpec:
        """As its towers are."""
        table = self.towers[0].network.text_model.embeddings.token_embedding.weight
        vectors = [each for tower in self.towers for each in tower.learned.values()]
        return ClipTextEncoderSpec.made(
            tuple(map(tower_of, self.towers)),
            str(table.dtype).removeprefix("torch."),
            weighting=self.weighting,
            learned=self.learned,
            extra=sum(each.nbytes for each in vectors),
        )
