"""Fine structure: what a picture has beyond its own blur, and how one picture gets that of another."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .colors import luma
from .layers import pad

SIGMA_PX = 2.0
REACH_PX = round(3 * SIGMA_PX)  # of the blur's window: as far as a pixel is seen


def with_detail_of(painted: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The painted picture with its fine structure moved toward the photo's, both (B, 3, H, W) in [0, 1].

    Amount 0 changes nothing, 1 exchanges it wholly. Brightness only: colors stay those of the painting.
    """
    return (painted + amount * (_fine(photo) - _fine(painted))).clamp(0, 1)


def _fine(image: Tensor) -> Tensor:
    bright = luma(image)
    window = torch.exp(-(torch.arange(-REACH_PX, REACH_PX + 1).to(image) / SIGMA_PX).square() / 2)
    window = window / window.sum()
    blurred = F.conv2d(pad(bright, REACH_PX, "reflect"), window.view(1, 1, 1, -1))
    return bright - F.conv2d(blurred, window.view(1, 1, -1, 1))
