"""Seamless blending of two pictures by a mask: each frequency band is blended over its own wavelength.

Burt & Adelson, ACM Transactions on Graphics 1983.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from .padding import crop_back, pad_to_multiple

MOST_OCTAVES = 5  # the lowest band is blended over about 2 ** 5 pixels
SMALLEST_PX = 8


def octaves_of(height: int, width: int) -> int:
    """The number of octaves that pictures of this size are blended in."""
    found = 0
    while found < MOST_OCTAVES and -(-min(height, width) // 2**found) >= 2 * SMALLEST_PX:
        found += 1
    return found


def reach_px(octaves: int) -> int:
    """How far, in pixels, an input pixel affects the result: two for halving and doubling, at each octave."""
    return 4 * (2**octaves - 1)


def joined(inside: Tensor, outside: Tensor, mask: Tensor, octaves: int | None = None) -> Tensor:
    """Blend `inside`, where the mask is 1, with `outside`, where it is 0.

    Pictures are (B, 3, H, W), the mask (B or 1, 1, H, W). A part of a larger picture blends as in the whole,
    except within `reach_px` of the cut, if it is given the whole's `octaves` and its corner is at a multiple
    of 2 ** octaves. Raises ValueError if sizes differ.
    """
    if inside.shape != outside.shape or mask.shape[2:] != inside.shape[2:]:
        sizes = ", ".join(f"{x.shape[3]}x{x.shape[2]}" for x in (inside, outside, mask))
        raise ValueError(f"regions are joined at one size, got pictures and mask of {sizes} px")
    size = inside.shape[2:]
    octaves = octaves_of(*size) if octaves is None else octaves
    # Otherwise, halving an odd side would shift a part's pixels against the whole's.
    inside, outside, mask = (pad_to_multiple(x, 2**octaves)[0] for x in (inside, outside, mask))
    return crop_back(_joined(inside, outside, mask, octaves).clamp(0, 1), size)


def _joined(inside: Tensor, outside: Tensor, mask: Tensor, octaves: int) -> Tensor:
    if octaves == 0:
        return outside.lerp(inside, mask)
    size = inside.shape[2:]
    small = [_half(x) for x in (inside, outside, mask)]
    fine = [x - _to(y, size) for x, y in zip((inside, outside), small, strict=False)]
    return _to(_joined(*small, octaves - 1), size) + fine[1].lerp(fine[0], mask)


def _half(x: Tensor) -> Tensor:
    size = [side // 2 for side in x.shape[2:]]
    return F.interpolate(x, size=size, mode="bilinear", antialias=True)


def _to(x: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear")
