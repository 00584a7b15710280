"""Fine detail: the difference between a picture and its blur, and its transfer to another picture."""

from __future__ import annotations

from torch import Tensor

from .blur import gaussian_blur, reach_px
from .colors import luma

SIGMA_PX = 2.0
REACH_PX = reach_px(SIGMA_PX)  # the blur's radius: how far a pixel has an effect


def with_detail_of(painted: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The painted picture with its fine detail moved toward the photo's, both (B, 3, H, W) in [0, 1].

    Amount 0 changes nothing, 1 replaces it completely. Only brightness changes; colors stay.
    """
    bright = luma(photo - painted)
    return (painted + amount * (bright - gaussian_blur(bright, SIGMA_PX, REACH_PX, "reflect"))).clamp(0, 1)
