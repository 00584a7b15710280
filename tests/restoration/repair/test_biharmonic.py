"""Protects smooth filling: another solver's solution, and that of the dense equations."""

from __future__ import annotations

import pytest
import torch
from skimage.restoration import inpaint_biharmonic

from pstyle.restoration.repair.biharmonic import smoothly_filled


def hole(height: int, width: int, *box: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    top, left, bottom, right = box
    mask[..., top:bottom, left:right] = 1
    return mask


def test_smooth_is_what_scikit_image_finds() -> None:
    """On a slope with a bump, as its own solver of the same equation has it."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 40), torch.linspace(0, 1, 36), indexing="ij")
    image = (0.2 + 0.4 * x + 0.3 * torch.sin(4 * y)).expand(1, 3, -1, -1).contiguous()
    mask = hole(40, 36, 14, 12, 24, 22)
    found = smoothly_filled(image, mask > 0, tension=0.0)
    theirs = inpaint_biharmonic(image[0].movedim(0, -1).numpy(), mask[0, 0].numpy() > 0, channel_axis=-1)
    assert found[0].movedim(0, -1).numpy() == pytest.approx(theirs, abs=0.02)
    assert torch.allclose(found, image, atol=0.03)
