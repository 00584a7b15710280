"""Gaussian blur, with one deviation for all pictures or one for each."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .padding import pad
from .separable import filtered

DEVIATIONS = 3  # half width of a Gaussian window


def reach_px(sigma_px: float) -> int:
    """The radius of a Gaussian window in pixels."""
    return max(1, math.ceil(DEVIATIONS * sigma_px))


def gaussian_blur(x: Tensor, sigma_px: float | Tensor, radius_px: int, border: str = "replicate") -> Tensor:
    """Blur maps (B, C, H, W) by a Gaussian cut off at a radius; `border` is a mode of `pad`.

    A deviation of 0 leaves a picture unchanged. A single number is computed as sums of shifted maps, fastest
    on a CPU; a tensor (1 or B, 1, 1, 1) of deviations as one convolution along each axis.
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
    """Normalized Gaussian windows (N, 2 * radius + 1) of N deviations."""
    away = torch.arange(-radius_px, radius_px + 1).to(sigma_px)
    window = torch.exp(-0.5 * (away / sigma_px.view(-1, 1).clamp_min(1e-3)) ** 2)
    return window / window.sum(1, keepdim=True)
