"""Padding by any number of pixels, in every mode that networks and filters here use."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PADDINGS = ("reflect", "replicate", "circular", "zeros", "valid")


def pad(x: Tensor, amount: int, mode: str) -> Tensor:
    """Pad height and width of (B, C, H, W) by `amount` pixels; reflection falls back to replication where
    it cannot.
    """
    if mode == "valid" or amount == 0:
        return x
    if mode == "zeros":
        return F.pad(x, (amount,) * 4)
    if mode == "circular":  # the panorama's x axis wraps; its poles do not
        x = F.pad(x, (amount, amount, 0, 0), mode="circular")
        return F.pad(x, (0, 0, amount, amount), mode="replicate")
    if mode == "reflect" and min(x.shape[2:]) <= amount:
        mode = "replicate"
    if mode == "reflect" and x.is_cuda:  # CUDA's own leaves channels_last, to which convolutions go back
        return reflected(reflected(x, amount, 2), amount, 3)
    return F.pad(x, (amount,) * 4, mode=mode)


def reflected(x: Tensor, amount: int, axis: int) -> Tensor:
    """Pad both ends of an axis by reflection, in x's memory layout."""
    before = x.narrow(axis, 1, amount).flip(axis)
    after = x.narrow(axis, x.shape[axis] - 1 - amount, amount).flip(axis)
    return torch.cat([before, x, after], dim=axis)
