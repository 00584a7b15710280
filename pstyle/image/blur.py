"""Gaussian blur, the same for all pictures or with a deviation for each."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .padding import pad
from .separable import filtered

DEVIATIONS = 3  # that a Gaussian window reaches to each side


def reach_px(sigma_px: float) -> int:
    """The radius of the window of a Gaussian."""
    return max(1, math.ceil(DEVIATIONS * sigma_px))


def gaussian_blur(x: Tensor, sigma_px: float | Tensor, radius_px: int, border: str = "replicate") -> Tensor:
    """Maps (B, C, H, W) blurred with a Gaussian cut off at a radius, padded as `border` says (see `pad`).

    A deviation of 0 leaves a picture as it is. One number for all pictures makes sums of shifted maps, which
    are fastest on a CPU; a tensor (1 or B, 1, 1, 1) of deviations makes one convolution along each axis.
    """
    padded = pad(x, radius_px, border)
    if not isinstance(sigma_px, Tensor):
        shares = _windows(x.new_tensor([sigma_px], device="cpu"), radius_px)[0].tolist()
        return filtered(filtered(padded, 3, shares), 2, shares)
    batch, channels = x.shape[:2]
    kernels = _windows(sigma_px, radius_px).expand(batch, -1).repeat_interleave(channels, 0)[:, None]
    maps = padded.reshape(1, batch * channels, *padded.shape[2:])
    maps = F.conv2d(maps, kernels[:, :, None], groups=batch * channels)
    maps = F.conv2d(maps, kernels[..., None], groups=batch * channels)
    return maps.view(batch, channels, *maps.shape[2:])


def _windows(sigma_px: Tensor, radius_px: int) -> Tensor:
    """Normalized Gaussian windows, (N, 2 * radius + 1), of N deviations."""
    away = torch.arange(-radius_px, radius_px + 1).to(sigma_px)
    window = torch.exp(-0.5 * (away / sigma_px.view(-1, 1).clamp_min(1e-3)) ** 2)
    return window / window.sum(1, keepdim=True)
