"""Filling holes with the smoothest continuation of their surroundings.

The squared Laplacian is minimized (biharmonic inpainting, Damelin & Hoang, arXiv 1712.06259), so shades and
slopes continue across the border. We differ in adding some tension, a share of the squared gradient;
otherwise the slopes of a texture at the border drive a large hole far beyond black and white. Solved by
conjugate gradients, starting from a solution at half the size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.padding import crop_back, pad_to_multiple

STEPS = 200  # of conjugate gradients at each size; 40 do not converge in large holes
SMALLEST_PX = 8
TENSION = 0.003  # weight of the gradient; slopes continue for 1 / sqrt(TENSION) pixels
KNOWN = 0.5  # share of known pixels above which a pixel of a reduced picture counts as known


def smoothly_filled(image: Tensor, lost: Tensor, tension: float = TENSION) -> Tensor:
    """Continue pictures (B, C, H, W) smoothly into the lost area, a boolean mask (B, 1, H, W)."""
    if not lost.any():
        return image
    return torch.where(lost, _solved(_start(image, lost, tension), lost, tension), image)


def _start(image: Tensor, lost: Tensor, tension: float) -> Tensor:
    """An initial guess: the solution at half the size; at the smallest, the mean of the known pixels."""
    known = (~lost).to(image)
    if min(image.shape[2:]) < 2 * SMALLEST_PX:
        mean = (image * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp_min(1)
        return torch.where(lost, mean, image)
    both, size = pad_to_multiple(torch.cat([image * known, known], dim=1), 2)
    half = F.avg_pool2d(both, 2)
    share = half[:, -1:]
    smaller = smoothly_filled(half[:, :-1] / share.clamp_min(KNOWN), share < KNOWN, 4 * tension)
    larger = F.interpolate(smaller, scale_factor=2, mode="bilinear")
    return torch.where(lost, crop_back(larger, size), image)


def _solved(start: Tensor, lost: Tensor, tension: float) -> Tensor:
    """Minimize bending and tension over the lost pixels; no step increases them."""
    inside = lost.to(start)
    change = torch.zeros_like(start)
    residual = -_slope(start, tension) * inside
    direction, size = residual, _inner(residual, residual)
    for _ in range(STEPS):
        curved = _slope(direction, tension) * inside
        share = size / _inner(direction, curved).clamp_min(1e-20)
        change = change + share * direction
        residual = residual - share * curved
        before, size = size, _inner(residual, residual)
        direction = residual + size / before.clamp_min(1e-20) * direction
    return start + change


def _slope(x: Tensor, tension: float) -> Tensor:
    """Half the gradient of bending and tension of x (B, C, H, W), whose border repeats."""
    bent = _laplacian(x)
    return _laplacian(bent) - tension * bent


def _laplacian(x: Tensor) -> Tensor:
    around = F.pad(x, (1,) * 4, mode="replicate")
    middle = slice(1, -1)
    beside = around[..., middle, 2:] + around[..., middle, :-2]
    return beside + around[..., 2:, middle] + around[..., :-2, middle] - 4 * x


def _inner(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((2, 3), keepdim=True)
