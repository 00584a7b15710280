"""Screens: the grid of dots that newspapers and books print pictures with."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .fields import uniform


def screen(like: Tensor, period_px: Tensor, degrees: Tensor, rng: torch.Generator) -> Tensor:
    """Light and dark dots (B, 1, H, W) from -1 to 1 on a turned square grid, for pictures (B, C, H, W).

    Dots of one kind are `period_px` apart, and rows of them lie at `degrees`, both (B, 1, 1, 1); where the
    grid begins is drawn.
    """
    rows, columns = (torch.arange(side, device=like.device, dtype=like.dtype) for side in like.shape[2:])
    turn = degrees * math.pi / 180
    along = columns * turn.cos() + rows[:, None] * turn.sin()
    across = rows[:, None] * turn.cos() - columns * turn.sin()
    start = uniform((2, len(like), 1, 1, 1), rng, like)
    return math.prod(
        torch.cos(2 * math.pi * (place / period_px + first))
        for place, first in zip((along, across), start, strict=True)
    )
