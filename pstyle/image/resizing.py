"""Resizing of pictures, and the largest size allowed."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

MAX_PIXELS = 89_478_485  # a quarter of a GiB as RGB bytes; Pillow warns above it


def resize_to(image: Tensor, height: int, width: int) -> Tensor:
    """Resize (B, C, H, W) to (B, C, height, width), bilinear and antialiased.

    Raises ValueError above 89 megapixels.
    """
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise ValueError(f"cannot resize to {width}x{height} px: 1x1 px to {MAX_PIXELS} pixels are allowed")
    if image.shape[2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=True)


def resize_short_side(image: Tensor, size_px: int) -> Tensor:
    """Resize (B, C, H, W) to a short side of `size_px`, keeping its proportions."""
    height, width = image.shape[2:]
    scale = size_px / min(height, width)
    return resize_to(image, round(height * scale), round(width * scale))
