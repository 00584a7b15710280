"""Colors of procedural pictures: limited palettes drawn from a seed, and repainting a picture with one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..image.colors import luma


def from_oklch(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """Lightness 0 to 1, chroma 0 to about 0.3 and hue in radians (Ottosson 2020, Oklab) -> sRGB (..., 3)."""
    a, b = chroma * hue.cos(), chroma * hue.sin()
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    linear = torch.stack([red, green, blue], -1).clamp(0, 1)
    return torch.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-8) ** (1 / 2.4) - 0.055
    )


def random_palette(seed: int, count: int = 6) -> Tensor:
    """A palette (count, 3) from dark to light: one or two families of hues, dull or bright, by `seed`."""
    generator = torch.Generator().manual_seed(seed)
    base, spread, bright, second = torch.rand(4, generator=generator).tolist()
    lightness = torch.linspace(0.2, 0.95, count) + 0.06 * (torch.rand(count, generator=generator) - 0.5)
    other = (torch.rand(count, generator=generator) < 0.4 * second + 0.15).float()
    hue = (
        2 * math.pi * (base + (0.04 + 0.16 * spread) * torch.randn(count, generator=generator) + other * 0.45)
    )
    # Neither the darkest nor the lightest color can be vivid.
    vivid = (1 - (2 * lightness - 1.1).abs() ** 2).clamp_min(0.1)
    return from_oklch(lightness, (0.05 + 0.17 * bright) * vivid, hue)


def recolor(image: Tensor, palette: Tensor, softness: float = 0.06) -> Tensor:
    """Repaint (1, 3, H, W) with the colors of a palette (K, 3), chosen mostly by brightness."""
    weight = image.new_tensor([0.6, 0.6, 0.6, 2.0])
    shades = torch.cat([palette, luma(palette.view(-1, 3, 1, 1)).view(-1, 1)], 1) * weight  # (K, 4)
    pixels = torch.cat([image, luma(image)], 1)[0].flatten(1).T * weight  # (H*W, 4)
    near = torch.softmax(-torch.cdist(pixels, shades).square() / softness, 1)
    return (near @ palette).T.reshape(image.shape)


def saturate(image: Tensor, amount: float) -> Tensor:
    """Move colors away from gray (amount > 1) or towards it (< 1); the brightness stays."""
    gray = luma(image)
    return (gray + amount * (image - gray)).clamp(0, 1)
