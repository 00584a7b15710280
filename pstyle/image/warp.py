"""Bilinear sampling of pictures at fractional positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def at_pixels(picture: Tensor, row: Tensor, column: Tensor, mode: str = "bicubic") -> Tensor:
    """Sample pictures (B, C, H, W) at rows and columns, counted from 0, that broadcast to (h, w).

    Returns (B, C, h, w); the border extends outward.
    """
    height, width = picture.shape[2:]
    x, y = 2 * column / max(width - 1, 1) - 1, 2 * row / max(height - 1, 1) - 1
    grid = torch.stack(torch.broadcast_tensors(x, y), dim=-1).to(picture).expand(len(picture), -1, -1, -1)
    return F.grid_sample(picture, grid, mode=mode, padding_mode="border", align_corners=True)
