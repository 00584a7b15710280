"""Two painted pictures in one, region by region, without a seam: each band of frequencies is joined over its
own wavelength (Burt & Adelson, ACM Transactions on Graphics 1983).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

LEVELS = 5  # octaves: the broadest band is joined over about 2 ** LEVELS pixels
SMALLEST_PX = 8


def joined(inside: Tensor, outside: Tensor, mask: Tensor) -> Tensor:
    """`inside` where the mask is 1 and `outside` where it is 0: pictures (B, 3, H, W), mask (B or 1, 1, H,
    W).

    Raises ValueError for pictures or a mask of different sizes.
    """
    if inside.shape != outside.shape or mask.shape[2:] != inside.shape[2:]:
        sizes = ", ".join(f"{x.shape[3]}x{x.shape[2]}" for x in (inside, outside, mask))
        raise ValueError(f"regions are joined at one size, got pictures and mask of {sizes} px")
    if min(inside.shape[2:]) < 2 * SMALLEST_PX:
        return outside.lerp(inside, mask)
    return _joined(inside, outside, mask, LEVELS).clamp(0, 1)


def _joined(inside: Tensor, outside: Tensor, mask: Tensor, levels: int) -> Tensor:
    if levels == 0 or min(inside.shape[2:]) < 2 * SMALLEST_PX:
        return outside.lerp(inside, mask)
    size = inside.shape[2:]
    small = [_half(x) for x in (inside, outside, mask)]
    fine = [x - _to(y, size) for x, y in zip((inside, outside), small, strict=False)]
    return _to(_joined(*small, levels - 1), size) + fine[1].lerp(fine[0], mask)


def _half(x: Tensor) -> Tensor:
    size = [-(-side // 2) for side in x.shape[2:]]
    return F.interpolate(x, size=size, mode="bilinear", antialias=True)


def _to(x: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear")
