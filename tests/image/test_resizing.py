"""Protects resizing: antialiased, in proportion, and never beyond the largest size."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.resizing import resize_short_side, resize_to


def test_the_short_side_is_met_and_proportions_kept() -> None:
    assert resize_short_side(torch.zeros(1, 3, 100, 150), 50).shape == (1, 3, 50, 75)
    assert resize_short_side(torch.zeros(2, 3, 97, 31), 64).shape == (2, 3, 200, 64)
    assert resize_short_side(torch.zeros(1, 1, 1, 9), 2).shape == (1, 1, 2, 18)


def test_resizing_is_antialiased_and_keeps_flat_pictures_flat() -> None:
    stripes = torch.zeros(1, 1, 63, 63)
    stripes[..., ::2] = 1
    smaller = resize_to(stripes, 21, 21)
    # triangle weights 1, 2, 3, 2, 1 in ninths leave 4/9 and 5/9; without antialiasing it would be 0 and 1
    assert float((smaller[..., 1:-1] - 0.5).abs().max()) < 0.06
    assert torch.allclose(resize_to(torch.full((1, 3, 5, 9), 0.3), 7, 4), torch.tensor(0.3))
    picture = torch.rand(1, 3, 6, 6)
    assert torch.equal(resize_to(picture, 6, 6), picture)


def test_resizing_takes_pixels_as_squares_not_as_corners() -> None:
    row = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    assert torch.allclose(resize_to(row, 1, 4).flatten(), torch.tensor([0.0, 0.25, 0.75, 1.0]))


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, -1), (100_000, 100_000)])
def test_impossible_sizes_are_refused_before_anything_is_allocated(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"cannot resize to {width}x{height} px"):
        resize_to(torch.zeros(1, 3, 4, 4), height, width)


def test_the_largest_picture_is_allowed_and_no_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.image.resizing.MAX_PIXELS", 24)
    assert resize_to(torch.zeros(1, 3, 2, 2), 4, 6).shape == (1, 3, 4, 6)
    with pytest.raises(ValueError, match="cannot resize to 5x5 px"):
        resize_to(torch.zeros(1, 3, 2, 2), 5, 5)


def test_what_has_that_size_already_is_handed_back() -> None:
    picture = torch.rand(1, 3, 8, 16)
    assert resize_to(picture, 8, 16) is picture
