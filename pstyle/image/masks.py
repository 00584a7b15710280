"""Masks that fit pictures."""

from __future__ import annotations

from torch import Tensor

from .pictures import check_image, resize_to


def fitted_mask(mask: Tensor, image: Tensor) -> Tensor:
    """A mask (1 or B, 1, H, W) for pictures (B, 3, H, W), resized if its size differs.

    Raises ValueError if it cannot fit.
    """
    found = check_image(mask, "mask")[:, :1]
    if found.shape[0] not in (1, image.shape[0]):
        raise ValueError(
            f"got {found.shape[0]} masks for {image.shape[0]} pictures: give one, or one for each"
        )
    return resize_to(found, *image.shape[2:])
