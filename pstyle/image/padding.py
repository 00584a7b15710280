"""Padding of pictures and feature maps, in the modes that networks and filters use."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PADDINGS = ("reflect", "replicate", "circular", "zeros", "valid")


def pad(x: Tensor, amount: int, mode: str) -> Tensor:
    """Pad height and width of (B, C, H, W) by `amount` pixels on each side, or not at all if "valid".

    "circular" wraps the x axis of a panorama and replicates its poles. "reflect" needs more than `amount`
    pixels; with fewer it replicates.
    """
    if mode == "valid" or amount == 0:
        return x
    if mode == "zeros":
        return F.pad(x, (amount,) * 4)
    if mode == "circular":
        x = F.pad(x, (amount, amount, 0, 0), mode="circular")
        return F.pad(x, (0, 0, amount, amount), mode="replicate")
    if mode == "reflect" and min(x.shape[2:]) <= amount:
        mode = "replicate"
    if mode == "reflect" and x.is_cuda:  # CUDA's reflection loses channels_last, which convolutions need
        return reflected(reflected(x, amount, 2), amount, 3)
    return F.pad(x, (amount,) * 4, mode=mode)


def reflected(x: Tensor, amount: int, axis: int) -> Tensor:
    """Pad both ends of an axis by reflection, keeping the memory layout of x."""
    before = x.narrow(axis, 1, amount).flip(axis)
    after = x.narrow(axis, x.shape[axis] - 1 - amount, amount).flip(axis)
    return torch.cat([before, x, after], dim=axis)
