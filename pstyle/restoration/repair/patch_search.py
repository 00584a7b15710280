"""Nearest-neighbor search among the patches of one picture."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS_PX = 4
SIDE_PX = 2 * RADIUS_PX + 1
CHUNK = 1 << 12  # patches compared at once


class Places(NamedTuple):
    """Pixels of a picture by their rows and columns, (N,) each."""

    row: Tensor
    column: Tensor

    def moved(self, down: int, across: int) -> Places:
        """The pixels shifted by rows down and columns to the right."""
        return Places(self.row + down, self.column + across)

    def chosen(self, which: Tensor) -> Places:
        """A subset, by indices or a boolean mask."""
        return Places(self.row[which], self.column[which])

    def of(self, maps: Tensor) -> Tensor:
        """The values (N, ...) of maps (H, W, ...) there."""
        return maps[self.row, self.column]


def places_of(chosen: Tensor) -> Places:
    """The pixels where `chosen` (H, W) is true."""
    return Places(*chosen.nonzero().unbind(1))


def patches_at(maps: Tensor, places: Places) -> Tensor:
    """The patches (N, SIDE_PX**2 * C) around places of maps (H, W, C), at least a radius from the border."""
    height, width, channels = maps.shape
    # Whole rows of pixels are contiguous in memory: nine times fewer pieces to gather.
    rows = maps.flatten().as_strided((height * width - 2 * RADIUS_PX, SIDE_PX * channels), (channels, 1))
    steps = torch.arange(-RADIUS_PX, RADIUS_PX + 1, device=maps.device) * width - RADIUS_PX
    index = (places.row * width + places.column)[:, None] + steps
    return rows.index_select(0, index.flatten()).view(len(index), SIDE_PX**2 * channels)


def nearest(wanted: Tensor, weights: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The index of the nearest of the patches (M, P) for each wanted one (N, P), and its distance, (N,) each.

    The distance is the sum of squared differences weighted by (N, P).
    """
    found = []
    for x, w in zip(wanted.split(CHUNK), weights.split(CHUNK), strict=True):
        cost = torch.addmm((w * x * x).sum(1, keepdim=True), w * x, known.T, alpha=-2)
        found.append(cost.addmm_(w, known.square().T).min(1))
    return torch.cat([part.indices for part in found]), torch.cat([part.values for part in found])


def weighted_costs(wanted: Tensor, weights: Tensor, found: Tensor) -> Tensor:
    """The weighted sum of squared differences (N,) of corresponding patches (N, P)."""
    return (weights * (wanted - found).square()).sum(1)


def grown(chosen: Tensor, radius_px: int) -> Tensor:
    """Dilate the chosen pixels (H, W) by a square of the given radius."""
    return F.max_pool2d(chosen[None, None].float(), 2 * radius_px + 1, 1, radius_px)[0, 0] > 0
