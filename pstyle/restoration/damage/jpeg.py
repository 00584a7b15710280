"""JPEG's losses on any device: YCbCr with subsampled color, DCT of 8 px blocks, quantization.

Tables and quality scaling are those of the standard (ITU-T T.81, annex K) and of libjpeg; entropy coding is
lossless and left out.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.colors import LUMA

BLOCK = 8
LOW = 4  # frequencies along each side used to estimate quality
FITS = 0.17  # misfit below which a picture counts as compressed by JPEG; 0.25 is chance
LIGHT_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
COLOR_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8 for _ in range(4)),
)
TO_YCBCR = (
    LUMA,
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)


def jpeg(image: Tensor, quality: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) in [0, 1] after JPEG compression of quality (B,), 1 to 100."""
    height, width = image.shape[2:]
    padded = F.pad(image, (0, -width % (2 * BLOCK), 0, -height % (2 * BLOCK)), mode="replicate")
    matrix = image.new_tensor(TO_YCBCR)
    light, colors = torch.einsum("ij,bjhw->bihw", matrix, padded * 255).split([1, 2], dim=1)
    light = _rounded(light - 128, LIGHT_STEPS, quality) + 128
    colors = _rounded(F.avg_pool2d(colors, 2), COLOR_STEPS, quality)
    colors = F.interpolate(colors, scale_factor=2, mode="bilinear", align_corners=False)
    back = torch.linalg.inv(torch.tensor(TO_YCBCR)).to(image)  # on the CPU, to avoid waiting for a GPU
    found = torch.einsum("ij,bjhw->bihw", back, torch.cat([light, colors], dim=1))
    return (found / 255).clamp(0, 1)[:, :, :height, :width]


def _rounded(x: Tensor, steps: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """Quantize the DCT of each block of channels (B, C, H, W), sides multiples of 8."""
    basis, table = _cosines(x), _table(x.new_tensor(steps), quality)[:, None, None, None]
    blocks = x.unflatten(3, (-1, BLOCK)).unflatten(2, (-1, BLOCK)).transpose(3, 4)  # (B, C, h, w, 8, 8)
    found = basis @ blocks @ basis.T
    found = torch.round(found / table) * table
    return (basis.T @ found @ basis).transpose(3, 4).flatten(4, 5).flatten(2, 3)


def _table(steps: Tensor, quality: Tensor) -> Tensor:
    """Quantization steps (B, 8, 8), scaled as in libjpeg."""
    percent = torch.where(quality < 50, 5000 / quality.clamp_min(1), 200 - 2 * quality).view(-1, 1, 1)
    return torch.floor((steps * percent + 50) / 100).clamp(1, 255)


def _cosines(like: Tensor) -> Tensor:
    """The orthonormal DCT-II of 8 numbers, (8, 8)."""
    order = torch.arange(BLOCK, dtype=like.dtype, device=like.device)
    basis = torch.cos(math.pi * (2 * order + 1) * order[:, None] / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    basis[0] /= math.sqrt(2)
    return basis


def measure_quality(image: Tensor) -> float | None:
    """Estimate the quality of the JPEG file that a picture (1, 3, H, W) came from, or None.

    Quantized frequencies are whole multiples of the steps of the right table. A picture that was scaled or
    cropped afterwards shows nothing.
    """
    light = torch.einsum("j,bjhw->bhw", image.new_tensor(TO_YCBCR[0]), image * 255) - 128
    light = light[:, : light.shape[1] // BLOCK * BLOCK, : light.shape[2] // BLOCK * BLOCK]
    blocks = light[0].unflatten(1, (-1, BLOCK)).unflatten(0, (-1, BLOCK)).transpose(1, 2).flatten(0, 1)
    basis = _cosines(image)
    found = basis @ blocks @ basis.T  # (N, 8, 8)
    misfits = {quality: _misfit(found, quality) for quality in range(10, 96)}
    best = min(misfits, key=misfits.__getitem__)
    return float(best) if misfits[best] < FITS else None


def _misfit(frequencies: Tensor, quality: int) -> float:
    """Mean distance of frequencies not rounded to 0 from whole steps: 0.25 if nothing was rounded."""
    table = _table(frequencies.new_tensor(LIGHT_STEPS), frequencies.new_tensor([float(quality)]))
    steps = (frequencies / table)[:, :LOW, :LOW].flatten(1)[:, 1:]  # without the mean
    steps = steps[steps.abs() > 0.75]
    return (steps - steps.round()).abs().mean().item() if len(steps) else 0.25
