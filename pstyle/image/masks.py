"""Masks that fit pictures."""

from __future__ import annotations

from torch import Tensor

from .pictures import resize_to


def fitted_mask(mask: Tensor, image: Tensor) -> Tensor:
    """A checked mask (1 or B, C, H, W) for pictures (B, 3, H, W), one channel, resized if its size differs.

    Raises ValueError if there are neither one nor as many masks as pictures.
    """
    found = mask[:, :1]
    if found.shape[0] not in (1, image.shape[0]):
        raise ValueError(
            f"got {found.shape[0]} masks for {image.shape[0]} pictures: give one, or one for each"
        )
    return resize_to(found, *image.shape[2:])
