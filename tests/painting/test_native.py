"""Protects painting at a picture's own size: parts as in the whole, levels and strokes as they are set."""

from __future__ import annotations

import pytest
import torch

from pstyle.nets.generator import LEVELS
from pstyle.style.paint_settings import PaintSettings


@pytest.mark.parametrize("amount", [0.4, 1.0, 1.3])
def test_a_part_of_a_picture_is_painted_as_in_the_whole(painter, rng, amount):
    picture, amounts = torch.rand(1, 3, 64, 384, generator=rng), (amount,) * LEVELS
    whole, painted = painter.measure(picture, amounts), painter.paint(picture, amounts)
    assert torch.allclose(painter.paint(picture, amounts, whole), painted, atol=1e-4)
    part = painter.paint(picture[..., 96:], amounts, whole, origin=(0, 96))
    assert torch.allclose(part[..., 144:], painted[..., 240:], atol=1e-4)
    assert not torch.allclose(painter.paint(picture[..., 96:], amounts), part, atol=1e-3)


@pytest.mark.parametrize("amount", [0.4, 1.0])
def test_a_part_across_a_panorama_s_seam_is_painted_as_in_the_whole(painter, rng, amount):
    picture, amounts = torch.rand(1, 3, 64, 384, generator=rng), (amount,) * LEVELS
    whole = painter.measure(picture, amounts, padding="circular")
    painted = painter.paint(picture, amounts, padding="circular").roll(192, 3)
    across = picture.roll(192, 3)[..., 32:]  # its first column is the panorama's 224th
    part = painter.paint(across, amounts, whole, "replicate", origin=(0, 224), around_px=384)
    assert torch.allclose(part[..., 144:-128], painted[..., 176:-128], atol=1e-4)


@pytest.mark.parametrize("stroke", [0.5, 0.7, 1.4, 2.0])
def test_strokes_scale(painter, stroke):
    """A painter of stripes 12 px wide: those that come out are so many times wider."""
    asked = []

    def stripes(image, amounts):
        asked.append(tuple(image.shape[2:]))
        wave = 0.5 + 0.4 * torch.sin(torch.arange(image.shape[3]) * (2 * torch.pi / 12))
        return wave.expand(1, 3, image.shape[2], -1)

    painter.paint = stripes
    found = painter(torch.full((1, 3, 64, 480), 0.5), PaintSettings(stroke=stroke)).mean((1, 2))[0]
    peak = torch.fft.rfft(found - found.mean()).abs().argmax().item()
    assert found.shape == (480,) and 480 / peak == pytest.approx(12 * stroke, rel=0.05)
    assert asked == [(round(64 / stroke), round(480 / stroke))]


def test_coarse_and_fine_move_their_own_levels(painter, picture):
    asked = []
    painter.paint = lambda image, amounts: asked.append(amounts) or image
    painter(picture, PaintSettings(strength=0.8, coarse=0.5))
    painter(picture, PaintSettings(strength=0.8, fine=0.5))
    assert asked == [(0.4, 0.8, 0.8, 0.8), (0.8, 0.4, 0.4, 0.8)]
