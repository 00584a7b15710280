"""Marks of known place, size and number are found, and regions are those of scikit-image."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from pstyle.restoration.spots import connected, find_marks, measure_marks


def speckled(corners: list[tuple[int, int]], height: int, width: int, value: float) -> torch.Tensor:
    """A soft gray gradient with rectangles of one value on it."""
    picture = torch.linspace(0.3, 0.6, 240).view(1, 1, -1, 1).expand(1, 3, 240, 260).clone()
    for y, x in corners:
        picture[:, :, y : y + height, x : x + width] = value
    return picture


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.02, 0.3, 0.5, 0.9]))
def test_regions_are_those_of_scikit_image(seed: int, share: float) -> None:
    mask = torch.rand(23, 31, generator=torch.Generator().manual_seed(seed)) < share
    ours, theirs = connected(mask), torch.from_numpy(label(mask.numpy(), connectivity=2))
    pairs = torch.stack([ours[mask], theirs[mask].long()])
    assert (ours[~mask] == -1).all()
    count = theirs.max()
    assert pairs.unique(dim=1).shape[1] == count == ours[mask].unique().numel()


def test_specks_are_counted_with_size_and_light() -> None:
    marks = measure_marks([speckled([(40, 40), (100, 120), (180, 200)], 5, 5, 1.0)], 0.0)
    megapixels = 240 * 260 / 1e6
    assert marks.dust_per_mp == pytest.approx(3 / megapixels) and marks.scratches_per_mp == 0
    assert marks.dust_px == pytest.approx(5, abs=1.2) and marks.light == 1
    assert marks.light_color == pytest.approx((1.0,) * 3) and marks.dark_color is None


def test_marks_have_colors() -> None:
    picture = speckled([(40, 40), (100, 120)], 5, 5, 1.0)
    picture[:, :, 60:65, 200:205] = torch.tensor([0.1, 0.05, 0.0]).view(1, 3, 1, 1)
    picture[:, 2] = torch.where(picture[:, 2] == 1, 0.8, picture[:, 2])
    marks = measure_marks([picture], 0.0)
    assert marks.light_color == pytest.approx((1.0, 1.0, 0.8))
    assert marks.dark_color == pytest.approx((0.1, 0.05, 0.0))


def test_dark_lines_are_scratches() -> None:
    marks = measure_marks([speckled([(50, 60), (50, 150)], 90, 2, 0.0)], 0.0)
    assert marks.scratches_per_mp == pytest.approx(2 / (240 * 260 / 1e6)) and marks.dust_per_mp == 0
    assert marks.scratch_length_px == pytest.approx(90, rel=0.1)
    assert marks.scratch_width_px == pytest.approx(2 + 2, abs=0.5)  # they are seen through means of 3 px
    assert marks.light == 0


def test_nothing_is_found_on_soft_ground_and_large_things_are_no_marks() -> None:
    for picture in (speckled([], 0, 0, 0.0), speckled([(60, 60)], 60, 60, 1.0)):
        assert not any(mask.any() for mask in find_marks(picture, 0.0))
