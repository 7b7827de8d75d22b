"""What one pass of a UNet needs, from its shape alone; see `costs`. No torch."""

from __future__ import annotations

from .configs import UNetConfig
from .costs import Pass
from .unet_shapes import HINT


def unet_pass(config: UNetConfig, batch: int, height: int, width: int, length: int) -> Pass:
    """A UNet on latents of height x width with `length` tokens of context."""
    counter = _Counter(config, batch, length)
    return counter.count(height, width)


def controlnet_pass(config: UNetConfig, batch: int, height: int, width: int, length: int) -> Pass:
    """A ControlNet beside a UNet that has come to its middle: the UNet's skips are alive as well."""
    counter = _Counter(config, batch, length)
    here, sizes = counter.encode(height, width)
    skips = list(counter.skips)
    for channels, elements in skips:
        counter.point(elements, channels)
    counter.point(batch * sizes[-1][0] * sizes[-1][1] * here, here)
    return Pass(work=2.0 * counter.work, elements=counter.worst + sum(each for _, each in skips), kept=counter.kept)


def hint_pass(config: UNetConfig, batch: int, height: int, width: int) -> Pass:
    """Reading hints of height x width pixels, once for a picture."""
    work, worst, positions = 0.0, 0, batch * height * width
    for index, (before, after) in enumerate((*HINT, (HINT[-1][1], config.channels))):
        here = positions // 4 if index in (2, 4, 6) else positions
        work += 9.0 * here * before * after
        worst = max(worst, positions * before + 2 * here * after)
        positions = here
    return Pass(work=2.0 * work, elements=worst)


class _Counter:
    """Goes through the blocks as the network does."""

    def __init__(self, config: UNetConfig, batch: int, length: int) -> None:
        self.config, self.batch, self.length = config, batch, length
        self.work = 0.0
        self.kept = 0
        self.worst = 0
        self.skips: list[tuple[int, int]] = []  # width and elements

    def encode(self, height: int, width: int) -> tuple[int, list[tuple[int, int]]]:
        """Encoder and middle; gives the width of what comes out and the sizes of the levels."""
        c = self.config
        sizes = [(height, width)]
        for _ in c.multipliers[1:]:
            last = sizes[-1]
            sizes.append(((last[0] + 1) // 2, (last[1] + 1) // 2))
        here = c.channels
        self._conv(sizes[0], c.in_channels, here)
        self._skip(sizes[0], here)
        for level, multiplier in enumerate(c.multipliers):
            for _ in range(c.res_blocks):
                here = self._block(sizes[level], here, multiplier * c.channels, c.depths[level])
                self._skip(sizes[level], here)
            if level < len(c.multipliers) - 1:
                self._conv(sizes[level + 1], here, here)
                self._skip(sizes[level + 1], here)
        here = self._block(sizes[-1], here, here, c.middle_depth)
        return self._block(sizes[-1], here, here, 0), sizes

    def point(self, elements: int, width: int) -> None:
        """A 1 x 1 convolution that keeps the width."""
        self.work += float(elements) * width
        self.kept += elements

    def count(self, height: int, width: int) -> Pass:
        c = self.config
        here, sizes = self.encode(height, width)
        for level in reversed(range(len(c.multipliers))):
            for index in range(c.res_blocks + 1):
                width_of_skip, _ = self.skips.pop()
                here = self._block(
                    sizes[level], here + width_of_skip, c.multipliers[level] * c.channels, c.depths[level]
                )
                if level and index == c.res_blocks:
                    self._conv(sizes[level - 1], here, here)
        self._conv(sizes[0], here, c.out_channels)
        return Pass(work=2.0 * self.work, elements=self.worst, kept=self.kept)

    def _alive(self, elements: int) -> None:
        """So much is alive at once beside the skips."""
        self.worst = max(self.worst, elements + sum(each for _, each in self.skips))

    def _skip(self, size: tuple[int, int], width: int) -> None:
        self.skips.append((width, self.batch * size[0] * size[1] * width))

    def _conv(self, size: tuple[int, int], width: int, out: int) -> None:
        positions = self.batch * size[0] * size[1]
        self.work += 9.0 * positions * width * out
        self.kept += positions * width
        self._alive(2 * positions * (width + out))

    def _block(self, size: tuple[int, int], width: int, out: int, depth: int) -> int:
        """A residual block and, where depth is not 0, a transformer; gives the new width."""
        positions = self.batch * size[0] * size[1]
        self.work += positions * (9.0 * out * (width + out) + (width * out if width != out else 0))
        self.work += self.batch * self.config.time_width * out
        self.kept += positions * (3 * width + 4 * out)
        self._alive(positions * (2 * width + 4 * out))
        if depth:
            self._transformer(positions, size[0] * size[1], out, depth)
        return out

    def _transformer(self, positions: int, tokens: int, width: int, depth: int) -> None:
        context = 2.0 * self.batch * self.length * self.config.context_width * width
        to_itself = 4 * width * width + 2 * tokens * width
        to_text = 2 * width * width + 2 * self.length * width
        per_token = float(to_itself + to_text + 12 * width * width)
        self.work += positions * 2.0 * width * width + depth * (positions * per_token + context)
        self.kept += positions * width * (4 + 30 * depth)
        self._alive(positions * width * 15)
