"""Protects masks: one for all pictures or one for each, at their size."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.masks import fitted_mask
from pstyle.image.resizing import resize_to


def test_a_mask_of_the_right_size_is_left_as_it_is(rng):
    mask = torch.rand(1, 1, 24, 32, generator=rng)
    assert torch.equal(fitted_mask(mask, torch.zeros(3, 3, 24, 32)), mask)


def test_a_mask_of_another_size_is_resized(rng):
    mask = torch.rand(2, 1, 12, 20, generator=rng)
    found = fitted_mask(mask, torch.zeros(2, 3, 24, 32))
    assert torch.equal(found, resize_to(mask, 24, 32)) and found.shape == (2, 1, 24, 32)


def test_only_the_first_channel_of_a_picture_counts(rng):
    mask = torch.rand(1, 3, 24, 32, generator=rng)
    assert torch.equal(fitted_mask(mask, torch.zeros(1, 3, 24, 32)), mask[:, :1])


def test_a_number_of_masks_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="2 masks for 3 pictures"):
        fitted_mask(torch.zeros(2, 1, 8, 8), torch.zeros(3, 3, 8, 8))
