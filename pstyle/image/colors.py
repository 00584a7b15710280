"""Color spaces: sRGB to CIE Lab (D65) and back, and one picture's lightness with another's color."""

from __future__ import annotations

import torch
from torch import Tensor

RGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)  # D65
DELTA = 6 / 29
LUMA = (0.299, 0.587, 0.114)  # Rec. 601, of sRGB values
TOLERANCE = 1e-3  # a quarter of an 8-bit step: rounding error of an in-gamut color after the trip to Lab
HALVINGS = 16  # bisection steps toward an out-of-gamut color, finer than the tolerance between tiles


def luma(image: Tensor) -> Tensor:
    """Brightness (B, 1, H, W) of sRGB (B, 3, H, W)."""
    return (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def rgb_to_lab(image: Tensor) -> Tensor:
    """sRGB (B, 3, H, W) in [0, 1] -> Lab: L in [0, 100], a and b around 0."""
    linear = torch.where(image <= 0.04045, image / 12.92, ((image.clamp_min(0) + 0.055) / 1.055) ** 2.4)
    x, y, z = (_matmul(image.new_tensor(RGB_TO_XYZ), linear) / _column(image, WHITE)).unbind(1)
    x, y, z = (
        torch.where(v > DELTA**3, v.clamp_min(DELTA**3) ** (1 / 3), v / (3 * DELTA**2) + 4 / 29)
        for v in (x, y, z)
    )
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Lab (B, 3, H, W) -> sRGB, not clamped: colors outside the gamut leave [0, 1]."""
    lightness, a, b = lab.unbind(1)
    y = (lightness + 16) / 116
    found = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    xyz = torch.where(found > DELTA, found**3, 3 * DELTA**2 * (found - 4 / 29)) * _column(lab, WHITE)
    linear = _matmul(torch.linalg.inv(lab.new_tensor(RGB_TO_XYZ)), xyz)
    return torch.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    )


def with_colors_of(painted: Tensor, photo: Tensor) -> Tensor:
    """The lightness of `painted` with the a and b of `photo`, both sRGB (B, 3, H, W) in [0, 1].

    Where that lightness would leave the gamut, it stays closer to the photo's.
    """
    safe = rgb_to_lab(photo)
    return _toward(safe, torch.cat([rgb_to_lab(painted)[:, :1], safe[:, 1:]], dim=1))


def with_light_of(painted: Tensor, photo: Tensor) -> Tensor:
    """The a and b of `painted` with the lightness of `photo`, both sRGB (B, 3, H, W) in [0, 1].

    Where that color would leave the gamut, it is grayer.
    """
    lightness = rgb_to_lab(photo)[:, :1]
    gray = torch.zeros_like(lightness)
    return _toward(
        torch.cat([lightness, gray, gray], dim=1), torch.cat([lightness, rgb_to_lab(painted)[:, 1:]], dim=1)
    )


def _toward(safe: Tensor, wanted: Tensor) -> Tensor:
    """sRGB of the Lab colors `wanted` (B, 3, H, W), or the last in-gamut color on the way from `safe`."""
    image = lab_to_rgb(wanted)
    outside = ((image < -TOLERANCE) | (image > 1 + TOLERANCE)).any(1)  # (B, H, W)
    start, end = (colors.movedim(1, -1)[outside].T[None, :, :, None] for colors in (safe, wanted))
    low, high = torch.zeros(start[:, :1].shape).to(image), torch.ones(start[:, :1].shape).to(image)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found = lab_to_rgb(start.lerp(end, middle))
        fits = ((found >= -TOLERANCE) & (found <= 1 + TOLERANCE)).all(1, keepdim=True)
        low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
    pixels = image.movedim(1, -1).contiguous()
    pixels[outside] = lab_to_rgb(start.lerp(end, low))[0, :, :, 0].T
    return pixels.movedim(-1, 1).contiguous().clamp(0, 1)


def _matmul(matrix: Tensor, image: Tensor) -> Tensor:
    return torch.einsum("ij,bjhw->bihw", matrix, image)


def _column(image: Tensor, values: tuple[float, ...]) -> Tensor:
    return image.new_tensor(values).view(1, 3, 1, 1)
