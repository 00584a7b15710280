"""Protects enlarging: a painting grows, and the photograph's own fine structure comes back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from pstyle.image.colors import luma
from pstyle.image.resizing import resize_to
from pstyle.painting.boxes import Box
from pstyle.painting.enlarging import BLUR, Enlarged, contrasts_of, gains, prefiltered
from pstyle.painting.resampling import cubic, resized
from pstyle.painting.sources import InMemory, loaded
from tests.conftest import random_picture


def test_prefiltered_a_picture_is_itself_after_it_was_large(rng):
    photo = random_picture(rng, 60, 70)
    there_and_back = [
        resize_to(loaded(resized(InMemory(x), 480, 560, cubic)), 60, 70) for x in (prefiltered(photo), photo)
    ]
    errors = [(found - photo).abs().mean() for found in there_and_back]
    assert 0 < errors[0] < 0.7 * errors[1]


def test_gains_tell_contrast_kept_lost_and_turned(rng):
    photo = 0.5 + 0.2 * torch.randn(1, 3, 40, 40, generator=rng).clamp(-2, 2)
    for factor in (1.0, 0.5, 0.0, -0.5):
        found = gains(0.5 + factor * (photo - 0.5), contrasts_of(photo))
        assert found.shape == (1, 2, 40, 40) and found.mean() == pytest.approx(factor, abs=0.1)
    flat = contrasts_of(torch.full_like(photo, 0.5))
    assert torch.allclose(gains(photo, flat), torch.ones(1, 2, 40, 40))


@pytest.mark.parametrize(("height", "width"), [(12, 9), (5, 30), (3, 2), (1, 7)])
def test_contrasts_at_borders_are_of_what_is_there(rng, height, width):
    photo = torch.rand(1, 3, height, width, generator=rng)
    bright = luma(photo)
    for found, x in zip(contrasts_of(photo), (bright, photo - bright), strict=True):
        for row, column in ((0, 0), (height - 1, width // 2), (height // 2, width - 1)):
            rows, columns = (slice(max(0, place - 2), place + 3) for place in (row, column))
            window = x[0, :, rows, columns].flatten(1)
            assert found.mean[0, :, row, column].tolist() == pytest.approx(window.mean(1).tolist(), abs=1e-5)
            spread = window.var(1, correction=0).sum().item()
            assert found.variance[0, 0, row, column].item() == pytest.approx(spread, abs=1e-5)


def test_the_blur_is_that_of_a_quintic_spline():
    spline = BSpline.basis_element(range(7))  # over 0 to 6, with its middle at 3
    assert pytest.approx([float(spline(place)) for place in range(1, 6)]) == BLUR


def test_gains_are_the_slopes_of_lines_through_the_window(rng):
    """By numpy's least squares in each window of 5x5 pixels, where flat means nothing."""
    photo, painted = torch.rand(2, 1, 3, 9, 11, generator=rng)
    found = gains(painted, contrasts_of(photo))[0]
    for row, column in ((2, 2), (4, 7), (6, 8)):
        windows = [x[..., row - 2 : row + 3, column - 2 : column + 3] for x in (photo, painted)]
        bright, bright_painted = (luma(x).flatten().double().numpy() for x in windows)
        assert found[0, row, column].item() == pytest.approx(
            np.clip(np.polyfit(bright, bright_painted, 1)[0], -1, 2), abs=0.03
        )
        colors, colors_painted = (
            (color - color.mean(1, keepdim=True)).flatten().double().numpy()
            for color in ((x - luma(x))[0].flatten(1) for x in windows)
        )
        slope = colors @ colors_painted / (colors @ colors)
        assert found[1, row, column].item() == pytest.approx(np.clip(slope, -1, 2), abs=0.03)


def test_any_box_of_it_is_that_of_the_whole(rng):
    photo, painted = random_picture(rng, 61, 83), torch.rand(1, 3, 20, 27, generator=rng)
    enlarged = Enlarged(painted, resize_to(photo, 20, 27), InMemory(photo))
    whole = enlarged.read(Box(0, 0, 61, 83))
    assert torch.allclose(loaded(enlarged, 16), whole, atol=1e-5)
    assert whole.min() >= 0 and whole.max() <= 1


@pytest.mark.parametrize("slope", [1.0, 0.5, -0.5])
def test_fine_structure_has_the_contrast_that_the_painting_gives(rng, slope):
    """Of a painting that is the photograph with another contrast, about the same contrast comes back."""
    photo = (0.5 + 0.12 * torch.randn(1, 3, 12, 15, generator=rng)).clamp(0.2, 0.8)
    photo = resize_to(photo, 60, 75) + 0.05 * torch.randn(1, 3, 60, 75, generator=rng)
    small = resize_to(photo, 20, 25)
    found = Enlarged(0.5 + slope * (small - 0.5), small, InMemory(photo)).read(Box(0, 0, 60, 75))
    expected = 0.5 + slope * (photo - 0.5)
    assert (found - expected).square().mean().sqrt() < (1e-4 if slope == 1 else 0.025)  # of detail of 0.05
