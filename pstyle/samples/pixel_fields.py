"""Fields over the pixel grid for procedural artists: structure of the picture, and noise.

A field is a float32 tensor (1, 1, H, W). Angles are in radians, with x to the right and y down.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.blur import reach_px
from ..image.colors import luma
from ..image.separable import filtered
from ..image.warp import at_pixels


def smoothstep(low: float | Tensor, high: float | Tensor, values: Tensor) -> Tensor:
    """0 below `low`, 1 above `high`, smooth between."""
    t = ((values - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def blur(image: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur with replicated borders, (B, C, H, W); wide blurs run on a reduced picture."""
    height, width = image.shape[-2:]
    factor = int(sigma_px / 2)
    if factor >= 2 and min(height, width) >= 4 * factor:
        padded = F.pad(image, (0, -width % factor, 0, -height % factor), mode="replicate")
        small = blur(F.avg_pool2d(padded, factor), sigma_px / factor)
        return F.interpolate(small, scale_factor=factor, mode="bilinear")[..., :height, :width]
    if sigma_px < 0.2:
        return image
    radius = reach_px(sigma_px)
    weights = [math.exp(-0.5 * (offset / sigma_px) ** 2) for offset in range(-radius, radius + 1)]
    shares = [weight / sum(weights) for weight in weights]
    down = filtered(F.pad(image, (0, 0, radius, radius), mode="replicate"), 2, shares)
    return filtered(F.pad(down, (radius, radius, 0, 0), mode="replicate"), 3, shares)


def noise(
    height: int,
    width: int,
    generator: torch.Generator,
    *,
    exponent: float = 1.0,
    largest_px: float = 1e9,
    stretch: float = 1.0,
) -> Tensor:
    """Random field with amplitude spectrum 1/f^exponent, zero mean and unit deviation.

    Features above `largest_px` are as weak as those of that size; `stretch` > 1 makes them wider than high.
    """
    white = torch.randn(height, width, generator=generator)
    down = torch.fft.fftfreq(height).view(-1, 1)
    right = torch.fft.rfftfreq(width).view(1, -1) * stretch
    frequency = (down**2 + right**2 + (1 / min(largest_px, 2 * max(height, width))) ** 2).sqrt()
    shaped = torch.fft.irfft2(torch.fft.rfft2(white) * frequency**-exponent, s=(height, width))
    shaped = shaped - shaped.mean()
    return (shaped / shaped.std().clamp_min(1e-6)).view(1, 1, height, width)


def warp(image: Tensor, dx_px: Tensor, dy_px: Tensor) -> Tensor:
    """Sample every pixel (dx, dy) pixels away; offsets are fields (1, 1, H, W)."""
    height, width = image.shape[-2:]
    y = torch.arange(height).view(-1, 1) + dy_px[0, 0]
    x = torch.arange(width).view(1, -1) + dx_px[0, 0]
    return at_pixels(image, y, x, "bilinear")


def orientation(image: Tensor, smooth_px: float, fallback: float = 0.0) -> tuple[Tensor, Tensor]:
    """Angle along the edges of a picture in (-pi/2, pi/2], and its coherence in [0, 1], as fields.

    The structure tensor is summed over three scales, so that flat areas follow the edges around them;
    where there are none at all the angle is `fallback`.
    """
    gray = F.pad(blur(luma(image), 0.8), (1, 1, 1, 1), mode="replicate")
    gx = (gray[..., 1:-1, 2:] - gray[..., 1:-1, :-2]) / 2
    gy = (gray[..., 2:, 1:-1] - gray[..., :-2, 1:-1]) / 2
    tensor = torch.cat([gx * gx, gy * gy, gx * gy], 1)
    xx, yy, xy = sum(w * blur(tensor, s * smooth_px) for w, s in ((1, 1), (0.2, 3), (0.05, 9))).split(1, 1)
    # A tiny share of the fallback direction decides in flat areas.
    whisper = 1e-6
    cosine = yy - xx + whisper * math.cos(2 * fallback)
    sine = -2 * xy + whisper * math.sin(2 * fallback)
    angle = torch.atan2(sine, cosine) / 2
    coherence = ((xx - yy) ** 2 + 4 * xy**2).sqrt() / (xx + yy + 1e-5)
    return angle, coherence


