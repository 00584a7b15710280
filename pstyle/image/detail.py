"""Fine structure: what a picture has beyond its own blur, and how one picture gets that of another."""

from __future__ import annotations

from torch import Tensor

from .blur import gaussian_blur, reach_px
from .colors import luma

SIGMA_PX = 2.0
REACH_PX = reach_px(SIGMA_PX)  # of the blur's window: as far as a pixel is seen


def with_detail_of(painted: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The painted picture with its fine structure moved toward the photo's, both (B, 3, H, W) in [0, 1].

    Amount 0 changes nothing, 1 exchanges it wholly. Brightness only: colors stay those of the painting.
    """
    bright = luma(photo - painted)
    return (painted + amount * (bright - gaussian_blur(bright, SIGMA_PX, REACH_PX, "reflect"))).clamp(0, 1)
