"""Protects two pictures in one: each stays itself away from the border, and no seam shows at it."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.multiband import joined
from tests.conftest import random_picture


def halves(height, width):
    mask = torch.zeros(1, 1, height, width)
    mask[..., width // 2 :] = 1
    return mask


def test_far_from_the_border_each_picture_is_itself(rng):
    inside, outside = random_picture(rng, 96, 512), random_picture(rng, 96, 512)
    found = joined(inside, outside, halves(96, 512))
    assert torch.allclose(found[..., -96:], inside[..., -96:], atol=1e-5)
    assert torch.allclose(found[..., :96], outside[..., :96], atol=1e-5)


def test_a_flat_step_becomes_a_slope_and_a_hard_mask_alone_would_not(rng):
    dark, light = torch.full((1, 3, 64, 256), 0.3), torch.full((1, 3, 64, 256), 0.7)
    found = joined(light, dark, halves(64, 256))
    steps = found.diff(dim=3).abs()
    assert steps.max() < 0.1  # the hard mask has 0.4
    assert found[..., 0].mean() == pytest.approx(0.3, abs=0.02)
    assert found[..., -1].mean() == pytest.approx(0.7, abs=0.02)


def test_the_border_is_no_steeper_than_the_pictures(rng):
    inside, outside = (0.5 + 0.1 * torch.randn(1, 3, 128, 256, generator=rng).clamp(-3, 3) for _ in range(2))
    inside = inside + 0.15
    found = joined(inside, outside, halves(128, 256)).diff(dim=3).abs().mean(dim=(0, 1, 2))
    assert found[124:131].max() < 1.1 * found.mean()
    hard = torch.where(halves(128, 256) > 0, inside, outside).diff(dim=3).abs().mean(dim=(0, 1, 2))
    assert hard[127] > 1.15 * hard.mean()


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (33, 47), (64, 65)])
def test_one_region_is_one_picture(rng, size, value):
    inside, outside = torch.rand(2, 1, 3, *size, generator=rng)
    found = joined(inside, outside, torch.full((1, 1, *size), value))
    assert torch.allclose(found, inside if value else outside, atol=1e-5)


def test_other_sizes_are_refused(rng):
    with pytest.raises(ValueError, match=r"32x32, 40x32, 32x32 px"):
        joined(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 40), torch.ones(1, 1, 32, 32))
    with pytest.raises(ValueError, match=r"8x8 px"):
        joined(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32), torch.ones(1, 1, 8, 8))
