"""A source at another size, resampled piece by piece: as `images.resize_to` does it whole, or smoothly."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .boxes import Box
from .sources import Source

PIECE_ROWS = 64  # of the resized picture, computed at once
Kernel = Callable[[Tensor], Tensor]  # distances in pixels -> shares


def triangle(distance: Tensor) -> Tensor:
    """Bilinear interpolation; antialiased where a picture is made smaller."""
    return (1 - distance).clamp_min(0)


def cubic(distance: Tensor) -> Tensor:
    """The cubic B-spline: no lattice shows, however large a picture is made. It blurs what is not prefiltered
    (Unser et al., IEEE Transactions on Signal Processing 1993).
    """
    return ((2 - distance).clamp_min(0) ** 3 - 4 * (1 - distance).clamp_min(0) ** 3) / 6


def resized(source: Source, height: int, width: int, kernel: Kernel = triangle) -> Source:
    """A source at another size: itself if that is its own."""
    if (height, width) == (source.height, source.width):
        return source
    return _Resized(source, height, width, kernel)


class _Resized:
    def __init__(self, source: Source, height: int, width: int, kernel: Kernel) -> None:
        self.source, self.height, self.width, self.kernel = source, height, width, kernel

    def read(self, box: Box) -> Tensor:
        """The pixels of a box of the resized picture."""
        rows, columns = (box.top, box.bottom), (box.left, box.right)
        top, bottom, down = _weights(*rows, self.height, self.source.height, self.kernel)
        left, right, across = _weights(*columns, self.width, self.source.width, self.kernel)
        part = self.source.read(Box(top, left, bottom, right))
        return _banded(across, _banded(down, part).mT).mT


def _banded(shares: Tensor, x: Tensor) -> Tensor:
    """The product of shares (h, H) and maps (1, C, H, W), piece by piece: most shares are 0, those of a piece
    but in a band. At 1024 px a quarter of the time of the whole.
    """
    found = []
    for piece in shares.split(PIECE_ROWS):
        used = piece.any(0).nonzero()
        first, last = used[0].item(), used[-1].item() + 1
        found.append(piece[:, first:last] @ x[:, :, first:last])
    return torch.cat(found, dim=2)


def _weights(start: int, stop: int, size: int, source_size: int, kernel: Kernel) -> tuple[int, int, Tensor]:
    """Which pixels of a row of `source_size` the pixels `start` to `stop` of a row of `size` are made of:
    first, last + 1, and their shares (stop - start, last + 1 - first). Beyond the ends there are none.
    """
    scale = source_size / size
    width = max(scale, 1.0)  # of the kernel's unit
    centers = (torch.arange(start, stop, dtype=torch.float64) + 0.5) * scale - 0.5
    first = max(0, int(centers[0] - 2 * width))
    last = min(source_size, int(centers[-1] + 2 * width) + 2)
    distance = (torch.arange(first, last, dtype=torch.float64) - centers.view(-1, 1)).abs()
    shares = kernel(distance / width)
    return first, last, (shares / shares.sum(1, keepdim=True)).float()
