"""Protocols for pictures that are read and written piece by piece, and an in-memory picture for both.

A source may compute the pixels on request, so sources stack: a resized one on a file, a painting on that.
Nothing larger than a tile with its surroundings is ever held in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from .boxes import Box, tiles

TILE_PX = 1024  # side of a tile; a multiple of every stride

OnTile = Callable[[int, int], None]  # tiles done, tiles in all; may raise to stop


class Source(Protocol):
    """A `height` x `width` picture that can be read piece by piece."""

    height: int
    width: int

    def read(self, box: Box) -> Tensor:
        """The pixels (1, C, h, w) of a box within the picture: float32 in [0, 1], on the CPU."""


class Sink(Protocol):
    """A picture that is written piece by piece, row by row of tiles from the top."""

    def write(self, box: Box, pixels: Tensor) -> None:
        """Write the pixels (1, C, h, w) of a box. Raises OSError if there is no room for them."""


class InMemory:
    """A picture (1, C, H, W) as a source and a sink."""

    def __init__(self, image: Tensor) -> None:
        self.image = image
        self.height, self.width = image.shape[2:]

    @classmethod
    def empty(cls, height: int, width: int, channels: int = 3) -> InMemory:
        """An empty picture to write to."""
        return cls(torch.empty(1, channels, height, width))

    def read(self, box: Box) -> Tensor:
        """The pixels of a box."""
        return box.of(self.image)

    def write(self, box: Box, pixels: Tensor) -> None:
        """Write the pixels of a box."""
        box.of(self.image).copy_(pixels)


def copy(source: Source, sink: Sink, side_px: int = TILE_PX, on_tile: OnTile | None = None) -> None:
    """Copy a source into a sink, tile by tile."""
    boxes = list(tiles(source.height, source.width, side_px))
    for done, box in enumerate(boxes, start=1):
        sink.write(box, source.read(box))
        if on_tile:
            on_tile(done, len(boxes))


def loaded(source: Source, side_px: int = TILE_PX, channels: int = 3) -> Tensor:
    """Read a whole source of this many channels into a tensor (1, C, H, W)."""
    found = InMemory.empty(source.height, source.width, channels)
    copy(source, found, side_px)
    return found.image
