"""Holes are filled from what lies around them, and nothing else changes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.restoration.repair.biharmonic import smoothly_filled
from pstyle.restoration.repair.filling import filled, ramp
from tests.conftest import random_picture


def hole(height: int, width: int, *box: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    top, left, bottom, right = box
    mask[..., top:bottom, left:right] = 1
    return mask


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(1, 40), width=st.integers(1, 40), share=st.floats(0, 0.9), seed=st.integers(0, 2**20)
)
def test_nothing_else_changes_whatever_the_mask(height: int, width: int, share: float, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, height, width, generator=rng)
    mask = (torch.rand(1, 1, height, width, generator=rng) < share).float()
    mask[..., 0, 0] = 0
    found = filled(image, mask, rng)
    assert torch.equal(torch.where(mask > 0, 0, found), torch.where(mask > 0, 0, image))
    assert found.isfinite().all() and found.min() >= 0 and found.max() <= 1


def test_texture_goes_on(rng) -> None:
    """Of grain a hole gets as much as there is around it; a smooth filling has none."""
    image = 0.5 + 0.08 * torch.randn(1, 3, 60, 64, generator=rng)
    mask = hole(60, 64, 18, 20, 40, 44)
    inside = (slice(None), slice(None), slice(23, 35), slice(25, 39))
    grain, smooth = filled(image, mask, rng)[inside], smoothly_filled(image, mask > 0)[inside]
    assert grain.diff(dim=3).std() == pytest.approx(image[inside].diff(dim=3).std().item(), rel=0.25)
    assert smooth.diff(dim=3).std() < 0.3 * grain.diff(dim=3).std()


def test_an_edge_goes_on(rng) -> None:
    image = torch.where(torch.arange(64) < 30, 0.25, 0.7).expand(1, 3, 60, 64).contiguous()
    image = image + 0.01 * torch.randn(1, 3, 60, 64, generator=rng)
    mask = hole(60, 64, 22, 22, 36, 40)
    error = (filled(image, mask, rng) - image)[..., 22:36, 22:40].abs().mean()
    assert error < 0.06  # 0.22 if it were lost


def test_the_seed_decides(rng) -> None:
    image, mask = random_picture(rng, 40, 48), hole(40, 48, 12, 14, 24, 30)
    one, same, other = (filled(image, mask, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same) and one.shape == other.shape


def test_a_mask_that_covers_everything_is_refused(rng) -> None:
    with pytest.raises(ValueError, match="covers the whole picture: leave something"):
        filled(random_picture(rng, 20, 20), torch.ones(1, 1, 20, 20), rng)


def test_a_ramp_rises_from_the_border() -> None:
    found = ramp(hole(9, 9, 1, 1, 8, 8) > 0, 3)[0, 0, 4]
    assert found.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1, 1, 2 / 3, 1 / 3, 0])
