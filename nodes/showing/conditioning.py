"""What a denoiser is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL.Image import Image as Picture
from pydantic import JsonValue
from torch import Tensor

from nodegraph.ports.glimpse import Chart, Glimpse, Number

from .tensors import to_picture
from .words import counted

if TYPE_CHECKING:
    from ..types import Conditioning, Entry


@dataclass(frozen=True, slots=True)
class ConditioningShown:
    """What a conditioning says, as far as people can see it: the masks of its entries are its pictures."""

    value: Conditioning

    def glimpse(self) -> Glimpse:
        """Entries with where and when they count, and how long the vectors of their tokens are."""
        entries, first = self.value.entries, self.value.entries[0].encoding
        norms = first.tokens.norm(dim=2)
        numbers: dict[str, Number] = {
            "entries": len(entries),
            "items": len(self.value),
            "tokens": int(first.mask.sum(dim=1).max()),
            "width": first.tokens.shape[2],
            "mean norm": float(norms[first.mask].mean()),
            "without a prompt": "known" if self.value.unconditional is not None else "unknown",
        }
        if first.pooled is not None:
            numbers |= {"pooled width": first.pooled.shape[1], "pooled norm": float(first.pooled.norm(dim=1).mean())}
        items = f" for each of {len(self.value)} pictures" if len(self.value) > 1 else ""
        said = f"{len(entries)} entries" if len(entries) > 1 else "1 entry"
        tokens = counted(int(first.mask.sum(dim=1).max()), "token")
        return Glimpse(
            type="Conditioning",
            text=f"{said} of {tokens}, {first.tokens.shape[2]} wide{items}",
            pictures=len(self._masks()),
            numbers=numbers,
            charts=[Chart(title="Norm of each token", y=norms[0].tolist(), x_title="token", y_title="norm")],
            value=[_told(each) for each in entries],
        )

    def picture(self, item: int) -> Picture:
        """One of the masks."""
        return to_picture(self._masks()[item])

    def _masks(self) -> list[Tensor]:
        return [mask for entry in self.value.entries if entry.mask is not None for mask in entry.mask]


def _told(entry: Entry) -> dict[str, JsonValue]:
    """An entry's settings."""
    encoding = entry.encoding
    told: dict[str, JsonValue] = {"tokens": int(encoding.mask.sum(dim=1).max()), "strength": entry.strength}
    if entry.area is not None:
        told["area"] = dict(zip(("top", "left", "bottom", "right"), entry.area, strict=True))
        told["alone"] = entry.alone
    if entry.mask is not None:
        told["mask"] = f"{entry.mask.shape[3]} x {entry.mask.shape[2]}, mean {float(entry.mask.mean()):.3g}"
    if (entry.start, entry.end) != (0.0, 1.0):
        told |= {"start": entry.start, "end": entry.end}
    if encoding.sizes is not None:
        told["sizes"] = [float(each) for each in encoding.sizes[0]]
    return told
