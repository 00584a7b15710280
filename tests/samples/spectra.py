"""What the tests of samples look at: known pictures, and the waves in a picture."""

from __future__ import annotations

import math

import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from pstyle.samples.pixel_fields import blur


def photo(name: str, size_px: int = 128) -> Tensor:
    pixels = torch.from_numpy(np.array(getattr(skimage.data, name)())).float().div(255).permute(2, 0, 1)[None]
    side = min(pixels.shape[2:])
    return F.interpolate(pixels[..., :side, :side], (size_px, size_px), mode="area")


def flat(value: float, size_px: int = 128) -> Tensor:
    return torch.full((1, 3, size_px, size_px), value)


def grating(size_px: int, wavelength_px: float, angle: float) -> Tensor:
    """Stripes that run along `angle`, radians from the x axis."""
    y, x = torch.meshgrid(torch.arange(size_px), torch.arange(size_px), indexing="ij")
    wave = torch.sin(2 * math.pi * (y * math.cos(angle) - x * math.sin(angle)) / wavelength_px)
    return (0.5 + 0.4 * wave).expand(1, 3, -1, -1)


def spectrum(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Power, and frequencies down and right in cycles per pixel, of a picture's brightness."""
    gray = image.mean(1)[0]
    window = torch.hann_window(len(gray), periodic=False)
    power = torch.fft.fft2((gray - gray.mean()) * window * window.view(-1, 1)).abs().square()
    frequency = torch.fft.fftfreq(len(gray))
    return power, frequency.view(-1, 1).expand_as(power), frequency.expand_as(power)


def peak(image: Tensor, longest_px: float = 40) -> tuple[float, float]:
    """Wavelength in pixels and direction of the crests, radians, where the smoothed spectrum is strongest."""
    power, down, right = spectrum(image)
    power = blur(torch.fft.fftshift(power)[None, None], 1.0)[0, 0]
    down, right = torch.fft.fftshift(down), torch.fft.fftshift(right)
    power = power * ((down**2 + right**2).sqrt() > 1 / longest_px)
    top = int(power.argmax())
    fy, fx = float(down.flatten()[top]), float(right.flatten()[top])
    return 1 / math.hypot(fy, fx), math.atan2(-fx, fy) % math.pi


def turn_between(first: float, second: float) -> float:
    return abs((first - second + math.pi / 2) % math.pi - math.pi / 2)
