"""Filling holes with the smoothest continuation of what lies around them.

Smooth is what makes the squared Laplacian least (biharmonic inpainting, Damelin & Hoang, arXiv 1712.06259):
shades and slopes go on across the border. We differ in adding some tension, a share of the squared gradient:
else the slopes of a texture at the border carry a large hole far beyond black and white. Solved by conjugate
gradients, from a solution at half the size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.padding import crop_back, pad_to_multiple

STEPS = 200  # of conjugate gradients at each size; with 40 shades stay behind in large holes
SMALLEST_PX = 8
TENSION = 0.003  # of the gradient beside the Laplacian: slopes go on for 1 / sqrt(TENSION) pixels
KNOWN = 0.5  # share of known pixels from which a pixel of a smaller picture counts as known


def smoothly_filled(image: Tensor, lost: Tensor, tension: float = TENSION) -> Tensor:
    """Pictures (B, C, H, W) continued into what is lost (B, 1, H, W), as truth."""
    if not lost.any():
        return image
    return torch.where(lost, _solved(_start(image, lost, tension), lost, tension), image)


def _start(image: Tensor, lost: Tensor, tension: float) -> Tensor:
    """A first guess: the solution at half the size; at the smallest, the mean of what is known."""
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
    """Lost pixels moved until they make bending and tension small; no step makes them larger."""
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
