"""Padding by any number of pixels, in the modes of networks and filters, and to a multiple and back."""

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


def pad_to_multiple(image: Tensor, multiple: int, minimum: int = 1) -> tuple[Tensor, tuple[int, int]]:
    """Pad (B, C, H, W) at the bottom and right until both sides are multiples and at least `minimum` pixels.

    The border is reflected as far as the picture allows; beyond that the last row or column is repeated.
    Returns the padded picture and the (H, W) for `crop_back`.
    """
    height, width = image.shape[2:]
    bottom, right = (-(-max(side, minimum) // multiple) * multiple - side for side in (height, width))
    if not bottom and not right:
        return image, (height, width)
    down, across = min(bottom, height - 1), min(right, width - 1)  # a reflection is shorter than the side
    padded = F.pad(image, (0, across, 0, down), mode="reflect")
    padded = F.pad(padded, (0, right - across, 0, bottom - down), mode="replicate")
    return padded, (height, width)


def crop_back(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Undo `pad_to_multiple`: the first (H, W) pixels of (B, C, ...)."""
    height, width = size
    if image.shape[2] < height or image.shape[3] < width:
        raise ValueError(f"cannot crop {width}x{height} px from {image.shape[3]}x{image.shape[2]} px")
    return image[:, :, :height, :width]
