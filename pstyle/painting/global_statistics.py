"""Exact global statistics for tiled painting, accumulated over tiles, layer by layer.

Each pass over the picture finds the statistics of the sites whose features depend only on sites already
known. Sites without statistics yet output NaN, and a site whose input has NaN waits for a later pass.
Thumbnail instance norm (Chen et al., arXiv 2103.11784) makes one pass over a reduced picture instead, whose
statistics differ, and with them the painting's contrast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..image.padding import pad_to_multiple
from ..nets.generator import STRIDE, STYLE_LAYERS, Modulation
from ..nets.layers import Statistics, StopForward, statistics_of_bands
from ..nets.moments import mix_by_layer, moments
from .boxes import Box, tiles
from .native import FULL_STRENGTH, MIN_SIDE_PX, Amounts, GlobalStatistics, NativePainter
from .receptive_field import generator_reach_px, vgg_reach_px
from .sources import Source


@dataclass(frozen=True)
class Tile:
    """A tile of a `height` x `width` picture: its own part `core`, and `window` with its surroundings."""

    core: Box
    window: Box
    height: int
    width: int

    def own(self, x: Tensor) -> Tensor:
        """The core's part of the window's features (B, C, h, w), with the padding at the picture's end."""
        stride = -(-max(self.window.height, MIN_SIDE_PX) // STRIDE) * STRIDE // x.shape[2]
        top, left, bottom, right = (side // stride for side in self.core.seen_from(self.window))
        last_row = None if self.core.bottom == self.height else bottom
        last_column = None if self.core.right == self.width else right
        return x[:, :, top:last_row, left:last_column]


def tiles_of(source: Source, side_px: int, reach_px: int) -> Iterator[Tile]:
    """The tiles of a source with their receptive fields, aligned to the generator's stride."""
    for core in tiles(source.height, source.width, side_px):
        window = core.grown(reach_px).aligned(STRIDE).clipped(source.height, source.width)
        yield Tile(core, window, source.height, source.width)


@torch.inference_mode()
def global_statistics_of(
    painter: NativePainter, source: Source, amounts: Amounts, side_px: int
) -> GlobalStatistics:
    """The global statistics that make a part of a source paint as in the whole, found tile by tile.

    `side_px` is a multiple of 8. Raises ValueError if features are not finite.
    """
    own = None if amounts == FULL_STRENGTH else _own_modulation(painter, source, side_px)
    painted, rebuilt = Gathered(), Gathered()
    reach_px = generator_reach_px(painter.generator.config)
    while painted.is_open or rebuilt.is_open:
        for tile in tiles_of(source, side_px, reach_px):
            painted.begin(tile)
            rebuilt.begin(tile)
            origin = (tile.window.top, tile.window.left)
            painter.observe(source.read(tile.window), amounts, own, painted, rebuilt, origin=origin)
        painted.end_pass()
        rebuilt.end_pass()
    return GlobalStatistics(own, painted.known, rebuilt.known)


class Gathered:
    """Normalizes known sites by their statistics, and accumulates the others' over the tiles of a pass."""

    def __init__(self) -> None:
        self.known: dict[str, Statistics] = {}
        self.is_open = True  # whether some sites may still be unknown
        self._running: dict[str, RunningStatistics] = {}  # of this pass, in the order of the sites
        self._is_waiting = False  # whether a site of this pass has unknown features

    def begin(self, tile: Tile) -> None:
        """Start a tile: the features that follow are its."""
        self._tile = tile
        self._last = next(reversed(self._running), None)  # of the previous tile; later sites are unknown

    def __call__(self, site: str, x: Tensor) -> Statistics:
        """Statistics of a site, or NaN if unknown; then finite features x (1, C, h, w) are accumulated.

        Raises StopForward after the last site of the pass.
        """
        if site in self.known:
            return self.known[site]
        if x[0, 0, 0, 0].isnan():
            self._is_waiting = True
        else:
            self._running.setdefault(site, RunningStatistics()).add(self._tile.own(x))
        if site == self._last:
            raise StopForward
        nothing = x.new_full((1, x.shape[1], 1, 1), torch.nan, dtype=torch.float32)
        return Statistics(nothing, nothing)

    def end_pass(self) -> None:
        """End a pass: its sites become known. Raises ValueError if there were none and some are missing."""
        if self._is_waiting and not self._running:
            raise ValueError("the features of this picture in this style are not finite: lower the strength")
        self.known |= {site: running.statistics() for site, running in self._running.items()}
        self.is_open, self._is_waiting, self._running = self._is_waiting, False, {}


class RunningStatistics:
    """Mean and variance of a map, accumulated in float64 (Chan et al., The American Statistician 1983)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Tensor | float = 0.0  # (1, C, 1, 1)
        self.squares: Tensor | float = 0.0  # sum of squared differences from the mean

    def add(self, x: Tensor) -> None:
        """Add a piece (1, C, h, w)."""
        count = x.shape[2] * x.shape[3]
        dense = x.float().contiguous(memory_format=torch.channels_last)
        mean, variance = (value.double() for value in statistics_of_bands(dense))
        difference = mean - self.mean
        total = self.count + count
        self.mean = self.mean + difference * (count / total)
        between = difference.square() * (self.count * count / total)
        self.squares = self.squares + variance * count + between
        self.count = total

    def statistics(self) -> Statistics:
        """The statistics of all pieces."""
        return Statistics(self.mean.float(), (self.squares / self.count).float())


def _own_modulation(painter: NativePainter, source: Source, side_px: int) -> Modulation:
    """The modulation of a source's own style, from the moments of its tiles."""
    found, pixels = None, 0
    reach_px = vgg_reach_px(painter.vgg.width, painter.vgg.inner)
    for tile in tiles_of(source, side_px, reach_px):
        part, _ = pad_to_multiple(source.read(tile.window), STRIDE, MIN_SIDE_PX)
        x = part.to(painter.device)
        features = {"image": x} | painter.reader(x, STYLE_LAYERS)
        own = {name: moments(tile.own(value)) for name, value in features.items()}
        weights = [pixels, tile.own(x)[0, 0].numel()]
        found = mix_by_layer([found, own], weights) if found else own
        pixels = sum(weights)
    return painter.modulation_of(found)