def flatten(image: Tensor, radius_px: float) -> Tensor:
    """Smooth areas and keep edges: the most uniform of eight sectors win (Kuwahara 1976, Papari 2007)."""
    reach = max(1, round(radius_px))
    mean = blur(torch.cat([image, luma(image) ** 2], 1), radius_px / 2)
    spread = (mean[:, 3:] - luma(mean[:, :3]) ** 2).clamp_min(0)
    both = F.pad(torch.cat([mean[:, :3], spread], 1), (reach,) * 4, mode="replicate")
    height, width = image.shape[-2:]
    total, weights = torch.zeros_like(image), torch.zeros_like(spread)
    for turn in range(8):
        down = reach + round(reach * math.sin(turn * math.pi / 4))
        right = reach + round(reach * math.cos(turn * math.pi / 4))
        there = both[..., down : down + height, right : right + width]
        weight = (1e-4 + there[:, 3:]) ** -4 * 1e-12
        total, weights = total + weight * there[:, :3], weights + weight
    return total / weights


def smear(field: Tensor, angle: Tensor, length_px: float) -> Tensor:
    """Average a field along the stream lines of `angle` over `length_px` (line integral convolution)."""
    height, width = field.shape[-2:]
    step_px = max(1.0, length_px / 24)
    flow = torch.cat([angle.cos(), angle.sin()], 1)  # (1, 2, H, W)
    start_y, start_x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    total, flat, flat_flow = field.clone(), field.flatten(2), flow.flatten(2)
    for sign in (1.0, -1.0):
        x, y = start_x.float(), start_y.float()
        heading = flow[0] * sign
        for _ in range(round(length_px / 2 / step_px)):
            x = (x + step_px * heading[0]).clamp(0, width - 1)
            y = (y + step_px * heading[1]).clamp(0, height - 1)
            index = ((y + 0.5).long() * width + (x + 0.5).long()).flatten()
            total += flat[..., index].view_as(field)
            turn = flat_flow[0][:, index].view(2, height, width)
            # An angle has two directions: keep the one that continues the line.
            heading = torch.where((turn * heading).sum(0, keepdim=True) < 0, -turn, turn)
    return total / (1 + 2 * round(length_px / 2 / step_px))


def stripes(angle: Tensor, wavelength_px: float, generator: torch.Generator) -> Tensor:
    """Stripes in [-1, 1] along `angle`, about `wavelength_px` apart, with forks where the flow bends.

    White noise passes a bank of Gabor filters four times; each pixel mixes the filters near its angle.
    """
    size = angle.shape[-2:]
    factor = min(wavelength_px / 4.5, min(size) / 16)
    if factor > 1.05:  # wide stripes are smooth: under five pixels to a wave are enough to grow them
        doubled = torch.cat([(2 * angle).cos(), (2 * angle).sin()], 1)
        cosine, sine = F.interpolate(doubled, scale_factor=1 / factor, mode="bilinear").split(1, 1)
        small = stripes(torch.atan2(sine, cosine) / 2, wavelength_px / factor, generator)
        return F.interpolate(small, size, mode="bicubic").clamp(-1, 1)
    count, radius = 12, math.ceil(1.5 * wavelength_px)
    y, x = torch.meshgrid(*(torch.arange(-radius, radius + 1).float(),) * 2, indexing="ij")
    turns = torch.arange(count).view(-1, 1, 1) * math.pi / count
    along, across = x * turns.cos() + y * turns.sin(), y * turns.cos() - x * turns.sin()
    window = torch.exp(-0.5 * ((along / 0.9) ** 2 + (across / 0.6) ** 2) / wavelength_px**2)
    bank = window * torch.cos(2 * math.pi * across / wavelength_px)
    bank = bank - window * (bank.sum((1, 2), keepdim=True) / window.sum((1, 2), keepdim=True))
    bank = (bank / bank.square().sum((1, 2), keepdim=True).sqrt()).unsqueeze(1)  # (K, 1, k, k)
    near = torch.cos(angle - turns.view(1, -1, 1, 1)) ** 64  # (1, K, H, W)
    near = near / near.sum(1, keepdim=True)
    pattern = torch.randn(angle.shape, generator=generator)
    for _ in range(4):
        padded = F.pad(pattern, (radius,) * 4, mode="replicate")
        response = (F.conv2d(padded, bank) * near).sum(1, keepdim=True)
        pattern = torch.tanh(2 * response / response.std().clamp_min(1e-6))
    return pattern
