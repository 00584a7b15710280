"""A source at another size, resampled piece by piece: like `resize_to`, or by a smooth spline."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .boxes import Box
from .sources import Source

PIECE_ROWS = 64  # of the resized picture, computed at once
Kernel = Callable[[Tensor], Tensor]  # distances in pixels -> shares


def triangle(distance: Tensor) -> Tensor:
    """The triangle kernel of bilinear interpolation, antialiased when a picture is reduced."""
    return (1 - distance).clamp_min(0)


def cubic(distance: Tensor) -> Tensor:
    """The cubic B-spline, which shows no grid at any enlargement; it blurs unless the input is prefiltered.

    Unser et al., IEEE Transactions on Signal Processing 1993.
    """
    return ((2 - distance).clamp_min(0) ** 3 - 4 * (1 - distance).clamp_min(0) ** 3) / 6


def resized(source: Source, height: int, width: int, kernel: Kernel = triangle) -> Source:
    """A source at another size; the source itself if the size is its own."""
    if (height, width) == (source.height, source.width):
        return source
    return _Resized(source, height, width, kernel)


class _Resized:
    def __init__(self, source: Source, height: int, width: int, kernel: Kernel) -> None:
        self.source, self.height, self.width, self.kernel = source, height, width, kernel

    def read(self, box: Box) -> Tensor:
        """The pixels of a box of the resized picture."""
        down = _Axis(self.height, self.source.height, self.kernel)
        across = _Axis(self.width, self.source.width, self.kernel)
        top, bottom = down.reach(box.top, box.bottom)
        left, right = across.reach(box.left, box.right)
        part = self.source.read(Box(top, left, bottom, right))
        part = across.resampled(part.mT, box.left, box.right).mT
        return down.resampled(part, box.top, box.bottom)  # rows last, so that they are contiguous in memory


class _Axis(NamedTuple):
    """The rows of a picture, resampled from those of another of `source_size` rows."""

    size: int
    source_size: int
    kernel: Kernel

    def reach(self, start: int, stop: int) -> tuple[int, int]:
        """The range of source rows (first, last + 1) that the rows `start` to `stop` depend on."""
        around = 2 * self._width()
        first, last = (self._center(row) for row in (start, stop - 1))
        return max(0, int(first - around)), min(self.source_size, int(last + around) + 2)

    def resampled(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Rows `start` to `stop`, (1, C, h, W), from the source rows that they depend on, (1, C, H, W).

        Computed piece by piece, since the full weight matrix would be nearly all zeros.
        """
        begin, found = self.reach(start, stop)[0], []
        for row in range(start, stop, PIECE_ROWS):
            end = min(row + PIECE_ROWS, stop)
            first, last = self.reach(row, end)
            found.append(self._shares(row, end, first, last) @ x[:, :, first - begin : last - begin])
        return torch.cat(found, dim=2)

    def _shares(self, start: int, stop: int, first: int, last: int) -> Tensor:
        """The weights of source rows in rows, (stop - start, last - first); 0 beyond the ends."""
        centers = self._center(torch.arange(start, stop, dtype=torch.float64))
        distance = (torch.arange(first, last, dtype=torch.float64) - centers.view(-1, 1)).abs()
        shares = self.kernel(distance / self._width())
        return (shares / shares.sum(1, keepdim=True)).float()

    def _center(self, row: float | Tensor) -> float | Tensor:
        """The position of a row in the source."""
        return (row + 0.5) * self.source_size / self.size - 0.5

    def _width(self) -> float:
        """The kernel's unit in source rows."""
        return max(self.source_size / self.size, 1.0)
