"""Cutting pictures into overlapping tiles and putting them together again. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Tiles along one axis.

    starts: of the tiles, ascending. tile: how long each is. overlap: how long the ramps are along which neighbours are
    mixed; tiles overlap by that or more.
    """

    starts: tuple[int, ...]
    tile: int
    overlap: int

    @classmethod
    def cover(cls, side: int, tile: int, overlap: int) -> Axis:
        """As few tiles as cover `side`, spread evenly; one that is as long as `side` where `tile` is no shorter.

        side, tile: at least 1. overlap: less than tile.
        """
        if tile >= side:
            return cls(starts=(0,), tile=side, overlap=overlap)
        count = math.ceil((side - overlap) / (tile - overlap))
        starts = tuple(i * (side - tile) // (count - 1) for i in range(count))
        return cls(starts=starts, tile=tile, overlap=overlap)

    @property
    def side(self) -> int:
        """How long all tiles are together."""
        return self.starts[-1] + self.tile

    def times(self, factor: int) -> Axis:
        """The same tiles where every position has become `factor` ones."""
        starts = tuple(start * factor for start in self.starts)
        return Axis(starts=starts, tile=self.tile * factor, overlap=self.overlap * factor)

    def weights(self) -> list[list[float]]:
        """How much each position of each tile counts, in (0, 1]; at every position of the axis they add up to 1.

        They fall off linearly over `overlap` towards the neighbours, never towards an end of the axis.
        """
        last = len(self.starts) - 1
        ramps = [
            [
                min(
                    1.0 if i == 0 else (k + 0.5) / max(self.overlap, 0.5),
                    1.0 if i == last else (self.tile - k - 0.5) / max(self.overlap, 0.5),
                    1.0,
                )
                for k in range(self.tile)
            ]
            for i in range(last + 1)
        ]
        sums = [0.0] * self.side
        for start, ramp in zip(self.starts, ramps, strict=True):
            for k, weight in enumerate(ramp):
                sums[start + k] += weight
        return [
            [weight / sums[start + k] for k, weight in enumerate(ramp)]
            for start, ramp in zip(self.starts, ramps, strict=True)
        ]
