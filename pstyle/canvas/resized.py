"""A source at another size, resampled piece by piece exactly as `images.resize_to` does it whole."""

from __future__ import annotations

import torch
from torch import Tensor

from .boxes import Box
from .sources import Source


def resized(source: Source, height: int, width: int) -> Source:
    """A source at another size: itself if that is its own."""
    return source if (height, width) == (source.height, source.width) else _Resized(source, height, width)


class _Resized:
    """A source at another height and width, bilinear and antialiased."""

    def __init__(self, source: Source, height: int, width: int) -> None:
        self.source, self.height, self.width = source, height, width

    def read(self, box: Box) -> Tensor:
        """The pixels of a box of the resized picture."""
        top, bottom, rows = _weights(box.top, box.bottom, self.height, self.source.height)
        left, right, columns = _weights(box.left, box.right, self.width, self.source.width)
        return rows @ self.source.read(Box(top, left, bottom, right)) @ columns.T


def _weights(start: int, stop: int, size: int, source_size: int) -> tuple[int, int, Tensor]:
    """Which pixels of a row of `source_size` the pixels `start` to `stop` of a row of `size` are made of:
    first, last + 1, and their shares (stop - start, last + 1 - first). A triangle, as wide as antialiasing
    needs it.
    """
    scale = source_size / size
    reach = max(scale, 1.0)
    centers = (torch.arange(start, stop, dtype=torch.float64) + 0.5) * scale - 0.5
    first = max(0, int(centers[0] - reach))
    last = min(source_size, int(centers[-1] + reach) + 2)
    distance = (torch.arange(first, last, dtype=torch.float64) - centers.view(-1, 1)).abs()
    shares = (1 - distance / reach).clamp_min(0)
    return first, last, (shares / shares.sum(1, keepdim=True)).float()
