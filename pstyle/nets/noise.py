"""Noise that depends on the position alone, which the generator turns into strokes in flat areas.

Ulyanov et al., arXiv 1603.03417, draw new noise for each picture. We hash row, column and layer instead: this
needs no random state, is equal on every device, and gives a tile the noise of its place in the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LOW_32 = 0xFFFFFFFF
STEPS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)  # odd constants that keep rows, columns and layers apart
MIXING = (0x7FEB352D, 0x846CA68B)  # Ellis' lowbias32


def position_noise(
    like: Tensor, layers: Sequence[int], origin: tuple[int, int] = (0, 0), around: int | None = None
) -> Tensor:
    """White noise (B, len(layers), H, W), uniform with mean 0 and variance 1, for maps (B, C, H, W).

    `origin` is the row and column of the maps' corner in the whole picture; in a panorama, columns start over
    after `around`.
    """
    batch, _, height, width = like.shape
    count = {"device": like.device, "dtype": torch.int64}
    rows = torch.arange(height, **count) + origin[0]
    columns = torch.arange(width, **count) + origin[1]
    columns = columns % around if around else columns
    numbers = torch.tensor(layers, **count)
    key = rows.view(-1, 1) * STEPS[0] + columns * STEPS[1] + (numbers.view(-1, 1, 1) + 1) * STEPS[2]
    for multiplier in MIXING:
        key = _folded(key) * multiplier
    uniform = _folded(key).to(torch.float32) / LOW_32
    return ((uniform - 0.5) * 12**0.5).to(like.dtype).expand(batch, -1, -1, -1)


def _folded(key: Tensor) -> Tensor:
    low = key & LOW_32
    return low ^ (low >> 16)
