"""What the tests of plots look for in a picture."""

from __future__ import annotations

import torch


def near(image: torch.Tensor, color: tuple[float, float, float]) -> torch.Tensor:
    """Pixels (H, W) of about that color."""
    return (image[0] - torch.tensor(color).view(3, 1, 1)).abs().amax(0) < 0.03


def check_picture(image: torch.Tensor, height: int, width: int) -> None:
    assert image.shape == (1, 3, height, width) and image.dtype == torch.float32
    assert 0 <= image.min() < image.max() <= 1
