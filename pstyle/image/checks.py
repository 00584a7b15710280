"""Validation of pictures that enter the library, where they are sRGB float32 in [0, 1], (B, 3, H, W)."""

from __future__ import annotations

import torch
from torch import Tensor

DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
NOISE = 0.01  # values this far outside [0, 1] are clamped silently


def check_image(image: Tensor, what: str = "image") -> Tensor:
    """A contiguous float32 clone (B, C, H, W), C 1, 3 or 4, clamped to [0, 1], without autograd history.

    uint8 is divided by 255. Raises ValueError for a wrong shape or type, a non-finite pixel, or values beyond
    [0, 1] by more than 0.01.
    """
    _check_shape(image, what)
    if image.is_floating_point():
        _check_range(image, what)
    with torch.inference_mode(False):  # an inference tensor becomes a normal one, usable in training
        clone = image.detach().to(torch.float32, copy=True, memory_format=torch.contiguous_format)
        return clone.div_(255) if image.dtype == torch.uint8 else clone.clamp_(0, 1)


def split_alpha(image: Tensor) -> tuple[Tensor, Tensor | None]:
    """Split (B, C, H, W), C 1, 3 or 4, into RGB (B, 3, H, W) and alpha (B, 1, H, W) or None."""
    channels = image.shape[1]
    if channels == 4:
        return image[:, :3].contiguous(), image[:, 3:].contiguous()
    return (image.repeat(1, 3, 1, 1) if channels == 1 else image), None


def _check_shape(image: Tensor, what: str) -> None:
    if not isinstance(image, Tensor) or image.dtype not in DTYPES:
        got = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"{what} must be a tensor of floats in [0, 1] or of uint8, got {got}")
    if image.ndim != 4:
        raise ValueError(f"{what} must have 4 dimensions (batch, channels, height, width), got {image.ndim}")
    batch, channels, height, width = image.shape
    if batch == 0:
        raise ValueError(f"{what} is an empty batch: give at least one picture")
    if channels not in (1, 3, 4):
        raise ValueError(f"{what} has {channels} channels: give 1 (gray), 3 (RGB) or 4 (RGB and alpha)")
    if height == 0 or width == 0:
        raise ValueError(f"{what} is {width}x{height} px: give a picture of at least 1x1 px")


def _check_range(image: Tensor, what: str) -> None:
    low, high = (value.item() for value in image.aminmax())  # a NaN anywhere makes both NaN
    if low >= -NOISE and high <= 1 + NOISE:
        return
    bad = ~image.isfinite().all(1)  # (B, H, W)
    if not bad.any():
        raise ValueError(
            f"{what} has values from {low:.4g} to {high:.4g}, must be in [0, 1]: divide 8-bit values by 255"
        )
    index, y, x = bad.nonzero()[0].tolist()
    count = int(bad[index].sum())
    found = "1 non-finite pixel at" if count == 1 else f"{count} non-finite pixels, the first at"
    raise ValueError(f"{what} {index + 1} of {len(image)} has {found} y={y}, x={x}")
