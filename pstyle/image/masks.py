"""Masks fitted to pictures: one channel, the same size, one mask for each picture or for all."""

from __future__ import annotations

from torch import Tensor

from .resizing import resize_to


def fitted_mask(mask: Tensor, image: Tensor) -> Tensor:
    """The first channel of checked masks (1 or B, C, h, w), resized to pictures (B, 3, H, W).

    Raises ValueError unless there is one mask, or one for each picture.
    """
    masks = mask[:, :1]  # (1 or B, 1, h, w)
    if len(masks) not in (1, len(image)):
        raise ValueError(f"got {len(masks)} masks for {len(image)} pictures: give one, or one for each")
    return resize_to(masks, *image.shape[2:])
