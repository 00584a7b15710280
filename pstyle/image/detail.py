"""Fine structure: what a picture has beyond its own blur, and how one picture gets that of another."""

from __future__ import annotations

import torch
from torch import Tensor

from .colors import luma
from .padding import pad
from .separable import filtered

SIGMA_PX = 2.0
REACH_PX = round(3 * SIGMA_PX)  # of the blur's window: as far as a pixel is seen


def with_detail_of(painted: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The painted picture with its fine structure moved toward the photo's, both (B, 3, H, W) in [0, 1].

    Amount 0 changes nothing, 1 exchanges it wholly. Brightness only: colors stay those of the painting.
    """
    bright = luma(photo - painted)
    return (painted + amount * (bright - _blurred(bright))).clamp(0, 1)


def _blurred(bright: Tensor) -> Tensor:
    window = torch.exp(-(torch.arange(-REACH_PX, REACH_PX + 1) / SIGMA_PX).square() / 2)
    shares = (window / window.sum()).tolist()
    return filtered(filtered(pad(bright, REACH_PX, "reflect"), 3, shares), 2, shares)
